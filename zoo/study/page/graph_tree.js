// The tape as a tree of modules. A module is a run of ops that stand together in order of recording,
// so a module that was called twice stands there twice, and no two boxes need each other.
(function(Study) {
"use strict";

/** "transformer.h.0.attn" as ["transformer", "h.0", "attn"]: a number belongs to the list's name. */
Study.steps_of_path = function(path) {
  const parts = [];
  for (const part of path === "" ? [] : path.split("."))
    if (/^\d+$/.test(part) && parts.length)
      parts[parts.length - 1] += `.${part}`;
    else
      parts.push(part);
  return parts;
};

/** The node that stands for `id` when views are folded: the first of its inputs that is shown. */
Study.unfolded = function(id, options) {
  while (id >= 0 && !options.views && Study.isView(Study.node(id)) && id !== Study.data.loss &&
         Study.node(id).inputs[0] >= 0)
    id = Study.node(id).inputs[0];
  return id;
};

const isLeafShown = (node, options) => node.kind === "input" || (options.leaves && node.kind === "parameter");

/** Ids in the order in which they are drawn: a leaf right before the op that uses it first. */
function order(options) {
  const ids = [], seen = new Set(), { nodes, loss } = Study.data;
  nodes.forEach((node, id) => {
    if (node.kind !== "op" || node.group >= 0) return;
    if (!options.views && Study.isView(node) && id !== loss) return;
    for (const input of node.inputs) {
      const leaf = Study.unfolded(input, options);
      if (leaf < 0 || seen.has(leaf) || nodes[leaf].kind === "op" || !isLeafShown(nodes[leaf], options))
        continue;
      seen.add(leaf);
      ids.push({ id: leaf, path: node.path });
    }
    ids.push({ id, path: node.path });
  });
  return ids;
}

const members = new WeakMap();
/** The ops inside of each fused one. */
function membersOf(data) {
  if (!members.has(data)) {
    const of = new Map();
    data.nodes.forEach(({ kind, group }, id) => {
      if (kind !== "op" || group < 0) return;
      if (!of.has(group)) of.set(group, []);
      of.get(group).push(id);
    });
    members.set(data, of);
  }
  return members.get(data);
}

function inside(id, key, options) {
  const children = (membersOf(Study.data).get(id) ?? [])
                       .filter((at) => options.views || !Study.isView(Study.node(at)))
                       .map((at) => ({ kind: "op", key: `n${at}`, id: at, ids: [at], parent: null }));
  return children.length ? { kind: "fused", key, id, ids: [id, ...children.map((c) => c.id)], children } :
                           null;
}

function leafOrOp(id, options) {
  const node = Study.node(id);
  if (node.kind !== "op") return { kind: "leaf", key: `n${id}`, id, ids: [id] };
  return inside(id, `f${id}`, options) ?? { kind: "op", key: `n${id}`, id, ids: [id] };
}

/** A module with a single op is drawn as that op, under the module's name. */
function simplified(item) {
  if (item.kind !== "module") return item;
  item.children = item.children.map(simplified);
  const only = item.children[0];
  if (item.children.length > 1 || item.key === "") return item;
  return {
    ...only,
    label: only.kind === "module" ? `${item.label}.${only.label}` :
        only.label ? `${item.label}.${only.label}` :
                     item.label
  };
}

function join(item, parent) {
  item.parent = parent;
  if (item.children) item.children.forEach((child) => join(child, item));
  if (item.kind === "module") item.ids = item.children.flatMap((child) => child.ids);
  return item;
}

/** The tree: modules {kind, key, label, children, ids}, ops and leaves {kind, key, id}. */
Study.tree = function(options) {
  const root = { kind: "module", key: "", label: "", children: [] }, visits = new Map();
  let open = [{ name: "", item: root }];
  for (const { id, path } of order(options)) {
    const parts = Study.steps_of_path(path);
    let same = 0;
    while (same < parts.length && same + 1 < open.length && open[same + 1].name === parts[same]) same += 1;
    open = open.slice(0, same + 1);
    for (const name of parts.slice(same)) {
      const above = open.at(-1).item, full = `${above.key}/${name}`, visit = (visits.get(full) ?? 0) + 1;
      visits.set(full, visit);
      const item = {
        kind: "module",
        key: visit === 1 ? full : `${full}#${visit}`,
        label: visit === 1 ? name : `${name} (${visit})`,
        children: []
      };
      above.children.push(item);
      open.push({ name, item });
    }
    open.at(-1).item.children.push(leafOrOp(id, options));
  }
  return join(simplified(root), null);
};

/** Which item of the tree each node is drawn in, innermost. */
Study.homes = function(root) {
  const homes = new Map();
  (function visit(item) {
    if (item.id !== undefined) homes.set(item.id, item);
    (item.children ?? []).forEach(visit);
  })(root);
  return homes;
};

/** Modules to open at first: level by level, as long as `most` boxes remain. */
Study.firstOpen = function(root, most) {
  const open = new Set([root.key]);
  let level = root.children, boxes = level.length;
  for (;;) {
    const modules = level.filter((item) => item.kind === "module");
    const next = modules.flatMap((item) => item.children);
    if (modules.length === 0 || boxes + next.length - modules.length > most) return open;
    modules.forEach((item) => open.add(item.key));
    boxes += next.length - modules.length;
    level = next;
  }
};
})((globalThis.Study ??= {}));
