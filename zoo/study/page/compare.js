// Compare: two runs on the same input, next to each other.
(function(Study) {
"use strict";

const { h, short } = Study;

/** Pairs of nodes that correspond: the same kind, name and path, in the same order. */
function pairs(a, b) {
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
  const first = keyed(a), second = keyed(b), both = [], onlyFirst = [], onlySecond = [];
  first.forEach((id, key) => (second.has(key) ? both.push([id, second.get(key)]) : onlyFirst.push(id)));
  second.forEach((id, key) => {
    if (!first.has(key)) onlySecond.push(id);
  });
  return { both, onlyFirst, onlySecond };
}

/** How far two tensors are apart, relative to the first: from what travelled of both. */
function distance(a, b, tensors) {
  if (tensors[0] < 0 || tensors[1] < 0) return undefined;
  const x = Study.values(tensors[0], a), y = Study.values(tensors[1], b);
  if (x.length !== y.length) return undefined;
  let difference = 0, size = 0;
  for (let i = 0; i < x.length; ++i) {
    difference += (x[i] - y[i]) ** 2;
    size += x[i] ** 2;
  }
  return size === 0 ? (difference === 0 ? 0 : Infinity) : Math.sqrt(difference / size);
}

function factTable(a, b) {
  const all = (data) => new Map([
    ...(data.facts ?? []), ["loss", short(data.step?.loss, 6)], ["step", data.step?.number],
    ["forward pass", Study.time(data.step?.forward_us ?? 0)],
    ["backward pass", Study.time(data.step?.backward_us ?? 0)]
  ].map(([k, v]) => [k, String(v ?? "")]));
  const first = all(a), second = all(b), names = [...new Set([...first.keys(), ...second.keys()])];
  return h(
      "table", { class: "table narrow" },
      h("thead", null, h("tr", null, h("th"), h("th", null, a.title), h("th", null, b.title))),
      h("tbody", null,
        names.map(
            (name) =>
                h("tr", null, h("td", { class: "muted" }, name), h("td", null, first.get(name) ?? ""),
                  h("td", { class: first.get(name) === second.get(name) ? "" : "orange" },
                    second.get(name) ?? "")))));
}

function describe(data, id) {
  const node = data.nodes[id];
  return `${node.kind === "op" ? node.op : node.name}${
      node.path && node.kind === "op" ? ` in ${node.path}` : ""}`;
}

function maps(a, b, [first, second], what) {
  const tensors = [a.nodes[first][what], b.nodes[second][what]];
  if (tensors[0] < 0 || tensors[1] < 0)
    return h(
        "p", { class: "note" },
        what === "grad" ? "There is no gradient in one of the runs." :
                          "There is no value in one of the runs.");
  const scale =
      Math.max(Study.scaleOf(Study.values(tensors[0], a)), Study.scaleOf(Study.values(tensors[1], b)));
  return h(
      "div", { class: "two" },
      [[a, tensors[0]], [b, tensors[1]]].map(
          ([data, tensor]) =>
              h("figure", { class: "titled" },
                h("figcaption", null, `${data.title}: ${what === "grad" ? "gradient" : "value"}`),
                Study
                    .heatMap(tensor, {
                      data,
                      scale,
                      width: 500,
                      height: 170,
                      label: data.title,
                      hint: "Both have the same colours for the same numbers."
                    })
                    .element,
                Study.statistics(tensor, data), Study.sampling(tensor, data))));
}

function parameterTable(a, b, both) {
  const norms = (data) => new Map((data.parameters ?? []).map((entry) => [entry.node, entry])),
        first = norms(a), second = norms(b);
  const rows = both.filter(([i, j]) => first.has(i) && second.has(j));
  return h(
      "table", { class: "table" },
      h("thead", null,
        h("tr", null,
          ["parameter", "norm", "norm", "gradient norm", "gradient norm", "ratio"].map(
              (text, i) => h("th", { class: i ? "number" : null }, text)))),
      h("tbody", null,
        rows.map(
            ([i, j]) => h(
                "tr", null, h("td", null, a.nodes[i].name),
                h("td", { class: "number" }, short(first.get(i).norm)),
                h("td", { class: "number" }, short(second.get(j).norm)),
                h("td", { class: "number" }, short(first.get(i).grad_norm)),
                h("td", { class: "number" }, short(second.get(j).grad_norm)),
                h("td", { class: "number" }, short(second.get(j).grad_norm / first.get(i).grad_norm, 3))))));
}

(Study.pages ??= {}).compare = function() {
  const a = Study.data, b = a.against, { both, onlyFirst, onlySecond } = pairs(a, b), page = h("div"),
        detail = h("div");
  const ops = both.filter(([i]) => a.nodes[i].kind !== "input");
  function show(at) {
    const pair = ops[at];
    detail.replaceChildren(
        h("h3", null, describe(a, pair[0])), maps(a, b, pair, "value"), maps(a, b, pair, "grad"));
    if (table)
      [...table.querySelectorAll("tbody tr")].forEach(
          (row, i) => row.setAttribute("aria-selected", String(i === at)));
  }
  const list =
      h("tbody", null,
        ops.map(
            ([i, j], at) => h(
                "tr", null,
                h("td", null,
                  h("button", {
                    type: "button",
                    class: "link",
                    onclick: () => {
                      show(at);
                      detail.scrollIntoView({ block: "nearest" });
                    }
                  },
                    describe(a, i))),
                h("td", { class: "number" }, percent(distance(a, b, [a.nodes[i].value, b.nodes[j].value]))),
                h("td", { class: "number" }, percent(distance(a, b, [a.nodes[i].grad, b.nodes[j].grad]))))));
  const table =
      h("table", { class: "table" },
        h("thead", null,
          h("tr", null, h("th", null, "where"), h("th", { class: "number" }, "values"),
            h("th", { class: "number" }, "gradients"))),
        list);
  const missing = (title, data, ids) =>
      (ids.length ? h("p", { class: "note" },
                      `Only in ${title}: ${ids.slice(0, 8).map((id) => describe(data, id)).join("; ")}${
                          ids.length > 8 ? ` and ${ids.length - 8} more` : ""}.`) :
                                           null);
  page.append(
      ...[h("h2", null, "Two runs on the same input"), factTable(a, b), missing(a.title, a, onlyFirst),
          missing(b.title, b, onlySecond), h("h2", null, "Numbers next to each other"),
          h("p", { class: "lead" },
            "Choose an op or a parameter. The list says how far the two are apart, relative to the first run: 0 % is equal, and unrelated numbers are 141 % apart."),
          h("div", { class: "split" }, h("div", { class: "long-list" }, table), detail),
          h("h2", null, "Parameters"), parameterTable(a, b, both)]
          .filter(Boolean));
  const loss = ops.findIndex(([i]) => a.nodes[i].op === "linear");
  if (ops.length) show(Math.max(0, loss));
  return page;
};
const percent = (x) => (x === undefined ? "–" : Number.isFinite(x) ? `${short(100 * x, 3)} %` : "∞");
})((globalThis.Study ??= {}));
