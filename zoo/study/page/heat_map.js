// Heat maps: a tensor as a matrix of colours on a canvas. It zooms with the buttons, with Ctrl and
// the wheel, and is moved by dragging. A tensor of more than two dimensions is shown page by page.
(function(Study) {
"use strict";

const { h } = Study;

class HeatMap {
  constructor(index, given) {
    this.data = given.data ?? Study.data;
    this.index = index;
    this.tensor = this.data.tensors[index];
    this.all = Study.values(index, this.data);
    this.scale = given.scale ?? Study.scaleOf(this.all);
    this.given = given;
    this.pages = Study.pagesOf(this.tensor);
    this.page = this.firstPage();
    this.build();
    this.turn(this.page);
  }
  /** The page of the element that the reader looks at; null shows all pages, one below the other. */
  firstPage() {
    if (!Study.isPaged(this.tensor)) return null;
    const { chosen, marks } = this.given, at = chosen ?? marks?.[0];
    const page = at === undefined ? this.pages[0] : Study.pageOf(at, this.tensor.shape);
    return this.pages.includes(page) ? page : this.pages[0];
  }
  turn(page) {
    this.page = page;
    this.zoom = 1;
    this.left = this.top = 0;
    this.hover = undefined;
    this.matrix = Study.matrixOf(this.tensor, this.all, page);
    this.pixels = Study.pixels(this.matrix.values, this.matrix.rows, this.matrix.columns, this.scale);
    this.size();
    this.say();
    if (this.pager) this.sayPage();
  }

  build() {
    this.canvas = h("canvas", {
      tabindex: "0",
      role: "img",
      "data-focus": this.given.name ?? "heat map",
      "aria-label": this.given.label ?? "Heat map",
      "aria-keyshortcuts": "Shift+ArrowLeft Shift+ArrowRight Shift+ArrowUp Shift+ArrowDown PageUp PageDown"
    });
    this.read = h("output", { class: "reading" });
    const listen = (event, run, how) => this.canvas.addEventListener(event, run, how);
    listen("pointermove", (event) => this.move(event));
    listen("pointerleave", () => {
      this.hover = undefined;
      this.say();
      this.draw();
    });
    listen("pointerdown", (event) => {
      this.drag = { x: event.offsetX, y: event.offsetY, left: this.left, top: this.top, far: false };
    });
    listen("pointerup", (event) => this.release(event));
    listen("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.magnify(
          event.deltaY < 0 ? 1.4 : 1 / 1.4, event.offsetX - this.margin.left,
          event.offsetY - this.margin.top);
    }, { passive: false });
    listen("keydown", (event) => this.key(event));
    this.element =
        h("figure", { class: "heat-map" }, this.pageBar(), this.canvas,
          h("figcaption", null, Study.legend(this.all, this.scale, this.tensor.stats), this.zoomButtons(),
            this.read));
  }
  zoomButtons() {
    const zoom = (text, label, by) =>
        h("button", {
          type: "button",
          title: label,
          "aria-label": label,
          onclick: () => (by ? this.magnify(by) : this.fit())
        },
          text);
    return h(
        "span", { class: "choice" }, zoom("−", "Smaller", 1 / 1.6),
        zoom("+", "Larger (or Ctrl and the wheel)", 1.6), zoom("fit", "All of it", 0));
  }

  // ------------------------------------------------------------------------------- pages

  /** Buttons for the dimensions before the last two; null if there is nothing to turn. */
  pageBar() {
    if (this.pages.length < 2) return null;
    const button = (text, label, run) =>
        h("button", { type: "button", title: label, "aria-label": label, onclick: run }, text);
    const all =
        h("button", {
          type: "button",
          class: "every",
          title: "All pages, one below the other",
          onclick: () => this.turn(this.page === null ? this.pages[0] : null)
        },
          "all");
    this.pager = { name: h("span", { class: "page-name", role: "status" }), all };
    return h(
        "div", { class: "pages" },
        h("span", { class: "choice" }, button("◀", "The page before (Page Up)", () => this.step(-1)),
          button("▶", "The next page (Page Down)", () => this.step(1)), all),
        this.pager.name);
  }
  step(by) {
    const at = this.page === null ? (by > 0 ? -1 : 0) : this.pages.indexOf(this.page), n = this.pages.length;
    this.turn(this.pages[(at + by + n) % n]);
  }
  sayPage() {
    const { shape } = this.tensor, names = this.given.dimensions;
    this.pager.all.setAttribute("aria-pressed", String(this.page === null));
    this.pager.name.textContent = this.page === null ?
        `all ${this.pages.length} matrices of ${shape.slice(-2).join(" × ")}, one below the other` :
        Study.pageName(this.page, shape, names, this.given.axes);
  }

  // ------------------------------------------------------------------------------- size

  size() {
    this.margin = Study.marginsOf(this);
    const { rows, columns } = this.matrix, width = (this.given.width ?? 520) - this.margin.left,
                          height = this.given.height ?? 220;
    const cell = Math.min(width / columns, 64), tall = Math.min(height / rows, 26, Math.max(cell, 1.2));
    this.cell = { w: cell, h: Math.max(tall, Math.min(height / rows, 3)) };
    if (this.cell.h > this.cell.w * 3) this.cell.h = this.cell.w * 3;
    this.width = Math.max(40, Math.round(this.cell.w * columns));
    this.height = Math.max(14, Math.round(this.cell.h * rows));
    const ratio = devicePixelRatio || 1, wide = this.width + this.margin.left,
          high = this.height + this.margin.top;
    Object.assign(this.canvas, { width: Math.round(wide * ratio), height: Math.round(high * ratio) });
    Object.assign(this.canvas.style, { width: `${wide}px`, height: `${high}px` });
    this.draw();
  }
  get w() {
    return this.cell.w * this.zoom;
  }
  get h() {
    return this.cell.h * this.zoom;
  }
  draw() {
    Study.drawHeatMap(this);
  }

  // ------------------------------------------------------------------------------- use

  flatAt({ offsetX, offsetY }) {
    const x = offsetX - this.margin.left, y = offsetY - this.margin.top;
    const c = Math.floor((x + this.left) / this.w), r = Math.floor((y + this.top) / this.h),
          { rows, columns, values } = this.matrix;
    if (x < 0 || y < 0 || c < 0 || c >= columns || r < 0 || r >= rows || r * columns + c >= values.length)
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
    this.hover = this.flatAt(event);
    this.say();
    this.draw();
  }
  release(event) {
    const flat = this.flatAt(event), wasDrag = this.drag && this.drag.far;
    this.drag = null;
    if (!wasDrag && flat !== undefined && this.given.onChoose) this.given.onChoose(flat);
  }
  key(event) {
    const { key } = event, { columns, values } = this.matrix;
    if (this.pager && (key === "PageUp" || key === "PageDown")) {
      event.preventDefault();
      return this.step(key === "PageUp" ? -1 : 1);
    }
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
    if (by === undefined || !this.given.onChoose || !event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    const [r, c] = this.matrix.place(this.given.chosen ?? this.matrix.flat(0, 0)),
              to = Math.max(0, r) * columns + c + by;
    if (to >= 0 && to < values.length)
      this.given.onChoose(this.matrix.flat(Math.floor(to / columns), to % columns));
  }
  say() {
    const flat = this.hover ?? this.given.chosen,
          value = flat === undefined ? undefined : Study.at(this.index, flat, this.data);
    this.read.textContent = flat === undefined ?
        this.given.hint ?? "" :
        `${Study.place(flat, this.tensor.shape)}${this.names(flat)} = ${Study.exact(value)}`;
  }
  /** What an element's row and column are called: “e” → “k”. */
  names(flat) {
    const index = Study.shapes.index(flat, this.tensor.shape), { axes } = this.given;
    const named = [-2, -1].map((d) => axes?.at(d)?.[index.at(d)]).filter((name) => name !== undefined);
    return named.length ? ` ${named.map((name) => `“${name}”`).join(" → ")}` : "";
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

/** A heat map of a tensor. given: {width, height, scale, chosen, marks, rings, onChoose, hint, label,
    axes (names along each dimension, or null), dimensions (what each is called), data,
    name (of several in one part of the page)}. */
Study.heatMap = (index, given = {}) => new HeatMap(index, given);
})((globalThis.Study ??= {}));
