// The graph on the left: draws what graph_layout.js placed, only the part that is in sight.
(function(Study) {
"use strict";

const { h, svg } = Study;
const options = {
  views: false,
  leaves: false
};
const open = new Set(), opened = new Set();  // by the reader; by the walk, until it leaves
let root, homes, picture, scroller, canvas, zoom = 1, drawn = "", cursor = "";
Study.graph = { options };

function context() {
  const sources = new Map(), users = new Map(), { nodes } = Study.data;
  const known = new Set(root.ids);
  for (const id of root.ids) {
    const from = new Set(nodes[id]
                             .inputs.map((input) => Study.unfolded(input, options))
                             .filter((s) => s >= 0 && known.has(s)));
    sources.set(id, [...from]);
    for (const s of from) {
      if (!users.has(s)) users.set(s, []);
      users.get(s).push(id);
    }
  }
  return {
    isOpen: (item) => Boolean(item.children) && (item === root || open.has(item.key) || opened.has(item.key)),
    sources: (id) => sources.get(id) ?? [],
    usersOf: (id) => users.get(id) ?? []
  };
}

function rebuild() {
  root = Study.tree(options);
  homes = Study.homes(root);
  Study.graph.root = root;
  Study.graph.context = context();
}
function place() {
  picture = Study.layout(root, Study.graph.context);
  drawn = "";
  resize();
  draw();
}
function resize() {
  const fit = Math.min(1, (scroller.clientWidth - 18) / Math.max(1, picture.width));
  zoom = Math.max(0.62, fit);
  canvas.style.width = `${Math.ceil(Math.max(picture.width * zoom + 16, scroller.clientWidth - 2))}px`;
  canvas.style.height = `${Math.ceil(picture.height * zoom + 16)}px`;
}

// --------------------------------------------------------------------------------- drawing

function curve(points) {
  let path = `M${points[0][0]} ${points[0][1]}`;
  for (let i = 1; i < points.length; ++i) {
    const [x0, y0] = points[i - 1], [x1, y1] = points[i], mid = (y0 + y1) / 2;
    path += x0 === x1 ? `L${x1} ${y1}` : `C${x0} ${mid} ${x1} ${mid} ${x1} ${y1}`;
  }
  return path;
}

function edgeClass(edge, marks) {
  const touches = (item) => item && item.ids.includes(marks.shown);
  const near =
      (edge.from && edge.source === marks.shown) || (edge.to && edge.to.ids.length < 2 && touches(edge.to));
  return `edge${near ? (marks.phase === "backward" ? " sends" : " takes") : ""}`;
}

/** Cuts a name to a width. */
function cut(text, room) {
  if (Study.textWidth(text, true) <= room) return text;
  let length = text.length - 1;
  while (length > 1 && Study.textWidth(`${text.slice(0, length)}…`, true) > room) length -= 1;
  return `${text.slice(0, length)}…`;
}

function drawBox(box, marks) {
  const { item } = box, { name, more } = Study.labelOf(item), head = box.isOpen ? 24 : box.h;
  const holds = item.ids.includes(marks.shown),
        isNow = holds && (!box.isOpen || (item.kind === "fused" && item.id === marks.shown));
  const done = item.ids.filter((id) => marks.done.has(id)).length;
  const state = [
    box.isOpen ? "open" : item.kind, isNow ? "current" : "", done === 0 ? "" : "done",
    item.ids.some((id) => marks.trail.has(id)) && !box.isOpen ? "trail" : "",
    item.ids.some((id) => Study.node(id).bad) ? "bad" : "", item.kind === "fused" ? "fused" : "", marks.phase
  ].filter(Boolean).join(" ");
  const arrow = item.children ? (box.isOpen ? "▾" : "▸") : "";
  const room = box.w - 20 - (arrow ? 14 : 0), moreWidth = Study.textWidth(more, false) + 8;
  const made =
      svg("g", {
        class: `box ${state}`,
        transform: `translate(${box.x} ${box.y})`,
        role: "treeitem",
        tabindex: item.key === cursor ? "0" : "-1",
        "data-node": item.id,
        "data-key": item.key,
        "aria-label": `${name}, ${more}`,
        "aria-level": box.depth,
        "aria-expanded": item.children ? String(box.isOpen) : null,
        "aria-current": isNow ? "step" : null
      },
          svg("title", null, tooltip(item)),
          svg("rect", { width: box.w, height: box.h, rx: item.kind === "leaf" ? 14 : 5 }),
          done && !box.isOpen ?
              svg("rect", { class: "progress", width: 4, height: box.h * (done / item.ids.length), rx: 2 }) :
              null,
          arrow ? svg("text", { class: "arrow", x: 9, y: head / 2 + 4.5 }, arrow) : null,
          svg("text", { class: "name", x: arrow ? 24 : 12, y: head / 2 + 4.5 },
              cut(name, room - (box.isOpen ? 0 : moreWidth))),
          box.isOpen ? null : svg("text", { class: "more", x: box.w - 9, y: head / 2 + 4 }, more));
  made.addEventListener("click", (event) => {
    event.stopPropagation();
    press(item, event.offsetX !== undefined && isOnArrow(event, box));
  });
  // A click leaves the focus where it is, so that the arrow keys go on to step.
  made.addEventListener("mousedown", (event) => event.preventDefault());
  return made;
}
function isOnArrow(event, box) {
  const { left } = canvas.getBoundingClientRect();
  return (event.clientX - left - 8) / zoom - box.x < 26;
}
function tooltip(item) {
  const path = item.id === undefined ? item.key.slice(1).replaceAll("/", ".") : Study.node(item.id).path;
  const { name, more } = Study.labelOf(item);
  return `${name} (${more})${path ? `\n${path}` : ""}${
      item.children ? "\nClick the arrow, or twice, to open or close it." : ""}`;
}

function draw() {
  if (!picture || scroller.clientHeight === 0) return;
  const top = scroller.scrollTop / zoom - 200, bottom = top + scroller.clientHeight / zoom + 400;
  const marks = Study.graph.marks(),
        key = `${Math.floor(top / 100)} ${scroller.clientHeight} ${marks.version}`;
  if (key === drawn) return;
  drawn = key;
  const inSight = (from, to) => to >= top && from <= bottom;
  const hadFocus = canvas.contains(document.activeElement);
  if (!picture.boxes.some(({ item }) => item.key === cursor)) cursor = picture.boxes[0]?.item.key ?? "";
  const group = svg("g", { transform: `translate(8 8) scale(${zoom})` });
  const boxes = picture.boxes.filter((box) => inSight(box.y, box.y + box.h));
  group.append(...boxes.filter((box) => box.isOpen).map((box) => drawBox(box, marks)));
  group.append(...picture.edges.filter((edge) => inSight(edge.top, edge.bottom))
                   .map((edge) => svg("path", { d: curve(edge.points), class: edgeClass(edge, marks) })));
  group.append(...boxes.filter((box) => !box.isOpen).map((box) => drawBox(box, marks)));
  canvas.replaceChildren(group);
  if (hadFocus) focusOn(cursor);
}

// --------------------------------------------------------------------------------- use

let lastPress = { key: "", at: 0 };
function press(item, isArrow) {
  const now = performance.now(), isTwice = lastPress.key === item.key && now - lastPress.at < 400;
  lastPress = { key: item.key, at: now };
  if (item.kind === "module" || (item.children && (isArrow || isTwice))) return toggle(item);
  Study.visit(item.id);
}
function toggle(item) {
  const isOpen = open.has(item.key) || opened.has(item.key);
  open.delete(item.key);
  opened.delete(item.key);
  if (!isOpen) open.add(item.key);
  place();
  if (item.kind === "fused") Study.emit("tree");
}

// --------------------------------------------------------------------------------- keys

function focusOn(key) {
  canvas.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

/** Puts the focus on a box, and the box into sight. */
function moveTo(box) {
  if (!box) return;
  cursor = box.item.key;
  const y = box.y * zoom, { scrollTop, clientHeight } = scroller;
  if (y < scrollTop + 10 || y + 40 > scrollTop + clientHeight) scroller.scrollTop = y - clientHeight / 2;
  drawn = "";
  draw();
  focusOn(cursor);
}

/** As in any tree: up and down along the boxes, right into a box, left out of it. */
function onKey(event) {
  const at = picture.boxes.findIndex(({ item }) => item.key === cursor), box = picture.boxes[at];
  if (!box || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  const { item } = box, outer = picture.boxes.find((other) => other.item === item.parent);
  const run = {
    ArrowDown: () => moveTo(picture.boxes[at + 1]),
    ArrowUp: () => moveTo(picture.boxes[at - 1]),
    ArrowRight: () => (item.children && !box.isOpen ? toggle(item) : moveTo(picture.boxes[at + 1])),
    ArrowLeft: () => (item.children && box.isOpen ? toggle(item) : moveTo(outer)),
    Home: () => moveTo(picture.boxes[0]),
    End: () => moveTo(picture.boxes.at(-1)),
    Enter: () => Study.visit(item.id ?? item.ids[0]),
    " ": () => item.children && toggle(item)
  }[event.key];
  if (!run) return;
  event.preventDefault();
  event.stopPropagation();
  run();
}

const above = (item) => {
  const all = [];
  for (let at = item.parent; at; at = at.parent) all.push(at);
  return all;
};

/** The node that is drawn for `id`: itself, or what a folded view looks at. */
Study.graph.shown = function(id) {
  if (homes.has(id)) return id;
  const seen = Study.unfolded(id, options);
  if (homes.has(seen)) return seen;
  const group = id >= 0 ? Study.node(id).group : -1;
  return group >= 0 ? Study.graph.shown(group) : -1;
};

/** Opens the modules around a node and scrolls to it; closes what an earlier call had opened. */
Study.graph.reveal = function(id) {
  const item = homes.get(Study.graph.shown(id)), needed = new Set();
  if (item)
    for (const box of above(item))
      if (box !== root && !open.has(box.key)) needed.add(box.key);
  const isSame = needed.size === opened.size && [...needed].every((key) => opened.has(key));
  if (!isSame) {
    opened.clear();
    needed.forEach((key) => opened.add(key));
    place();
  }
  const box = item && picture.boxes.find((candidate) => candidate.item === item);
  if (box) {
    const y = box.y * zoom + 8, x = box.x * zoom + 8;
    if (y < scroller.scrollTop + 40 || y + 60 > scroller.scrollTop + scroller.clientHeight)
      scroller.scrollTop = y - scroller.clientHeight / 2;
    if (x < scroller.scrollLeft || x + box.w * zoom > scroller.scrollLeft + scroller.clientWidth)
      scroller.scrollLeft = x + (box.w * zoom - scroller.clientWidth) / 2;
  }
  drawn = "";
  draw();
};
Study.graph.redraw = () => {
  drawn = "";
  draw();
};
Study.graph.isOpen = (key) => open.has(key) || opened.has(key);

/** Every module at most `depth` levels deep is open. */
Study.graph.openTo = function(depth) {
  open.clear();
  opened.clear();
  (function visit(item, level) {
    if (!item.children || level > depth || item.kind === "fused") return;
    open.add(item.key);
    item.children.forEach((child) => visit(child, level + 1));
  })(root, 0);
  place();
};

const toggleOption = (name, text, title) =>
    h("label", { class: "option", title }, h("input", {
        type: "checkbox",
        checked: options[name],
        onchange() {
          options[name] = this.checked;
          rebuild();
          place();
          Study.emit("tree");
        }
      }),
      text);

/** The whole pane. */
Study.graph.pane = function() {
  options.leaves = Study.data.nodes.filter((node) => node.kind === "op").length <= 24;
  rebuild();
  Study.firstOpen(root, 18).forEach((key) => open.add(key));
  canvas = svg("svg", {
    class: "graph",
    role: "tree",
    "aria-label":
        "The tape: every op, in the boxes of its modules. Arrow keys move, Enter shows, Space folds.",
    onkeydown: onKey
  });
  scroller = h("div", { class: "graph-scroll", onscroll: () => draw() }, canvas);
  const depths =
      h("span", { class: "choice" },
        [["1", 1], ["2", 2], ["3", 3], ["all", 99]].map(
            ([text, depth]) =>
                h("button", {
                  type: "button",
                  title: `Open modules to level ${text}`,
                  onclick: () => Study.graph.openTo(depth)
                },
                  text)));
  // In the next frame: drawing changes the size that is observed.
  new ResizeObserver(() => requestAnimationFrame(() => {
                       if (picture && scroller.clientWidth) {
                         resize();
                         drawn = "";
                         draw();
                       }
                     }))
      .observe(scroller);
  return h(
      "section", { class: "pane graph-pane", "aria-label": "Graph" }, Study.searchBox(),
      h("div", { class: "tools" }, h("span", { class: "muted" }, "open"), depths,
        toggleOption("views", "views", "Show reshape, transpose and other ops that move no numbers"),
        toggleOption("leaves", "parameters", "Show parameters as boxes of their own")),
      scroller);
};
Study.graph.begin = place;
})((globalThis.Study ??= {}));
