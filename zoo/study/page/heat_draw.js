// Drawing a heat map: cells, numbers in large ones, rings, and the names along its sides.
(function(Study) {
"use strict";

const FONT = "11px system-ui, sans-serif";
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

/** Draws all of it. */
Study.drawHeatMap = function(map) {
  const context = map.canvas.getContext("2d"), ratio = devicePixelRatio || 1, { margin, matrix } = map;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.imageSmoothingEnabled = false;
  context.clearRect(0, 0, map.width + margin.left, map.height + margin.top);
  drawSides(map, context);
  context.save();
  context.beginPath();
  context.rect(margin.left, margin.top, map.width, map.height);
  context.clip();
  context.translate(margin.left, margin.top);
  if (matrix.values.length)
    context.drawImage(map.pixels, -map.left, -map.top, matrix.columns * map.w, matrix.rows * map.h);
  if (map.w >= 6 && map.h >= 6) drawGrid(map, context);
  if (map.w >= 5 && map.h >= 5) drawCells(map, context);
  for (const flat of map.given.rings ?? []) ring(map, context, flat, style("--c2"), 1.5);
  for (const flat of map.given.marks ?? []) ring(map, context, flat, style("--c3"), 1.5);
  if (map.given.chosen !== undefined) ring(map, context, map.given.chosen, style("--ink"), 2.5);
  if (map.hover !== undefined) ring(map, context, map.hover, style("--muted"), 1.5);
  context.restore();
  context.strokeStyle = style("--rule");
  context.lineWidth = 1;
  context.strokeRect(margin.left + 0.5, margin.top + 0.5, map.width - 1, map.height - 1);
};

function drawGrid(map, context) {
  const { rows, columns } = map.matrix;
  context.strokeStyle = Study.isDark() ? "rgba(255,255,255,.1)" : "rgba(0,0,0,.1)";
  context.lineWidth = 1;
  context.beginPath();
  for (let c = 0; c <= columns; ++c) {
    const x = Math.round(c * map.w - map.left) + 0.5;
    context.moveTo(x, 0);
    context.lineTo(x, Math.min(map.height, rows * map.h - map.top));
  }
  for (let r = 0; r <= rows; ++r) {
    const y = Math.round(r * map.h - map.top) + 0.5;
    context.moveTo(0, y);
    context.lineTo(Math.min(map.width, columns * map.w - map.left), y);
  }
  context.stroke();
}

/** Numbers in large cells, and marks in those that are not finite. */
function drawCells(map, context) {
  const { rows, columns, values } = map.matrix, isLarge = map.w >= 40 && map.h >= 13;
  const first = [Math.floor(map.top / map.h), Math.floor(map.left / map.w)];
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (let r = first[0]; r < Math.min(rows, first[0] + map.height / map.h + 1); ++r)
    for (let c = first[1]; c < Math.min(columns, first[1] + map.width / map.w + 1); ++c) {
      const value = values[r * columns + c], odd = Study.oddity(value);
      if (odd === "missing" || (!isLarge && !odd)) continue;
      const [red, green, blue] = Study.cellColour(value, map.scale);
      context.fillStyle = red * 0.3 + green * 0.59 + blue * 0.11 > 135 ? "#111" : "#fff";
      const x = (c + 0.5) * map.w - map.left, y = (r + 0.5) * map.h - map.top;
      context.font = `${isLarge ? Math.min(12, map.w / 4.6) : Math.min(11, map.w, map.h)}px system-ui`;
      const text = isLarge ? [3, 2, 1]
                                 .map((n) => Study.short(value, n))
                                 .find((fits) => context.measureText(fits).width < map.w - 4) :
                             Study.markOf(odd);
      if (text) context.fillText(text, x, y);
    }
}

function ring(map, context, flat, colour, width) {
  const [r, c] = map.matrix.place(flat);
  if (r < 0) return;
  const x = c * map.w - map.left, y = r * map.h - map.top, w = Math.max(map.w, 4), tall = Math.max(map.h, 4);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.strokeRect(x + width / 2, y + width / 2, w - width, tall - width);
}

// --------------------------------------------------------------------------------- sides

/** The name of a row or column: of its axis if that is known, else its number. */
Study.sideName = function(map, axis, at) {
  const name = map.given.axes?.at(axis)?.[at];
  return name === undefined ? String(at) : name;
};

let ruler = null;
const widths = (texts) => {
  ruler ??= document.createElement("canvas").getContext("2d");
  ruler.font = FONT;
  return Math.max(0, ...texts.map((text) => ruler.measureText(text).width));
};
const ends = (n) => (n > 400 ? [0, n - 1] : Array.from({ length: n }, (_, i) => i));

/** The room that the names need: {left, top}. */
Study.marginsOf = function(map) {
  const { rows, columns, rowAt, columnAt } = map.matrix;
  if (rows * columns <= 1) return { left: 0, top: 0 };
  const names = ends(rows).map((r) => Study.cut(Study.sideName(map, -2, rowAt(r)), 8));
  const across = ends(columns).map((c) => Study.cut(Study.sideName(map, -1, columnAt(c)), 8));
  map.columnWidth = widths(across);
  return {
    left: rows > 1 && !map.matrix.isWrapped ? Math.ceil(widths(names)) + 7 : 0,
    top: columns > 1 && !map.matrix.isWrapped ? 15 : 0
  };
};

/** Every k-th name, as many as there is room for. */
function drawSides(map, context) {
  const { margin, matrix } = map;
  context.font = FONT;
  context.fillStyle = style("--muted");
  context.textBaseline = "middle";
  if (margin.left) {
    const every = stepFor(11.5 / map.h, map.given.axes?.at(-2) ?? map.tensor.rows);
    context.textAlign = "right";
    for (let r = 0; r < matrix.rows; ++r) {
      const y = margin.top + (r + 0.5) * map.h - map.top;
      if ((map.tensor.rows ? r : matrix.rowAt(r)) % every || y < margin.top || y > margin.top + map.height)
        continue;
      context.fillText(Study.cut(Study.sideName(map, -2, matrix.rowAt(r)), 8), margin.left - 4, y);
    }
  }
  if (margin.top) {
    const every = stepFor((map.columnWidth + 6) / map.w, map.given.axes?.at(-1));
    context.textAlign = "center";
    for (let c = 0; c < matrix.columns; ++c) {
      const x = margin.left + (c + 0.5) * map.w - map.left;
      if (c % every || x < margin.left || x > margin.left + map.width) continue;
      const text = Study.cut(Study.sideName(map, -1, matrix.columnAt(c)), 8),
            half = context.measureText(text).width / 2;
      if (x + half <= margin.left + map.width + 2) context.fillText(text, x, 7);
    }
  }
}
/** Numbers go in round steps, names in any. */
function stepFor(least, names) {
  const need = Math.max(1, Math.ceil(least));
  if (names || need === 1) return need;
  const power = 10 ** Math.floor(Math.log10(need));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= need);
}
})((globalThis.Study ??= {}));
