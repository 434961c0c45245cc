// What attention connects: the weights of a layer and head, and names for its queries and keys.
(function(Study) {
"use strict";

const attention = (Study.attention = {});

/** {batches, heads, rows, columns} of the weights: queries are rows, keys are columns. */
attention.sizes = function(of, data = Study.data) {
  const { shape } = data.tensors[of.weights];
  return {
    batches: Study.count(shape.slice(0, -3)),
    heads: shape.at(-3) ?? 1,
    rows: shape.at(-2),
    columns: shape.at(-1)
  };
};

/** The weight, or its gradient, of query q and key k; undefined if it did not travel. */
attention.at = function(of, tensor, { batch = 0, head }, q, k, data = Study.data) {
  const { heads, rows, columns } = attention.sizes(of, data);
  return Study.at(tensor, ((batch * heads + head) * rows + q) * columns + k, data);
};

/** All of a head, row after row. */
attention.values = function(of, tensor, where, data = Study.data) {
  const { rows, columns } = attention.sizes(of, data);
  return Array.from(
      { length: rows * columns },
      (_, i) => attention.at(of, tensor, where, Math.floor(i / columns), i % columns, data));
};

/** A row: how much query q looks at every key, in one head or (head is null) on average. */
attention.row = function(of, tensor, { batch, head }, q) {
  const { heads, columns } = attention.sizes(of);
  const all = head === null ? Array.from({ length: heads }, (_, i) => i) : [head];
  return Array.from({ length: columns }, (_, k) => {
    const values = all.map((each) => attention.at(of, tensor, { batch, head: each }, q, k));
    return values.includes(undefined) ? undefined : values.reduce((sum, x) => sum + x, 0) / all.length;
  });
};

/** What a head is called: "h.0 › attn, head 2". */
attention.layerName = (of) => Study.steps_of_path(of.path).slice(-2).join(" › ") || "attention";
attention.headName = (of, head) =>
    `${attention.layerName(of)}, ${head === null ? "mean of its heads" : `head ${head}`}`;

/** Whether two heads connect the same positions, so that they can be compared. */
attention.alike = function(a, b) {
  const x = attention.sizes(a), y = attention.sizes(b);
  return a.kind === b.kind && x.rows === y.rows && x.columns === y.columns;
};

// --------------------------------------------------------------------------------- names

/** White space is written so that it can be seen: at the ends, where nothing else shows it. */
Study.visible = (text) => text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replace(
    /^ +| +$/g, (spaces) => "␣".repeat(spaces.length));
/** At most `most` characters. */
Study.cut = (text, most) =>
    (Array.from(text).length > most ? `${Array.from(text).slice(0, most - 1).join("")}…` : text);

/** The set of names that alone has this length: for positions that the recording did not name. */
function onlyFitting(n, data) {
  const fitting = Object.keys(data.labels ?? {}).filter((set) => data.labels[set].length === n);
  return fitting.length === 1 && !["next", "classes"].includes(fitting[0]) ? fitting[0] : undefined;
}

/** The names of n positions: {short, long, patch}. A patch has its number in the picture; a class
    token stands before the patches, and has none. */
attention.names = function(set, n, data = Study.data) {
  const names = data.labels?.[set || onlyFitting(n, data)], picture = data.pictures?.[set];
  return Array.from({ length: n }, (_, i) => {
    const name = names?.[i];
    if (picture) {
      const patch = i - (n - picture.rows * picture.columns);
      if (patch < 0) return { short: name ?? "class", long: `the ${name ?? "class"} token` };
      const place = name ?? `${Math.floor(patch / picture.columns) + 1}, ${patch % picture.columns + 1}`;
      return { short: place, long: `patch ${place}`, patch };
    }
    if (name === undefined) return { short: String(i), long: `position ${i}` };
    return { short: Study.visible(name), long: `“${Study.visible(name)}”` };
  });
};

// --------------------------------------------------------------------------------- colours

/** What a value is said to be in words. */
attention.said = (value) => (value === undefined ? "not on this page" : Study.exact(value));
/** Black or white, whichever can be read on the colour of a value. */
attention.ink = function(value, scale) {
  const [r, g, b] = Study.cellColour(value, scale);
  return r * 0.3 + g * 0.59 + b * 0.11 > 135 ? "#111" : "#fff";
};
})((globalThis.Study ??= {}));
