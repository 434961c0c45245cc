// One head as a matrix: queries downwards, keys to the right. Its cells are reached with the arrow
// keys; several matrices can mark the same cell.
(function(Study) {
"use strict";

const { h, svg } = Study;
const LETTER = 7.3, LEGIBLE = 13, STRIP = 13;

/** The cells as one picture. Weights of 0, such as masked ones, can be faded in a gradient. */
function cells({ values, rows, columns, scale, faded }) {
  const made = Study.pixels(values, rows, columns, scale), context = made.getContext("2d");
  if (faded) {
    context.globalCompositeOperation = "destination-out";
    context.fillStyle = "rgb(0 0 0 / .72)";
    faded.forEach((weight, i) => {
      if (weight === 0) context.fillRect(i % columns, Math.floor(i / columns), 1, 1);
    });
  }
  return made.toDataURL();
}

/** How large everything is: `room` is for the matrix and the names at its left. */
function measure({ queries, keys, rows, columns, room = 430, set, data }) {
  const longest = (names) => Math.min(10, Math.max(...names.map(({ short }) => Array.from(short).length)));
  const isPicture = Boolean(data.pictures?.[set]), isTurned = longest(keys) > 2;
  const beside = isPicture ? STRIP : 12 + LETTER * longest(queries);
  const cell =
      Math.max(4, Math.min(26, Math.floor((room - beside) / columns), Math.floor((room - 40) / rows)));
  return {
    cell,
    isPicture,
    isTurned,
    every: Math.max(1, Math.ceil(LEGIBLE / cell)),
    left: isPicture ? Math.max(cell + 4, STRIP) : beside,
    top: isPicture ? Math.max(cell + 4, STRIP) :
        isTurned   ? 12 + LETTER * longest(keys) :
                     20
  };
}

function label(size, name, at, isColumn, more = {}) {
  const middle = (at + 0.5) * size.cell, text = Study.cut(name.short, 10);
  const place = isColumn ? {
    transform: `translate(${size.left + middle + (size.isTurned ? 4 : 0)} ${size.top - 6})${
        size.isTurned ? " rotate(-90)" : ""}`,
    "text-anchor": size.isTurned ? "start" : "middle"
  } :
                           { x: size.left - 6, y: size.top + middle + 4, "text-anchor": "end" };
  return svg("text", {...place, ...more }, svg("title", null, name.long), text);
}

/** Names along both sides: all, or every k-th where there is no room. Patches are pictures. */
function sides(size, { queries, keys, set, data }) {
  if (size.isPicture)
    return [queries, keys].flatMap((names, side) => names.map((name, at) => {
      const depth = Math.max(size.cell, 9), along = (side ? size.left : size.top) + at * size.cell;
      return Study.patchImage(
          set, name.patch, {
            x: side ? along : 0,
            y: side ? 0 : along,
            width: side ? size.cell : depth,
            height: side ? depth : size.cell
          },
          name.long, data);
    }));
  const some = (names, isColumn) =>
      names.flatMap((name, at) => (at % size.every ? [] : [label(size, name, at, isColumn)]));
  return [...some(queries, false), ...some(keys, true)];
}

/** A name with a ground of its own, over the names that it may cover. */
function marked(size, name, at, isColumn) {
  if (size.isPicture) return [];
  const wide = LETTER * Math.min(10, Array.from(name.short).length) + 6, middle = (at + 0.5) * size.cell;
  const x = isColumn ? size.left + middle - (size.isTurned ? 8 : wide / 2) : size.left - wide - 3,
        y = isColumn ? (size.isTurned ? size.top - wide - 4 : size.top - 18) : size.top + middle - 8;
  const isUp = isColumn && size.isTurned;
  return [
    svg("rect", { class: "label-ground", x, y, width: isUp ? 16 : wide, height: isUp ? wide : 16, rx: 3 }),
    label(size, name, at, isColumn, { "font-weight": 700 })
  ];
}

class Matrix {
  /** given: {title, note, values, of, data, rows, columns, scale, faded, room, query, cell,
      name, onCell, onFollow}. */
  constructor(given) {
    const { of, data = Study.data, rows, columns } = given;
    this.given = {
      ...given,
      data,
      set: of.keys,
      queries: Study.attention.names(of.queries, rows, data),
      keys: Study.attention.names(of.keys, columns, data)
    };
    this.size = measure(this.given);
    this.build();
    this.mark(given.cell ?? { q: given.query, k: 0 }, false);
  }
  build() {
    const { given, size } = this, { rows, columns, title } = given, wide = columns * size.cell,
                        tall = rows * size.cell;
    this.picture = svg("svg", {
      class: "matrix",
      width: size.left + wide + 2,
      height: size.top + tall + 2,
      tabindex: 0,
      role: "application",
      "aria-roledescription": "matrix",
      "aria-label": `${title}: ${rows} queries, ${columns} keys. Arrow keys move, Enter follows the query.`,
      "data-focus": given.name
    });
    this.over = svg("g", { "pointer-events": "none" });
    this.picture.append(
        svg("image", {
          href: cells(given),
          x: size.left,
          y: size.top,
          width: wide,
          height: tall,
          preserveAspectRatio: "none"
        }),
        size.cell < 11 ? svg("rect", { class: "rim", x: size.left, y: size.top, width: wide, height: tall }) :
                         svg("path", { class: "rim", d: this.grid() }),
        ...sides(size, given), svg("rect", {
          class: "row-mark",
          x: size.left,
          y: size.top + given.query * size.cell,
          width: wide,
          height: size.cell
        }),
        this.over);
    this.read = h("output", { class: "reading" });
    this.element =
        h("figure",
          { class: "titled", style: `width:${Math.max(given.narrow ?? 330, size.left + wide + 2)}px` },
          h("figcaption", { class: "one-line", title }, title), this.picture, this.read,
          h("p", { class: "note row" }, Study.legend(given.values, given.scale)),
          given.note ? h("p", { class: "note" }, given.note) : null);
    this.listen();
  }
  grid() {
    const { size, given: { rows, columns } } = this, lines = [];
    for (let r = 0; r <= rows; ++r)
      lines.push(`M${size.left} ${size.top + r * size.cell}h${columns * size.cell}`);
    for (let c = 0; c <= columns; ++c)
      lines.push(`M${size.left + c * size.cell} ${size.top}v${rows * size.cell}`);
    return lines.join("");
  }
  listen() {
    const { rows, columns, onCell, onFollow } = this.given;
    const cellAt = (event) => {
      const { left, top } = this.picture.getBoundingClientRect();
      const q = Math.floor((event.clientY - top - this.size.top) / this.size.cell),
            k = Math.floor((event.clientX - left - this.size.left) / this.size.cell);
      return q >= 0 && q < rows && k >= 0 && k < columns ? { q, k } : null;
    };
    this.picture.addEventListener("pointermove", (event) => {
      const cell = cellAt(event);
      if (cell && (cell.q !== this.cell.q || cell.k !== this.cell.k)) onCell(cell);
    });
    this.picture.addEventListener("click", (event) => {
      const cell = cellAt(event);
      if (cell) onFollow(cell);
    });
    this.picture.addEventListener("keydown", (event) => {
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (event.key === "Enter") onFollow(this.cell);
      if (!step) return;
      event.preventDefault();
      const to = (at, n) => Math.max(0, Math.min(n - 1, at));
      onCell({ q: to(this.cell.q + step[0], rows), k: to(this.cell.k + step[1], columns) });
    });
  }
  /** Marks a cell and says what it holds. */
  mark({ q, k }, isSaid = true) {
    const { size, given } = this, { queries, keys, values, columns } = given;
    this.cell = { q, k };
    this.over.replaceChildren(
        svg("rect", {
          class: "cell-mark",
          x: size.left + k * size.cell,
          y: size.top + q * size.cell,
          width: size.cell,
          height: size.cell
        }),
        ...(isSaid ? [...marked(size, queries[q], q, false), ...marked(size, keys[k], k, true)] : []));
    const icons = size.isPicture ?
        [queries[q], keys[k]].map(({ patch }) => Study.patchIcon(given.set, patch, given.data)) :
        [];
    this.read.replaceChildren(
        ...icons,
        h("span", null, `${queries[q].long} → ${keys[k].long}: `,
          h("b", null, Study.attention.said(values[q * columns + k]))));
  }
}
Study.attentionMatrix = (given) => new Matrix(given);
})((globalThis.Study ??= {}));
