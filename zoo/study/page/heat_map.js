// Heat maps: a tensor as a matrix of colours, blue below zero and orange above, on a canvas. It zooms
// with the buttons, with Ctrl and the wheel, and is moved by dragging. Large cells show their number.
(function(Study) {
"use strict";

const { h } = Study;
const RAMPS = {
  // below zero, zero, above: light and dark
  light: [[10, 80, 170], [255, 255, 255], [214, 92, 0]],
  dark: [[96, 170, 255], [28, 33, 39], [255, 150, 50]],
};
const isDark = () => (document.documentElement.dataset.theme ??
                      (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

/** The colour of a value between −1 and 1, as [r, g, b]. */
Study.colour = function(x) {
  if (Number.isNaN(x) || x === undefined) return [200, 0, 200];
  const ramp = RAMPS[isDark() ? "dark" : "light"], share = Math.min(1, Math.abs(x)) ** 0.75,
        end = ramp[x < 0 ? 0 : 2];
  return ramp[1].map((from, i) => Math.round(from + (end[i] - from) * share));
};

/** What is white and what is full colour: a high quantile of the sizes, so that one outlier does not
      make the rest pale. */
Study.scaleOf = function(values) {
  const sizes = [], step = Math.max(1, Math.floor(values.length / 4000));
  for (let i = 0; i < values.length; i += step)
    if (Number.isFinite(values[i])) sizes.push(Math.abs(values[i]));
  sizes.sort((a, b) => a - b);
  const high = sizes.length > 200 ? sizes[Math.floor(sizes.length * 0.995)] : sizes.at(-1);
  return high || sizes.at(-1) || 1;
};

/** A tensor as rows and columns: {rows, columns, flat(row, column), place(flat)}. */
function matrixOf(tensor) {
  const width = Study.widthOf(tensor.shape) || 1, stored = tensor.rows;
  if (stored) {
    const places = new Map(stored.map((row, i) => [row, i]));
    return {
      rows: stored.length,
      columns: width,
      flat: (r, c) => stored[r] * width + c,
      place: (flat) => [places.get(Math.floor(flat / width)) ?? -1, flat % width]
    };
  }
  const wrap = tensor.shape.length <= 1 && width > 96 ? Math.ceil(width / Math.ceil(width / 64)) : width;
  return {
    rows: Math.ceil(tensor.count / wrap),
    columns: wrap,
    flat: (r, c) => r * wrap + c,
    place: (flat) => [Math.floor(flat / wrap), flat % wrap]
  };
}

/** One pixel per element. */
Study.pixels = function(values, rows, columns, scale) {
  const made = Object.assign(
      document.createElement("canvas"), { width: Math.max(1, columns), height: Math.max(1, rows) });
  const context = made.getContext("2d"), image = context.createImageData(made.width, made.height);
  for (let i = 0; i < values.length; ++i) {
    const [r, g, b] = Study.colour(values[i] / scale);
    image.data.set([r, g, b, 255], i * 4);
  }
  context.putImageData(image, 0, 0);
  return made;
};

const pixelCache = new Map();
Study.forgetPixels = () => pixelCache.clear();
function cached(values, tensor, matrix, scale) {
  const key = `${tensor.at} ${tensor.count} ${scale}`;
  if (pixelCache.size > 60) pixelCache.clear();
  if (!pixelCache.has(key)) pixelCache.set(key, Study.pixels(values, matrix.rows, matrix.columns, scale));
  return pixelCache.get(key);
}

class HeatMap {
  constructor(index, given) {
    this.data = given.data ?? Study.data;
    this.tensor = this.data.tensors[index];
    this.values = Study.values(index, this.data);
    this.matrix = matrixOf(this.tensor);
    this.scale = given.scale ?? Study.scaleOf(this.values);
    this.given = given;
    this.zoom = 1;
    this.left = this.top = 0;
    this.build();
  }

  build() {
    this.canvas = h("canvas", { tabindex: "0", role: "img", "aria-label": this.given.label ?? "Heat map" });
    this.read = h("output", { class: "reading" });
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    this.canvas.addEventListener("pointerleave", () => {
      this.hover = undefined;
      this.say();
      this.draw();
    });
    this.canvas.addEventListener("pointerdown", (event) => {
      this.drag = { x: event.offsetX, y: event.offsetY, left: this.left, top: this.top, far: false };
    });
    this.canvas.addEventListener("pointerup", (event) => this.release(event));
    this.canvas.addEventListener("wheel", (event) => {
      if (event.ctrlKey) {
        event.preventDefault();
        this.magnify(event.deltaY < 0 ? 1.4 : 1 / 1.4, event.offsetX, event.offsetY);
      }
    }, { passive: false });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    const zoom = (text, label, by) =>
        h("button", {
          type: "button",
          title: label,
          "aria-label": label,
          onclick: () => (by ? this.magnify(by) : this.fit())
        },
          text);
    this.element =
        h("figure", { class: "heat-map" }, this.canvas,
          h("figcaption", null, this.legend(),
            h("span", { class: "choice" }, zoom("−", "Smaller", 1 / 1.6),
              zoom("+", "Larger (or Ctrl and the wheel)", 1.6), zoom("fit", "All of it", 0)),
            this.read));
    this.size();
    this.say();
  }
  legend() {
    const colours = [-1, -0.5, 0, 0.5, 1].map((x) => `rgb(${Study.colour(x).join(" ")})`).join(",");
    return h(
        "span", { class: "legend", title: "Colour shows sign and size" }, Study.short(-this.scale, 2),
        h("i", { style: `background:linear-gradient(90deg,${colours})` }), Study.short(this.scale, 2));
  }

  size() {
    const { rows, columns } = this.matrix, width = this.given.width ?? 520, height = this.given.height ?? 220;
    const cell = Math.min(width / columns, 64), tall = Math.min(height / rows, 26, Math.max(cell, 1.2));
    this.cell = { w: cell, h: Math.max(tall, Math.min(height / rows, 3)) };
    if (this.cell.h > this.cell.w * 3) this.cell.h = this.cell.w * 3;
    this.width = Math.max(40, Math.round(this.cell.w * columns));
    this.height = Math.max(14, Math.round(this.cell.h * rows));
    const ratio = devicePixelRatio || 1;
    Object.assign(
        this.canvas, { width: Math.round(this.width * ratio), height: Math.round(this.height * ratio) });
    Object.assign(this.canvas.style, { width: `${this.width}px`, height: `${this.height}px` });
    this.draw();
  }
  get w() { return this.cell.w * this.zoom; }
  get h() { return this.cell.h * this.zoom; }

  draw() {
    const context = this.canvas.getContext("2d"), ratio = devicePixelRatio || 1,
          { rows, columns } = this.matrix;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.imageSmoothingEnabled = false;
    context.clearRect(0, 0, this.width, this.height);
    if (this.values.length)
      context.drawImage(
          cached(this.values, this.tensor, this.matrix, this.scale), -this.left, -this.top, columns * this.w,
          rows * this.h);
    if (this.w >= 6 && this.h >= 6) this.drawGrid(context);
    if (this.w >= 40 && this.h >= 13) this.drawNumbers(context);
    const style = getComputedStyle(document.documentElement);
    for (const flat of this.given.rings ?? []) this.ring(context, flat, style.getPropertyValue("--c2"), 1.5);
    for (const flat of this.given.marks ?? []) this.ring(context, flat, style.getPropertyValue("--c3"), 1.5);
    if (this.given.chosen !== undefined)
      this.ring(context, this.given.chosen, style.getPropertyValue("--ink"), 2.5);
    if (this.hover !== undefined) this.ring(context, this.hover, style.getPropertyValue("--muted"), 1.5);
  }
  drawGrid(context) {
    const { rows, columns } = this.matrix;
    context.strokeStyle = isDark() ? "rgba(255,255,255,.1)" : "rgba(0,0,0,.1)";
    context.lineWidth = 1;
    context.beginPath();
    for (let c = 0; c <= columns; ++c) {
      const x = Math.round(c * this.w - this.left) + 0.5;
      context.moveTo(x, 0);
      context.lineTo(x, Math.min(this.height, rows * this.h - this.top));
    }
    for (let r = 0; r <= rows; ++r) {
      const y = Math.round(r * this.h - this.top) + 0.5;
      context.moveTo(0, y);
      context.lineTo(Math.min(this.width, columns * this.w - this.left), y);
    }
    context.stroke();
  }
  drawNumbers(context) {
    const { rows, columns } = this.matrix,
                          first = [Math.floor(this.top / this.h), Math.floor(this.left / this.w)];
    context.font = `${Math.min(12, this.w / 4.6)}px system-ui`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let r = first[0]; r < Math.min(rows, first[0] + this.height / this.h + 1); ++r)
      for (let c = first[1]; c < Math.min(columns, first[1] + this.width / this.w + 1); ++c) {
        const value = this.values[r * columns + c];
        if (value === undefined) continue;
        const [red, green, blue] = Study.colour(value / this.scale);
        context.fillStyle = red * 0.3 + green * 0.59 + blue * 0.11 > 135 ? "#111" : "#fff";
        const digits = [3, 2, 1].find((n) => context.measureText(Study.short(value, n)).width < this.w - 4);
        if (digits)
          context.fillText(
              Study.short(value, digits), (c + 0.5) * this.w - this.left, (r + 0.5) * this.h - this.top);
      }
  }
  ring(context, flat, colour, width) {
    const [r, c] = this.matrix.place(flat);
    if (r < 0) return;
    const x = c * this.w - this.left, y = r * this.h - this.top, w = Math.max(this.w, 4),
          tall = Math.max(this.h, 4);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.strokeRect(x + width / 2, y + width / 2, w - width, tall - width);
  }

  flatAt(x, y) {
    const c = Math.floor((x + this.left) / this.w), r = Math.floor((y + this.top) / this.h),
          { rows, columns } = this.matrix;
    if (c < 0 || c >= columns || r < 0 || r >= rows || r * columns + c >= this.values.length)
      return undefined;
    return this.matrix.flat(r, c);
  }
  move(event) {
    if (this.drag && event.buttons && this.zoom > 1) {
      const dx = event.offsetX - this.drag.x, dy = event.offsetY - this.drag.y;
      if (Math.hypot(dx, dy) > 4) this.drag.far = true;
      if (this.drag.far) {
        this.left = this.drag.left - dx;
        this.top = this.drag.top - dy;
        this.clamp();
      }
    }
    this.hover = this.flatAt(event.offsetX, event.offsetY);
    this.say();
    this.draw();
  }
  release(event) {
    const flat = this.flatAt(event.offsetX, event.offsetY), wasDrag = this.drag && this.drag.far;
    this.drag = null;
    if (!wasDrag && flat !== undefined && this.given.onChoose) this.given.onChoose(flat);
  }
  key(event) {
    const by = { ArrowLeft: -1,
                 ArrowRight: 1,
                 ArrowUp: -this.matrix.columns,
                 ArrowDown: this.matrix.columns }[event.key];
    if (by === undefined || !this.given.onChoose || !event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    const [r, c] = this.matrix.place(this.given.chosen ?? 0), to = r * this.matrix.columns + c + by;
    if (to >= 0 && to < this.values.length)
      this.given.onChoose(this.matrix.flat(Math.floor(to / this.matrix.columns), to % this.matrix.columns));
  }
  say() {
    const flat = this.hover ?? this.given.chosen,
          value = flat === undefined ? undefined :
                                       Study.at(this.data.tensors.indexOf(this.tensor), flat, this.data);
    this.read.textContent = flat === undefined ?
        this.given.hint ?? "" :
        `${Study.place(flat, this.tensor.shape)}${this.rowName(flat)} = ${Study.exact(value)}`;
  }
  rowName(flat) {
    const names = this.given.rowLabels,
          name = names && names[Math.floor(flat / Study.widthOf(this.tensor.shape)) % names.length];
    return name === undefined || name === null ? "" : ` “${name.trim() === "" ? "␣" : name}”`;
  }
  clamp() {
    this.left = Math.max(0, Math.min(this.left, this.matrix.columns * this.w - this.width));
    this.top = Math.max(0, Math.min(this.top, this.matrix.rows * this.h - this.height));
  }
  magnify(by, x = this.width / 2, y = this.height / 2) {
    const before = this.zoom;
    this.zoom = Math.max(1, Math.min(this.zoom * by, 80 / Math.min(this.cell.w, this.cell.h), 400));
    this.left = (this.left + x) * (this.zoom / before) - x;
    this.top = (this.top + y) * (this.zoom / before) - y;
    this.clamp();
    this.draw();
  }
  fit() {
    this.zoom = 1;
    this.left = this.top = 0;
    this.draw();
  }
}

/** A heat map of a tensor. given: {width, height, scale, chosen, marks, rings, onChoose, hint, label, data}. */
Study.heatMap = (index, given = {}) => new HeatMap(index, given);
})((globalThis.Study ??= {}));
