// Compare: two runs on the same input, next to each other. A is the recording of the page, B the other.
(function(Study) {
"use strict";

const { h, short } = Study;
const percent = (x) => (x === undefined ? "–" : Number.isFinite(x) ? `${short(100 * x, 3)} %` : "∞");
const head = (names, isText = 1) =>
    h("thead", null,
      h("tr", null,
        names.map((text, i) => h("th", { scope: "col", class: i >= isText ? "number" : null }, text))));
const describe = (data, id) => {
  const { kind, op, name, path } = data.nodes[id];
  return `${kind === "op" ? op : name}${path && kind === "op" ? ` in ${path}` : ""}`;
};

// --------------------------------------------------------------------------------- what differs

/** "9 × layer_norm (transformer.h.0.ln_1, …)" of nodes that only one of the two has. */
function counted(data, ids) {
  const kinds = new Map();
  for (const id of ids) {
    const { kind, op, path, name } = data.nodes[id], key = kind === "op" ? op : kind;
    kinds.set(key, [...(kinds.get(key) ?? []), kind === "op" ? path : name]);
  }
  return [...kinds]
      .map(
          ([kind, places]) => `${places.length} × ${kind} (${places[0] || "outside of modules"}${
              places.length > 1 ? ", …" : ""})`)
      .join(", ");
}

function differences(a, b, { onlyA, onlyB }) {
  const own = [Study.ownWords(a.title, b.title), Study.ownWords(b.title, a.title)];
  const line = (letter, data, words, ids) =>
      h("p", { class: "lead" }, h("b", null, `${letter} `), `is ${data.title}`,
        words ? [": ", h("b", { class: "orange" }, words)] : "",
        ids.length ? `. Only ${letter} has ${counted(data, ids)}.` : ".");
  return h("div", { class: "differences" }, line("A", a, own[0], onlyA), line("B", b, own[1], onlyB));
}

function factTable(a, b) {
  const all = (data) => new Map([
    ...(data.facts ?? []), ["loss", short(data.step?.loss, 6)], ["step", data.step?.number],
    ["forward pass", Study.time(data.step?.forward_us ?? 0)],
    ["backward pass", Study.time(data.step?.backward_us ?? 0)]
  ].map(([k, v]) => [k, String(v ?? "")]));
  const first = all(a), second = all(b), names = [...new Set([...first.keys(), ...second.keys()])];
  const row = (name) => {
    const [x, y] = [first.get(name) ?? "", second.get(name) ?? ""];
    return h(
        "tr", null, h("th", { scope: "row" }, name),
        x === y ? h("td", { colspan: 2, class: "muted" }, `${x} (both)`) :
                  [h("td", null, x), h("td", { class: "orange" }, y)]);
  };
  return h(
      "table", { class: "table narrow facts-table" }, head(["", "A", "B"], 3),
      h("tbody", null, names.map(row)));
}

// --------------------------------------------------------------------------------- norms

function normRow(name, first, second) {
  const number = (x) => h("td", { class: "number" }, x === undefined ? "–" : short(x));
  const ratio = first && second ? second.gradients / first.gradients : undefined;
  const isFar = ratio !== undefined && (ratio > 1.5 || ratio < 1 / 1.5);
  return h(
      "tr", null, h("th", { scope: "row" }, name), number(first?.weights), number(second?.weights),
      number(first?.gradients), number(second?.gradients),
      h("td", { class: isFar ? "number orange" : "number" }, ratio === undefined ? "–" : short(ratio, 3)));
}

/** Norms of modules at a depth, or of every parameter. */
function norms(a, b, both) {
  const body = h("tbody");
  const fill = (depth) => {
    if (depth === 0) {
      const of = (data) => new Map((data.parameters ?? []).map((entry) => [entry.node, entry]));
      const first = of(a), second = of(b),
            sized = (entry) => entry && { weights: entry.norm, gradients: entry.grad_norm };
      body.replaceChildren(
          ...both.filter(([i, j]) => first.has(i) && second.has(j))
              .map(([i, j]) => normRow(a.nodes[i].name, sized(first.get(i)), sized(second.get(j)))));
      return;
    }
    const first = Study.moduleNorms(a, depth), second = Study.moduleNorms(b, depth);
    body.replaceChildren(...[...new Set([...first.keys(), ...second.keys()])].map(
        (name) => normRow(name, first.get(name), second.get(name))));
  };
  fill(2);
  return [
    h("h2", null, "Norms"),
    h("div", { class: "row" },
      h("p", { class: "lead" },
        "How large all weights of a module are together, and all its gradients. Orange: the gradients differ by more than half."),
      Study.choice(
          "Norms of", [[1, "level 1"], [2, "level 2"], [3, "level 3"], [0, "every parameter"]], 2, fill)),
    h("table", { class: "table norms" },
      head(["module", "weights of A", "weights of B", "gradient of A", "gradient of B", "gradient B ÷ A"]),
      body)
  ];
}

// --------------------------------------------------------------------------------- numbers

function maps(a, b, [first, second], what) {
  const tensors = [a.nodes[first][what], b.nodes[second][what]],
        name = what === "grad" ? "gradient" : "value";
  const missing = tensors.map((tensor, i) => (tensor < 0 ? "AB"[i] : "")).filter(Boolean).join(" and ");
  if (missing) return h("p", { class: "note" }, `There is no ${name} in ${missing}.`);
  const scale =
      Math.max(Study.scaleOf(Study.values(tensors[0], a)), Study.scaleOf(Study.values(tensors[1], b)));
  const one = (letter, data, tensor) =>
      h("figure", { class: "titled" }, h("figcaption", null, `${letter}: ${name}`),
        Study
            .heatMap(tensor, {
              data,
              scale,
              width: 420,
              height: 170,
              axes: Study.axesOf(first),
              dimensions: Study.dimensionsOf(first),
              label: `${letter}: ${name}`,
              hint: "Both have the same colours for the same numbers."
            })
            .element,
        Study.statistics(tensor, data), Study.sampling(tensor, data));
  return h("div", { class: "two" }, one("A", a, tensors[0]), one("B", b, tensors[1]));
}

/** The list of all pairs, and the numbers of the chosen one. */
function numbers(a, b, both) {
  const detail = h("div"), list = h("tbody"), shown = both.filter(([i]) => a.nodes[i].kind !== "input");
  function show(at) {
    detail.replaceChildren(
        h("h3", null, describe(a, shown[at][0])), maps(a, b, shown[at], "value"),
        maps(a, b, shown[at], "grad"));
    [...list.children].forEach((row, i) => row.setAttribute("aria-selected", String(i === at)));
  }
  const cell = (pair, what) =>
      h("td", { class: "number" },
        percent(Study.apart(a, b, [a.nodes[pair[0]][what], b.nodes[pair[1]][what]])));
  list.append(...shown.map(
      (pair, at) =>
          h("tr", null,
            h("td", null,
              h("button", {
                type: "button",
                class: "link",
                onclick() {
                  show(at);
                  detail.scrollIntoView({ block: "nearest" });
                }
              },
                describe(a, pair[0]))),
            cell(pair, "value"), cell(pair, "grad"))));
  if (shown.length) show(Math.max(0, shown.findIndex(([i]) => a.nodes[i].op === "linear")));
  return [
    h("h2", null, "Numbers next to each other"),
    h("p", { class: "lead" },
      "Choose an op or a parameter. The list says how far B is from A, relative to A: 0 % is equal, and unrelated numbers of the same size are 141 % apart."),
    h("div", { class: "split" },
      h("div", { class: "long-list", tabindex: 0, "aria-label": "Pairs of A and B" },
        h("table", { class: "table" }, head(["where", "values", "gradients"]), list)),
      detail)
  ];
}

(Study.pages ??= {}).compare = function() {
  const a = Study.data, b = a.against, pairs = Study.pairs(a, b);
  return h(
      "div", null, h("h2", null, b.input_differs ? "A and B" : "A and B on the same input"),
      b.input_differs ? h("p", { class: "note" }, `Their inputs differ: ${b.input_differs}.`) : null, differences(a, b, pairs), factTable(a, b),
      norms(a, b, pairs.both), Study.comparedAttention(a, b), numbers(a, b, pairs.both));
};
})((globalThis.Study ??= {}));
