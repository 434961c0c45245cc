// A layered drawing of the tree: in every open box the children stand in layers, each below what it
// needs. Boxes are laid out from the inside to the outside. An edge that leaves a box does so
// through a port on its rim; an edge that passes a layer takes a narrow place of its own in it.
(function(Study) {
"use strict";

const GAP = {
  x: 14,
  y: 20,
  pad: 10,
  head: 24,
  lane: 8
};
let ruler = null;
const widths = new Map();
/** The width of a text on a box: of its name, or of the small text at its right. */
Study.textWidth = function(text, isName) {
  const key = `${isName ? "n" : "m"}${text}`;
  if (!widths.has(key)) {
    ruler ??= document.createElement("canvas").getContext("2d");
    ruler.font = isName ? "600 12.5px system-ui, sans-serif" : "11px system-ui, sans-serif";
    widths.set(key, ruler.measureText(text).width);
  }
  return widths.get(key);
};

/** What is written on a box: its name, and its shape or size. */
Study.labelOf = function(item) {
  if (item.kind === "module") {
    const ops = item.ids.filter((id) => Study.node(id).kind === "op" && Study.node(id).group < 0).length;
    return { name: item.label, more: ops === 1 ? "1 op" : `${ops} ops` };
  }
  const node = Study.node(item.id), shape = Study.shapeOf(item.id).join("×");
  if (node.kind !== "op") {
    const isInside = item.parent && item.parent.key !== "" && node.path !== "";
    return { name: isInside ? node.name.split(".").at(-1) : node.name, more: shape };
  }
  const part = node.output >= 0 ? ` ${node.output + 1}` : "";
  const isSaid = item.label && item.label.toLowerCase().includes(node.op);
  return {
    name: isSaid   ? item.label :
        item.label ? `${item.label} · ${node.op}${part}` :
                     node.op + part,
    more: shape
  };
};

function sizeOf(item) {
  const { name, more } = Study.labelOf(item);
  const width = Study.textWidth(name, true) + Study.textWidth(more, false) + (item.children ? 50 : 34);
  return { w: Math.max(84, Math.min(280, Math.ceil(width))), h: 28 };
}

// --------------------------------------------------------------------------------- edges

/** Edges among the children of a box: {from, to, source}; from or to is null at the rim. */
function edgesOf(item, context) {
  const owner = new Map(), edges = [], seen = new Set();
  item.children.forEach((child) => child.ids.forEach((id) => owner.set(id, child)));
  const result = item.kind === "fused" ? item.children.at(-1) : null;
  function add(from, to, source) {
    const key = `${from ? from.key : ""}>${to ? to.key : ""}>${source}`;
    if (from === to || seen.has(key)) return;
    seen.add(key);
    edges.push({ from, to, source });
  }
  for (const child of item.children)
    for (const id of child.ids) {
      for (const source of context.sources(id)) add(owner.get(source) ?? null, child, source);
      if (context.usersOf(id).some((user) => !owner.has(user))) add(child, null, id);
    }
  if (result) add(result, null, item.id);
  return edges.filter((edge) => edge.from || item.parent);
}

// --------------------------------------------------------------------------------- layers

function layersOf(item, edges) {
  const place = new Map(
      item.children.map((child) => [child, { item: child, layer: 0, size: child.size, up: [], down: [] }]));
  const into = new Map();
  edges.forEach((edge) => {
    if (edge.from && edge.to) into.set(edge.to, [...(into.get(edge.to) ?? []), edge.from]);
  });
  for (const child of item.children)
    for (const from of into.get(child) ?? [])
      place.get(child).layer = Math.max(place.get(child).layer, place.get(from).layer + 1);
  // A leaf stands right above the first that uses it.
  for (const child of item.children) {
    if (child.kind !== "leaf") continue;
    const uses =
        edges.filter((edge) => edge.from === child && edge.to).map((edge) => place.get(edge.to).layer);
    if (uses.length) place.get(child).layer = Math.max(0, Math.min(...uses) - 1);
  }
  const last = Math.max(0, ...[...place.values()].map((p) => p.layer));
  const layers = Array.from({ length: last + 1 }, () => []);
  item.children.forEach((child) => layers[place.get(child).layer].push(place.get(child)));
  for (const edge of edges) route(edge, place, layers, last);
  return { layers, place };
}

/** The places that an edge passes: its ends and one lane in every layer between them. */
function route(edge, place, layers, last) {
  const start = edge.from ? place.get(edge.from) : null, end = edge.to ? place.get(edge.to) : null;
  edge.lanes = [];
  let before = start;
  for (let layer = start ? start.layer + 1 : 0; layer < (end ? end.layer : last + 1); ++layer) {
    const lane = { lane: true, layer, size: { w: GAP.lane, h: 0 }, up: [], down: [] };
    link(before, lane);
    layers[layer].push(lane);
    edge.lanes.push(lane);
    before = lane;
  }
  link(before, end);
}
function link(above, below) {
  if (!above || !below) return;
  above.down.push(below);
  below.up.push(above);
}

const mean = (list) => list.reduce((sum, p) => sum + p.x, 0) / list.length;

/** Puts a layer at the wished places, in order, without overlaps. */
function settle(layer, wish) {
  const want = layer.map((p) => wish(p) ?? p.x);
  let edge = -Infinity, error = 0;
  layer.forEach((p, i) => {
    p.x = Math.max(want[i], edge + p.size.w / 2);
    edge = p.x + p.size.w / 2 + GAP.x;
    error += p.x - want[i];
  });
  const shift = layer.length ? error / layer.length : 0;
  layer.forEach((p) => {
    p.x -= shift;
  });
}

function arrange(layers) {
  for (const layer of layers) {
    let x = 0;
    for (const p of layer) {
      p.x = x + p.size.w / 2;
      x += p.size.w + GAP.x;
    }
    layer.forEach((p) => {
      p.x -= x / 2;
    });
  }
  const rounds = layers.length > 400 ? 2 : 4;
  for (let round = 0; round < rounds; ++round) {
    const isDown = round % 2 === 0, near = isDown ? "up" : "down";
    for (const layer of isDown ? layers : [...layers].reverse()) {
      const wish = (p) => (p[near].length ? mean(p[near]) : undefined);
      if (round < 2)
        layer.sort((a, b) => (wish(a) ?? a.x) - (wish(b) ?? b.x) || (a.lane ? 1 : 0) - (b.lane ? 1 : 0));
      settle(layer, wish);
    }
  }
  for (const layer of layers)
    settle(layer, (p) => (p.up.length + p.down.length ? mean([...p.up, ...p.down]) : undefined));
}

// --------------------------------------------------------------------------------- boxes

function stack(layers, top) {
  let y = top;
  for (const layer of layers) {
    const height = Math.max(8, ...layer.map((p) => p.size.h));
    layer.forEach((p) => {
      p.y = y + (height - p.size.h) / 2;
      p.bottom = y + height;
      p.top = y;
    });
    y += height + GAP.y;
  }
  return y - GAP.y;
}

function layOut(item, context) {
  if (!context.isOpen(item)) {
    item.size = sizeOf(item);
    item.inner = null;
    return;
  }
  item.children.forEach((child) => layOut(child, context));
  const edges = edgesOf(item, context), { layers, place } = layersOf(item, edges);
  arrange(layers);
  const all = layers.flat(), left = Math.min(...all.map((p) => p.x - p.size.w / 2)),
        right = Math.max(...all.map((p) => p.x + p.size.w / 2));
  const name = item.parent ? sizeOf(item).w : 0, width = Math.max(right - left + 2 * GAP.pad, name);
  const shift = width / 2 - (left + right) / 2;
  all.forEach((p) => {
    p.x += shift;
  });
  const bottom = stack(layers, item.parent ? GAP.head + GAP.pad : GAP.pad);
  item.size = { w: width, h: bottom + GAP.pad };
  item.inner = { edges, place };
  item.ports = { in : new Map(), out: new Map() };
  for (const edge of edges) {
    if (!edge.from)
      item.ports.in.set(edge.source, edge.lanes[0]?.x ?? portOf(edge.to, place, "in", edge.source));
    if (!edge.to)
      item.ports.out.set(edge.source, edge.lanes.at(-1)?.x ?? portOf(edge.from, place, "out", edge.source));
  }
}

/** Where an edge meets a child: at its port, or in its middle. */
function portOf(child, place, side, source) {
  const p = place.get(child), inside = child.inner ? child.ports[side].get(source) : undefined;
  return p.x - p.size.w / 2 + (inside ?? p.size.w / 2);
}

/** All boxes and edges at their places on the page. */
function collect(item, x, y, depth, out) {
  out.boxes.push({ item, x, y, w: item.size.w, h: item.size.h, depth, isOpen: item.inner !== null });
  if (!item.inner) return;
  const { edges, place } = item.inner;
  for (const edge of edges) {
    const points = [];
    if (!edge.from)
      points.push([edge.lanes[0]?.x ?? portOf(edge.to, place, "in", edge.source), 0]);
    else {
      const p = place.get(edge.from);
      points.push([portOf(edge.from, place, "out", edge.source), p.y + p.size.h]);
    }
    edge.lanes.forEach((lane) => points.push([lane.x, lane.top], [lane.x, lane.bottom]));
    if (!edge.to)
      points.push([edge.lanes.at(-1)?.x ?? points.at(-1)[0], item.size.h]);
    else
      points.push([portOf(edge.to, place, "in", edge.source), place.get(edge.to).y]);
    const placed = points.map(([px, py]) => [px + x, py + y]);
    out.edges.push({
      points: placed,
      source: edge.source,
      from: edge.from,
      to: edge.to,
      ends: edge.to !== null && !edge.to.inner,
      top: placed[0][1],
      bottom: placed.at(-1)[1]
    });
  }
  for (const child of item.children) {
    const p = place.get(child);
    collect(child, x + p.x - p.size.w / 2, y + p.y, depth + 1, out);
  }
}

/** {boxes, edges, width, height} of the tree, as far as it is open. */
Study.layout = function(root, context) {
  if (root.children.length === 0) return { boxes: [], edges: [], width: 0, height: 0 };
  layOut(root, context);
  const out = { boxes: [], edges: [], width: root.size.w, height: root.size.h };
  collect(root, 0, 0, 0, out);
  out.boxes.shift();  // the page itself
  return out;
};
})((globalThis.Study ??= {}));
