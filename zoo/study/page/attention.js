// Attention: the weights of every layer and head, their gradient next to them, and one query followed.
(function(Study) {
"use strict";

const { h, svg, short } = Study;
const state = {
  at: 0,
  head: 0,
  query: 0,
  batch: 0
};

const entry = () => Study.data.attention[state.at];
const shapeOf = (of) => Study.data.tensors[of.weights].shape;
const sizes = (of) => {
  const shape = shapeOf(of);
  return { heads: shape.at(-3) ?? 1, rows: shape.at(-2), columns: shape.at(-1) };
};
const weight = (of, tensor, head, q, k) => {
  const { heads, rows, columns } = sizes(of);
  return Study.at(tensor, ((state.batch * heads + head) * rows + q) * columns + k);
};
const labels = (name, n) => {
  const set = Study.data.labels?.[name];
  return Array.from({ length: n }, (_, i) => (set && set[i] !== undefined ? set[i] : String(i)));
};
const isPicture = (name) => Boolean(Study.data.pictures?.[name]);
/** White space is written so that it can be seen. */
const visible = (text) =>
    (text === " " ? "␣" : text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replaceAll(" ", "␣"));
const cut = (text, most) =>
    (Array.from(text).length > most ? `${Array.from(text).slice(0, most - 1).join("")}…` : text);
/** The colour of a weight; what did not travel is grey, not the colour of a fault. */
const colour = (x, value) =>
    (value === undefined ? "var(--rule)" : `rgb(${Study.colour(x).join(" ")})`);
const said = (value) => (value === undefined ? "not on this page" : Study.exact(value));

function thumbnail(of, head) {
  const { heads, rows, columns } = sizes(of), values = new Float32Array(rows * columns);
  for (let i = 0; i < values.length; ++i)
    values[i] = Study.at(of.weights, (state.batch * heads + head) * rows * columns + i) ?? 0;
  const most = Math.max(1e-9, ...values.filter(Number.isFinite));
  return Study.pixels(values.map((x) => -x), rows, columns, most);
}

function choose(change) {
  Object.assign(state, change);
  page.replaceChildren(...parts());
}

/** All layers and heads as small matrices. */
function overview() {
  return h(
      "div", { class: "heads", role: "group", "aria-label": "Layers and heads" },
      Study.data.attention.map(
          (of, at) => h(
              "div", { class: "heads-row" },
              h("span", { title: of.path }, Study.steps_of_path(of.path).slice(-2).join(" › ") || "attention",
                h("br"), h("small", { class: "muted" }, of.kind)),
              Array.from(
                  { length: sizes(of).heads },
                  (_, head) =>
                      h("button", {
                        type: "button",
                        "aria-pressed": String(at === state.at && head === state.head),
                        title: `${of.path}, head ${head}`,
                        onclick: () => choose({ at, head, query: Math.min(state.query, sizes(of).rows - 1) })
                      },
                        thumbnail(of, head))))));
}

/** A matrix with labels: queries downwards, keys to the right. */
function matrix(tensor, title, note, isSigned) {
  const of = entry(), { rows, columns } = sizes(of), queries = labels(of.queries, rows).map(visible),
        keys = labels(of.keys, columns).map(visible);
  const cell = Math.max(5, Math.min(26, Math.floor(390 / Math.max(columns, rows)))), isSmall = cell < 11;
  const isTurned = keys.some((k) => Array.from(k).length > 2);
  const left = isSmall ? 6 : 12 + 7.3 * Math.min(10, Math.max(...queries.map((q) => Array.from(q).length))),
        top = isSmall ? 6 :
      !isTurned       ? 20 :
                        12 + 7.3 * Math.min(10, Math.max(...keys.map((k) => Array.from(k).length)));
  const all = [];
  for (let i = 0; i < rows * columns; ++i)
    all.push(weight(of, tensor, state.head, Math.floor(i / columns), i % columns));
  const scale = isSigned ? Study.scaleOf(all) : Math.max(1e-9, ...all.filter(Number.isFinite));
  const isSampled = all.includes(undefined);
  const read = h(
      "output", { class: "reading" }, note,
      isSampled ? " This page holds only some of the rows: the others are grey." : null);
  const picture = svg("svg", {
    class: "matrix",
    width: left + columns * cell + 2,
    height: top + rows * cell + 2,
    role: "img",
    "aria-label": title
  });
  all.forEach((value, i) => {
    const q = Math.floor(i / columns), k = i % columns;
    picture.append(svg("rect", {
      x: left + k * cell,
      y: top + q * cell,
      width: cell,
      height: cell,
      fill: colour((isSigned ? value : -value) / scale, value),
      stroke: isSmall ? "none" : "var(--rule)",
      "stroke-width": 0.5,
      onpointerenter: () => {
        read.textContent = `“${queries[q]}” → “${keys[k]}”: ${said(value)}`;
      },
      onclick: () => choose({ query: q })
    }));
  });
  if (!isSmall) {
    queries.forEach(
        (text, q) => picture.append(
            svg("text", {
              x: left - 6,
              y: top + (q + 0.5) * cell + 4,
              "text-anchor": "end",
              "font-weight": q === state.query ? 700 : 400
            },
                svg("title", null, text), cut(text, 10))));
    keys.forEach(
        (text, k) => picture.append(
            svg("text", {
              transform: `translate(${left + (k + 0.5) * cell + (isTurned ? 4 : 0)} ${top - 6})${
                  isTurned ? " rotate(-90)" : ""}`,
              "text-anchor": isTurned ? "start" : "middle"
            },
                svg("title", null, text), cut(text, 10))));
  }
  picture.append(svg("rect", {
    class: "row-mark",
    x: left,
    y: top + state.query * cell,
    width: columns * cell,
    height: cell,
    "pointer-events": "none"
  }));
  return h(
      "figure", { class: "titled", style: `width:${Math.max(260, left + columns * cell + 2)}px` },
      h("figcaption", null, title), picture, read);
}

// --------------------------------------------------------------------------------- one query

function queryPicker(of, queries) {
  return h(
      "label", null, "query ",
      h("select", { "aria-label": "Query", onchange() { choose({ query: Number(this.value) }); } },
        queries.map(
            (text, q) => h("option", { value: q, selected: q === state.query }, `${q}: ${visible(text)}`))));
}

/** All heads of the layer for the chosen query. */
function headTable() {
  const of = entry(), { heads, columns, rows } = sizes(of), keys = labels(of.keys, columns).map(visible),
        queries = labels(of.queries, rows);
  const most = columns > 40 ? 40 : columns;
  const order = columns > most ? Array.from({ length: columns }, (_, k) => k)
                                     .sort(
                                         (a, b) => (weight(of, of.weights, state.head, state.query, b) ?? 0) -
                                             (weight(of, of.weights, state.head, state.query, a) ?? 0))
                                     .slice(0, most)
                                     .sort((a, b) => a - b) :
                                 Array.from({ length: columns }, (_, k) => k);
  const rowOf = (head, tensor, isSigned) => {
    const values = order.map((k) => weight(of, tensor, head, state.query, k)),
          scale = isSigned ? Study.scaleOf(values) : 1;
    return values.map(
        (value, i) =>
            h("td", {
              title: `${keys[order[i]]}: ${said(value)}`,
              style: `background:${colour((isSigned ? value : -value) / scale, value)};color:${
                  ink((isSigned ? value : -value) / scale)}`
            },
              isSigned           ? (value > 0     ? "+" :
                                        value < 0 ? "−" :
                                                    "") :
                  value >= 0.995 ? "1" :
                  value >= 0.005 ? String(Math.round(100 * value)) :
                                   ""));
  };
  const body = Array.from(
      { length: heads },
      (_, head) => h(
          "tr", null,
          h("th", null,
            h("button", { type: "button", class: "link", onclick: () => choose({ head }) }, `head ${head}`)),
          rowOf(head, of.weights, false)));
  const gradient = of.grad >= 0 ?
      h("tr", null, h("th", null, `gradient, head ${state.head}`), rowOf(state.head, of.grad, true)) :
      null;
  return [
    h("h2", null, "Follow one query"),
    h("p", { class: "lead" }, queryPicker(of, queries),
      ` What does “${visible(queries[state.query])}” look at? Percent of its attention in every head of ${
          of.path || "this layer"}. `,
      of.grad >= 0 ?
          "In the last row − says that the loss would fall if the weight were larger, + that it would grow." :
          ""),
    h("div", { style: "overflow-x:auto" },
      h("table", { class: "query-table" },
        h("thead", null,
          h("tr", null, h("th"), order.map((k) => h("th", { title: keys[k] }, cut(keys[k], 6))))),
        h("tbody", null, body, gradient)))
  ];
}
function ink(x) {
  const [r, g, b] = Study.colour(x);
  return r * 0.3 + g * 0.59 + b * 0.11 > 135 ? "#111" : "#fff";
}

// --------------------------------------------------------------------------------- pictures

/** The picture with the attention of the chosen query on its patches. */
function patches(name, tensor, title, isSigned) {
  const picture = Study.data.pictures[name], { width, height, channels, rows, columns } = picture,
        of = entry();
  const image = Object.assign(document.createElement("canvas"), { width, height }),
        context = image.getContext("2d"), pixels = context.createImageData(width, height);
  const values = Study.values(picture.tensor), low = Math.min(...values.subarray(0, 4096)),
        high = Math.max(...values.subarray(0, 4096)), plane = width * height;
  for (let i = 0; i < plane; ++i)
    for (let c = 0; c < 4; ++c)
      pixels.data[i * 4 + c] =
          c === 3 ? 255 : (255 * (values[(channels === 1 ? 0 : c) * plane + i] - low)) / (high - low || 1);
  context.putImageData(pixels, 0, 0);
  const size = 260,
        shown = Object.assign(
            document.createElement("canvas"), { width: size, height: Math.round((size * height) / width) }),
        draw = shown.getContext("2d");
  draw.imageSmoothingEnabled = false;
  draw.drawImage(image, 0, 0, shown.width, shown.height);
  const extra = sizes(of).columns - rows * columns,
        all = Array.from(
            { length: rows * columns }, (_, p) => weight(of, tensor, state.head, state.query, p + extra));
  const scale = isSigned ? Study.scaleOf(all) : Math.max(1e-9, ...all.filter(Number.isFinite)), w = shown.width / columns,
        tall = shown.height / rows;
  all.forEach((value, p) => {
    const x = (p % columns) * w, y = Math.floor(p / columns) * tall,
          share = value === undefined ? 0 : Math.min(1, Math.abs(value) / scale);
    draw.fillStyle =
        isSigned && value < 0 ? `rgba(40,120,230,${0.8 * share})` : `rgba(255,122,0,${0.8 * share})`;
    draw.fillRect(x, y, w, tall);
    if (p === state.query - extra) {
      draw.strokeStyle = "#fff";
      draw.lineWidth = 3;
      draw.strokeRect(x + 1.5, y + 1.5, w - 3, tall - 3);
    }
  });
  const read = h("output", { class: "reading" }, "Click a patch to make it the query.");
  const patchAt = (event) => Math.min(rows - 1, Math.floor(event.offsetY / tall)) * columns +
      Math.min(columns - 1, Math.floor(event.offsetX / w));
  shown.addEventListener("pointermove", (event) => {
    const p = patchAt(event);
    read.textContent = `patch ${p}: ${said(all[p])}`;
  });
  shown.addEventListener("click", (event) => choose({ query: patchAt(event) + extra }));
  return h("figure", { class: "titled" }, h("figcaption", null, title), shown, h("br"), read);
}

let page;
function parts() {
  const of = entry(), name = `${of.path || "attention"}, head ${state.head}`,
        batches = shapeOf(of).length > 3 ? shapeOf(of)[0] : 1;
  const both =
      h("div", { class: "side-by-side" },
        matrix(
            of.weights, `Weights of ${name}`,
            "Each row is a query; without dropout it sums to 1. Darker is more. Click a row to follow it.",
            false),
        of.grad >= 0 ?
            matrix(
                of.grad, "Gradient of these weights",
                "Blue: the loss would fall if this connection were stronger. Orange: it would grow.", true) :
            h("p", { class: "note" }, "The gradient of these weights was not recorded."));
  const pictured = isPicture(of.keys) ?
      h("div", { class: "side-by-side pictured" },
        patches(of.keys, of.weights, `What query ${state.query} looks at`, false),
        of.grad >= 0 ? patches(of.keys, of.grad, "Gradient of these weights", true) : null) :
      null;
  return [
    h("h2", null, "Who looks at whom"),
    h("p", { class: "lead" },
      "Every token asks a question (its query) and compares it with what every token offers (its key). The comparison, as shares that sum to 1, is the weight with which it takes over the other token's value. Choose a layer and a head:"),
    batches > 1 ? h("label", null, "item ",
                    h("select", { onchange() { choose({ batch: Number(this.value) }); } },
                      Array.from(
                          { length: batches },
                          (_, b) => h("option", { value: b, selected: b === state.batch }, String(b))))) :
                  null,
    h("div", { class: "side-by-side" },
      h("div", null, overview(),
        h("button", { type: "button", onclick: () => Study.visit(of.node) }, "Go to this op in the walk")),
      h("div", null, pictured, both)),
    ...headTable()
  ].filter(Boolean);
}

(Study.pages ??= {}).attention = function() {
  page = h("div");
  state.query = Math.min(sizes(entry()).rows - 1, Math.max(state.query, 3));
  page.append(...parts());
  return page;
};
/** Chooses a layer, head and query. */
Study.followQuery = (at, head, query) => {
  Study.showTab("attention");
  choose({ at, head, query });
};
Study.attentionState = state;
})((globalThis.Study ??= {}));
