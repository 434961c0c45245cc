// What the dimensions of a tensor stand for. Names of tokens, patches and classes come in with the
// inputs, and are carried along the tape: an axis of y that reads one axis of x, element by element,
// has its names. So two axes that happen to have the same length are not mistaken for each other.
(function(Study) {
"use strict";

const KEEP = new Set(["softmax", "log_softmax", "layer_norm", "rms_norm", "cumsum", "module_output"]);
let known = null;

const labelled = (set) => Study.data.labels?.[set];
/** Where the patches of a picture begin: after the class token, if there is one. */
function namesOf(set, size) {
  const names = labelled(set), picture = Study.data.pictures?.[set];
  if (names?.length === size) return names.map(Study.visible);
  const patches = picture ? picture.rows * picture.columns : -1;
  return names && patches === size ? names.slice(-size) : null;
}

function ofInput(node, shape) {
  const axes = shape.map(() => null);
  const set = labelled(node.name) ?
      node.name :
      ["tokens", "source"].find((name) => labelled(name)?.length === shape.at(-1));
  if (set && labelled(set).length === shape.at(-1)) axes[shape.length - 1] = set;
  return axes;
}

/** The axis of input k that axis d of y runs along; −1 if there is none. */
function runsAlong(op, reads, k, d) {
  const { shapes } = Study, step = Study.count(op.y.slice(d + 1)), size = op.y[d];
  const [first, next, last] = [0, step, (size - 1) * step].map((i) => reads(op, k, i)[0]);
  if (first === undefined || next === undefined || last === undefined || op.x[k].length === 0) return -1;
  const [from, one, end] = [first, next, last].map((j) => shapes.index(j, op.x[k]));
  const moved = one.flatMap((at, axis) => (at === from[axis] ? [] : [axis]));
  const isRun = moved.length === 1 && one[moved[0]] - from[moved[0]] === 1 &&
      end[moved[0]] - from[moved[0]] === size - 1 &&
      end.every((at, axis) => axis === moved[0] || at === from[axis]);
  return isRun ? moved[0] : -1;
}

/** Two axes that become the one along which patches are counted. */
function asPatches(op) {
  const [set, picture] = Object.entries(Study.data.pictures ?? {})[0] ?? [];
  if (!picture || op.node.op !== "reshape") return [];
  const { rows, columns } = picture, x = op.x[0];
  const at = x.findIndex((size, d) => size === rows && x[d + 1] === columns);
  const before = at < 0 ? 0 : Study.count(x.slice(0, at));
  const d = at < 0 ?
      -1 :
      op.y.findIndex((size, e) => size === rows * columns && Study.count(op.y.slice(0, e)) === before);
  return d < 0 ? [] : [[d, set]];
}

/** A row of a table has the names of the index that looked it up. */
function ofIndex(node, shape) {
  const input =
      Study.data.nodes.findIndex((other) => other.kind === "input" && node.saved.includes(other.value));
  if (input < 0) return [];
  const given = Study.shapeOf(input);
  return given.every((size, d) => size === shape[d]) ? (known.get(input) ?? []).map((set, d) => [d, set]) :
                                                       [];
}

function ofOp(id) {
  const op = Study.op(id), { node, y } = op, axes = y.map(() => null), reads = Study.rules[node.op]?.reads;
  const set = (d, name) => {
    axes[d] ??= name;
  };
  if (node.op === "embedding") ofIndex(node, y).forEach(([d, name]) => set(d, name));
  asPatches(op).forEach(([d, name]) => set(d, name));
  node.inputs.forEach((input, k) => {
    const from = input < 0 ? null : known.get(input);
    if (!from || from.every((name) => name === null)) return;
    if (KEEP.has(node.op) && Study.shapes.same(op.x[k], y)) return from.forEach((name, d) => set(d, name));
    // A row of the result of attention is what one query found.
    if (node.op.endsWith("attention") && k === 0) from.slice(0, -1).forEach((name, d) => set(d, name));
    if (!reads) return;
    y.forEach((size, d) => {
      if (size < 2 || axes[d]) return;
      if (node.op === "cat") {
        if (from[d] && labelled(from[d])?.length === size) set(d, from[d]);
        return;
      }
      const axis = runsAlong(op, reads.bind(Study.rules[node.op]), k, d);
      if (axis >= 0 && from[axis]) set(d, from[axis]);
    });
  });
  return axes;
}

/** The classes are the last axis of what a loss that chooses reads. */
function markClasses(axes) {
  const { nodes } = Study.data, size = labelled("classes")?.length;
  for (const node of nodes) {
    if (!["cross_entropy", "ctc_loss"].includes(node.op) || !size) continue;
    for (let id = node.inputs[0]; id >= 0 && nodes[id].kind === "op";
         id = Study.isView(nodes[id]) ? nodes[id].inputs[0] : -1)
      if (Study.shapeOf(id).length > 1 && Study.shapeOf(id).at(-1) === size)
        axes.get(id)[Study.shapeOf(id).length - 1] = "classes";
  }
}

function markAttention(axes) {
  for (const of of Study.data.attention ?? []) {
    const found = axes.get(of.node), n = found?.length ?? 0;
    if (n < 2) continue;
    if (of.queries) found[n - 2] = of.queries;
    if (of.keys) found[n - 1] = of.keys;
  }
}

function all() {
  if (known?.data === Study.data) return known;
  known = Object.assign(new Map(), { data: Study.data });
  if (Object.keys(Study.data.labels ?? {}).length === 0) return known;
  Study.data.nodes.forEach((node, id) => {
    if (node.kind === "input") known.set(id, ofInput(node, Study.shapeOf(id)));
    if (node.kind === "op") known.set(id, ofOp(id));
  });
  markClasses(known);
  markAttention(known);
  return known;
}

/** Names for the rows of a table that tokens look up: row 85 is “t”. Others have none. */
function ofTable(id) {
  const names = [], shape = Study.shapeOf(id);
  for (const user of Study.users()[id]) {
    const { op, saved } = Study.node(user.id), axes = op === "embedding" ? Study.axesOf(user.id) : null;
    const tokens = axes?.at(-2),
          rows = tokens &&
        saved.find((tensor) => Study.count(Study.data.tensors[tensor]?.shape ?? []) === tokens.length);
    if (!tokens || rows === undefined) continue;  // positions may have no names
    tokens.forEach((token, i) => {
      names[Study.at(rows, i)] = `${Study.at(rows, i)} ${token}`;
    });
  }
  return names.length ? [...shape.slice(2).map(() => null), names, null] : null;
}
/** "row 85 of transformer.wte.weight, of the token “t”", for an element of a parameter. */
Study.rowName = function(id, flat) {
  const [row] = Study.shapes.index(flat, Study.shapeOf(id)), name = ofTable(id)?.at(-2)?.[row];
  const token = name?.slice(String(row).length + 1);
  return token === undefined ? "" : `in row ${row} of ${Study.nameOf(id)}, the row of the token “${token}”`;
};

/** For each dimension of a node its names, or null where they are not known. */
Study.axesOf = function(id) {
  if (Study.node(id).kind === "parameter") return ofTable(id);
  const axes = all().get(id);
  return axes ? Study.shapeOf(id).map((size, d) => (axes[d] ? namesOf(axes[d], size) : null)) : null;
};

/** What the dimensions of a node are called, as far as that is known: ["item", "head"]. */
Study.dimensionsOf = function(id) {
  const shape = Study.shapeOf(id), { kind, path } = Study.node(id);
  if (kind === "parameter" || shape.length < 3) return [];
  const isHeads = shape.length === 4 &&
      (Study.data.attention ??
       []).some((of) => of.path === path && Study.attention.sizes(of).heads === shape[1]);
  return shape.length === 3 ? ["item"] : isHeads ? ["item", "head"] : [];
};
})((globalThis.Study ??= {}));
