// A tensor as a matrix: its last two dimensions. What lies in the dimensions before them is either
// stacked, or looked through page by page.
(function(Study) {
"use strict";

const range = (n) => Array.from({ length: n }, (_, i) => i);
const rowsOf = (shape) => (shape.length < 2 ? 1 : shape.at(-2));

/** The pages of a tensor that have numbers here: matrices of its last two dimensions, by number. */
Study.pagesOf = function(tensor) {
  const { shape, rows } = tensor, all = shape.length < 3 ? 1 : Study.count(shape.slice(0, -2));
  return rows ? [...new Set(rows.map((row) => Math.floor(row / rowsOf(shape))))] : range(all);
};
/** The page that an element is on. */
Study.pageOf = (flat, shape) => (shape.length < 3 ? 0 : Math.floor(flat / (shape.at(-1) * shape.at(-2))));
/** Whether it is worth while to look at one page after the other. */
Study.isPaged = function(tensor) {
  const pages = Study.pagesOf(tensor).length;
  return pages > 1 && pages <= 512 && rowsOf(tensor.shape) * Study.widthOf(tensor.shape) >= 48;
};
/** "head 2 of 4" or "item 0 of 2, head 2 of 4": where a page is in the leading dimensions. */
Study.pageName = function(page, shape, names = [], axes = null) {
  const lead = shape.slice(0, -2), index = Study.shapes.index(page, lead);
  const said = (at, d) =>
      `${names[d] ?? `dimension ${d}`}: ${at} of ${lead[d]}${axes?.[d] ? ` “${axes[d][at]}”` : ""}`;
  return index.map((at, d) => (lead[d] > 1 ? said(at, d) : "")).filter(Boolean).join(", ");
};

/** Rows and columns of a tensor, of one page of it or (page is null) of all: {rows, columns, values,
    flat(row, column), place(flat), rowAt(row): its index in the last dimension but one}. */
Study.matrixOf = function(tensor, values, page = null) {
  const width = Study.widthOf(tensor.shape) || 1, tall = rowsOf(tensor.shape);
  const stored = tensor.rows ?? range(Math.ceil(tensor.count / width));
  const kept = range(stored.length).filter((i) => page === null || Math.floor(stored[i] / tall) === page);
  if (tensor.shape.length <= 1 && width > 96 && !tensor.rows) return wrapped(tensor, values, width);
  const places = new Map(kept.map((i, at) => [stored[i], at])), isAll = kept.length === stored.length;
  const first = kept[0] ?? 0, isRun = isAll || kept.every((i, at) => i === first + at);
  return {
    rows: kept.length,
    columns: width,
    values: isRun ? values.subarray(first * width, (first + kept.length) * width) :
                    Float32Array.from(kept.flatMap((i) => [...values.subarray(i * width, (i + 1) * width)])),
    flat: (r, c) => stored[kept[r]] * width + c,
    place: (flat) => [places.get(Math.floor(flat / width)) ?? -1, flat % width],
    rowAt: (r) => stored[kept[r]] % tall,
    columnAt: (c) => c
  };
};

/** A long vector goes on in the next row. */
function wrapped(tensor, values, width) {
  const columns = Math.ceil(width / Math.ceil(width / 64));
  return {
    rows: Math.ceil(tensor.count / columns),
    columns,
    values,
    flat: (r, c) => r * columns + c,
    place: (flat) => [Math.floor(flat / columns), flat % columns],
    rowAt: (r) => r * columns,
    columnAt: (c) => c,
    isWrapped: true
  };
}
})((globalThis.Study ??= {}));
