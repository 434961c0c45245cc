// The data of the page: what the program recorded, and the numbers of every tensor.
(function(Study) {
"use strict";

let blob = new Float32Array(0);

function decoded(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const characters = atob(text), bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; ++i) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

/** Reads the two data elements of the page. */
Study.load = function() {
  Study.data = JSON.parse(document.getElementById("study-data").textContent);
  const bytes = decoded(document.getElementById("study-numbers").textContent.trim());
  blob = new Float32Array(bytes.buffer, 0, Math.floor(bytes.byteLength / 4));
};

/** What travelled of a tensor: all of it, or its sampled rows, one after the other. */
Study.values = function(tensor, data = Study.data) {
  const { at, count } = data.tensors[tensor];
  return blob.subarray(at, at + count);
};

Study.count = (shape) => shape.reduce((n, size) => n * size, 1);
Study.widthOf = (shape) => (shape.length === 0 ? 1 : shape.at(-1));

const places = new WeakMap();
/** Where a row of a sampled tensor is stored: row → number among the stored ones. */
function placesOf(tensor) {
  if (!places.has(tensor)) places.set(tensor, new Map(tensor.rows.map((row, at) => [row, at])));
  return places.get(tensor);
}

/** One element; undefined if its row did not travel. */
Study.at = function(index, flat, data = Study.data) {
  const tensor = data.tensors[index];
  if (!tensor || flat < 0) return undefined;
  if (!tensor.rows) return flat < tensor.count ? blob[tensor.at + flat] : undefined;
  const width = Study.widthOf(tensor.shape), place = placesOf(tensor).get(Math.floor(flat / width));
  return place === undefined ? undefined : blob[tensor.at + place * width + (flat % width)];
};

// --------------------------------------------------------------------------------- nodes

Study.node = (id) => Study.data.nodes[id];
Study.shapeOf = (id) => Study.data.tensors[Study.data.nodes[id].value].shape;
Study.nameOf = (id, data = Study.data) =>
    (data.nodes[id].kind === "op" ? data.nodes[id].op : data.nodes[id].name || data.nodes[id].kind);

/** Ops that hand on all numbers as they are, but whose result has memory of its own. */
const COPIES = new Set(["reshape", "contiguous", "clone", "module_output"]);
/** A view only looks at the numbers of its input in another way: the recording says so, as the
    result shares the memory of the input. Copies that change nothing else are folded like views. */
Study.isView = (node) =>
    node.kind === "op" && (COPIES.has(node.op) || (node.view !== undefined && !isInPlace(node)));
/** An op that wrote its result over its input shares memory as well, and lies just like it. */
function isInPlace({ view, inputs, value }) {
  const { tensors, nodes } = Study.data, from = inputs[0] >= 0 ? tensors[nodes[inputs[0]].value].shape : [];
  return view.offset === 0 && Study.shapes.same(view.strides, view.base) &&
      Study.shapes.same(from, tensors[value].shape);
}

const users = new WeakMap();
/** Who uses each node: lists of {id, k}. */
Study.users = function(data = Study.data) {
  if (!users.has(data)) {
    const of = data.nodes.map(() => []);
    data.nodes.forEach((node, id) => node.inputs.forEach((input, k) => {
      if (input >= 0) of[input].push({ id, k });
    }));
    users.set(data, of);
  }
  return users.get(data);
};

/** The tensor with the gradient that op `id` sent to its input k, or −1. */
Study.edge = function(id, k) {
  const node = Study.data.nodes[id], own = node.edges[k] ?? -1;
  return own >= 0 || node.inputs[k] < 0 ? own : Study.data.nodes[node.inputs[k]].grad ?? -1;
};

/** [3, 17] of an element, as text. */
Study.place = function(flat, shape) {
  const index = Study.shapes.index(flat, shape);
  return index.length ? `[${index.join(", ")}]` : "";
};
})((globalThis.Study ??= {}));
