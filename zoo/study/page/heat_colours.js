// Colours of numbers, on all pictures of the page: orange above zero, blue below, and marks of their
// own for what is not finite. And the legend that says so.
(function(Study) {
"use strict";

const { h } = Study;
const RAMPS = {
  // below zero, zero, above: light and dark
  light: [[10, 80, 170], [255, 255, 255], [214, 92, 0]],
  dark: [[96, 170, 255], [28, 33, 39], [255, 150, 50]],
};
/** NaN, +∞, −∞ and what did not travel. No ramp has these colours. */
const OTHERS = {
  light: { nan: [200, 0, 200], up: [20, 20, 20], down: [120, 124, 130], missing: [217, 221, 227] },
  dark: { nan: [255, 90, 255], up: [245, 245, 245], down: [140, 146, 154], missing: [51, 58, 67] },
};
const theme = () => document.documentElement.dataset.theme ??
    (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
Study.isDark = () => theme() === "dark";

/** The kind of a number that has no place on the ramp: "nan", "up", "down", "missing"; or null. */
Study.oddity = (value) =>
    (value === undefined                       ? "missing" :
         value === null || Number.isNaN(value) ? "nan" :
         Number.isFinite(value)                ? null :
         value > 0                             ? "up" :
                                                 "down");

/** The colour of a value between −1 and 1, as [r, g, b]. */
Study.colour = function(x) {
  const odd = Study.oddity(x);
  if (odd) return OTHERS[theme()][odd];
  const ramp = RAMPS[theme()], share = Math.min(1, Math.abs(x)) ** 0.75, end = ramp[x < 0 ? 0 : 2];
  return ramp[1].map((from, i) => Math.round(from + (end[i] - from) * share));
};
/** The colour of a number on a scale; also of one that did not travel. */
Study.cellColour = (value, scale) => Study.colour(value === undefined ? undefined : value / scale);

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

/** One pixel per element. */
Study.pixels = function(values, rows, columns, scale) {
  const made = Object.assign(
      document.createElement("canvas"), { width: Math.max(1, columns), height: Math.max(1, rows) });
  const context = made.getContext("2d"), image = context.createImageData(made.width, made.height);
  // Colours of a table: to ask for each anew takes longer than all the rest.
  const steps = 256, table = Array.from({ length: 2 * steps + 1 }, (_, i) => Study.colour(i / steps - 1));
  for (let i = 0; i < values.length; ++i) {
    const value = values[i];
    const [r, g, b] = Study.oddity(value) ?
        Study.cellColour(value, scale) :
        table[Math.round(Math.max(-1, Math.min(1, value / scale)) * steps) + steps];
    image.data[4 * i] = r;
    image.data[4 * i + 1] = g;
    image.data[4 * i + 2] = b;
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return made;
};

// --------------------------------------------------------------------------------- legend

const MARKS = {
  nan: ["✕", "NaN"],
  up: ["▲", "∞"],
  down: ["▼", "−∞"]
};
/** The mark that stands in a cell of this kind. */
Study.markOf = (odd) => MARKS[odd]?.[0] ?? "";

/** The finite value that is farthest from zero. */
const farthest = (values) =>
    values.reduce((most, x) => (Number.isFinite(x) && Math.abs(x) > Math.abs(most) ? x : most), 0);

/** How often each kind that is not finite occurs: [["nan", 3], …]. */
function oddities(values) {
  const found = new Map();
  for (const value of values) {
    const odd = Study.oddity(value);
    if (odd in MARKS) found.set(odd, (found.get(odd) ?? 0) + 1);
  }
  return [...found];
}

/** What the colours mean. It says where they end, if there are numbers beyond; `stats` knows of those
    that did not travel. */
Study.legend = function(values, scale, stats = {}) {
  const most = farthest([farthest(values), stats.min ?? 0, stats.max ?? 0]),
        isCut = Math.abs(most) > scale * 1.02, end = Study.short(scale, 2);
  const isBoth = (stats.min ?? 0) < 0 || values.some((x) => x < 0 && Number.isFinite(x));
  const ramp =
      (isBoth ? [-1, -0.5, 0, 0.5, 1] : [0, 0.25, 0.5, 1]).map((x) => `rgb(${Study.colour(x).join(" ")})`);
  return [
    h("span", { class: "legend", title: "Orange is above zero, blue below" },
      isBoth ? `${isCut ? "≤ " : ""}−${end}` : "0",
      h("i", { style: `background:linear-gradient(90deg,${ramp.join(",")})` }), `${isCut ? "≥ " : ""}${end}`),
    isCut ?
        h("span", { class: "beyond", title: "So that a few large numbers do not make all the others pale." },
          `full colour from ${isBoth ? "±" : ""}${end} on; the largest is ${Study.short(most, 3)}`) :
        null,
    oddities(values).map(
        ([odd, count]) =>
            h("span", { class: "legend odd" },
              h("b", {
                style: `background:rgb(${OTHERS[theme()][odd].join(" ")});color:${
                    Study.isDark() === (odd === "up") ? "#000" : "#fff"}`
              },
                MARKS[odd][0]),
              `${MARKS[odd][1]}: ${count}`))
  ];
};
})((globalThis.Study ??= {}));
