// What corresponds in two recordings, and how far it is apart.
(function(Study) {
"use strict";

/** Pairs of nodes that correspond: the same kind, name and path, in the same order. Gives {both,
    onlyA, onlyB} as ids. */
Study.pairs = function(a, b) {
  const keyed = (data) => {
    const seen = new Map(), keys = new Map();
    data.nodes.forEach((node, id) => {
      if (node.kind === "constant" || node.group >= 0) return;
      const base = `${node.kind} ${node.op ?? node.name} ${node.path}`, n = seen.get(base) ?? 0;
      seen.set(base, n + 1);
      keys.set(`${base} ${n}`, id);
    });
    return keys;
  };
  const first = keyed(a), second = keyed(b), both = [], onlyA = [], onlyB = [];
  first.forEach((id, key) => (second.has(key) ? both.push([id, second.get(key)]) : onlyA.push(id)));
  second.forEach((id, key) => {
    if (!first.has(key)) onlyB.push(id);
  });
  return { both, onlyA, onlyB };
};

/** How far two tensors are apart, relative to the first: from what travelled of both. */
Study.apart = function(a, b, tensors) {
  if (tensors[0] < 0 || tensors[1] < 0) return undefined;
  const x = Study.values(tensors[0], a), y = Study.values(tensors[1], b);
  if (x.length !== y.length) return undefined;
  let difference = 0, size = 0;
  for (let i = 0; i < x.length; ++i) {
    difference += (x[i] - y[i]) ** 2;
    size += x[i] ** 2;
  }
  return size === 0 ? (difference === 0 ? 0 : Infinity) : Math.sqrt(difference / size);
};

/** What of a title is not in the other: "norm=rms". */
Study.ownWords = function(title, other) {
  const there = other.split(/[\s,]+/);
  return title.split(/[\s,]+/).filter((word) => !there.includes(word)).join(", ");
};

/** The norms of all parameters below each module, at most `depth` levels deep: module → {weights,
    gradients}. */
Study.moduleNorms = function(data, depth) {
  const found = new Map();
  for (const { node, norm, grad_norm: gradient } of data.parameters ?? []) {
    const steps = Study.steps_of_path(data.nodes[node].path || data.nodes[node].name);
    const name = steps.slice(0, depth).join(".") || "outside of modules";
    const sum = found.get(name) ?? { weights: 0, gradients: 0 };
    sum.weights += (norm ?? NaN) ** 2;
    sum.gradients += (gradient ?? NaN) ** 2;
    found.set(name, sum);
  }
  for (const sum of found.values()) {
    sum.weights = Math.sqrt(sum.weights);
    sum.gradients = Math.sqrt(sum.gradients);
  }
  return found;
};

/** Attention of both that corresponds: [[index in a, index in b], …]. */
Study.attentionPairs = function(a, b) {
  return (a.attention ?? []).flatMap((of, i) => {
    const j = (b.attention ?? []).findIndex((other) => other.path === of.path && other.kind === of.kind);
    return j < 0 ? [] : [[i, j]];
  });
};
})((globalThis.Study ??= {}));
