// Statistics of a tensor in words, and whether its numbers are all on the page.
(function(Study) {
"use strict";

const { h, short } = Study;

/** min, max, mean, deviation, zeros, NaN: of all elements, also of those that did not travel. */
Study.statistics = function(index, data = Study.data) {
  const { stats, shape, dtype } = data.tensors[index],
                              parts = [["shape", Study.shapeText(shape)], ["type", dtype]];
  if (stats && Study.count(shape) > 1)
    parts.push(
        ["min", short(stats.min)], ["max", short(stats.max)], ["mean", short(stats.mean)],
        ["deviation", short(stats.std)], ["norm", short(stats.norm)],
        ["zeros", `${short(100 * (stats.zeros ?? 0), 3)} %`]);
  const list =
      h("dl", { class: "statistics" },
        parts.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))));
  if (stats && (stats.nan || stats.inf))
    list.append(
        h("div", { class: "wrong" }, h("dt", null, "not finite"),
          h("dd", null, `${stats.nan} NaN, ${stats.inf} infinite`)));
  return list;
};

/** "12 of 384 rows are on this page", or null. */
Study.sampling = function(index, data = Study.data) {
  const { rows, shape } = data.tensors[index];
  if (!rows) return null;
  const all = Study.count(shape) / Math.max(1, Study.widthOf(shape));
  return h(
      "p", { class: "note" },
      `Sampled: ${rows.length} of ${all} rows are on this page. The statistics are of all.`);
};

/** The element of each row that is farthest from zero, the farthest of all first. */
Study.largestOfRows = function(index) {
  const tensor = Study.data.tensors[index], values = Study.values(index),
        width = Study.widthOf(tensor.shape) || 1,
        size = (i) => (Number.isFinite(values[i]) ? Math.abs(values[i]) : -1);
  const best = [];
  for (let row = 0; row * width < values.length; ++row) {
    let most = row * width;
    for (let i = most + 1; i < Math.min(values.length, (row + 1) * width); ++i)
      if (size(i) > size(most)) most = i;
    best.push(most);
  }
  best.sort((a, b) => size(b) - size(a));
  return best.map((i) => (tensor.rows ? tensor.rows[Math.floor(i / width)] * width + (i % width) : i));
};
})((globalThis.Study ??= {}));
