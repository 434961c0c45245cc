// Parameters & proof: the gradient of every parameter, and how it compares with a numeric one.
(function(Study) {
"use strict";

const { h, short } = Study;
const HEADS = [
  ["name", "parameter"], ["shape", "shape"], ["norm", "norm"], ["grad_norm", "gradient norm"],
  ["error", "largest relative error"], ["zero_share", "zeros in gradient"], ["flag", "note"]
];

function verdict() {
  const { proof = [], proof_missing: why } = Study.data;
  if (proof.length === 0)
    return h(
        "p", { class: "lead" },
        why ? `There is no numeric check on this page: ${why}` : "There is no numeric check on this page.");
  const worst = proof.reduce((most, entry) => (entry.error > most.error ? entry : most)),
        nodes = new Set(proof.map((entry) => entry.node)).size;
  return h(
      "p", { class: "lead" },
      `${proof.length} numbers of ${
          nodes} tensors were moved a little up and down, each alone, and the loss was computed both times in double precision. The difference, divided by the distance, is the numeric gradient. The largest relative error is ${
          short(worst.error, 2)}, at `,
      h("button", {
        type: "button",
        class: "link",
        onclick: () => Study.visit(worst.node, { flat: worst.element, grad: true })
      },
        `${Study.nameOf(worst.node)}${Study.place(worst.element, Study.shapeOf(worst.node))}`),
      ".");
}

function row(entry, longest) {
  const open = () => Study.visit(
      entry.node, { grad: true, flat: (Study.data.proof ?? []).find((p) => p.node === entry.node)?.element });
  return h(
      "tr", null,
      h("td", null, h("button", { type: "button", class: "link", onclick: open }, Study.nameOf(entry.node))),
      h("td", null, Study.shapeText(Study.shapeOf(entry.node))),
      h("td", { class: "number" }, short(entry.norm)),
      h("td", null, h("span", { class: "bar", style: `width:${(7 * entry.grad_norm) / longest || 0}rem` }),
        ` ${short(entry.grad_norm)}`),
      h("td", { class: "number" },
        entry.error === null || entry.error === undefined ? "not checked" : short(entry.error, 2)),
      h("td", { class: "number" }, `${short(100 * (entry.zero_share ?? 0), 3)} %`),
      h("td", { class: "flag" }, entry.flag || ""));
}

const valueOf = (entry, key) =>
    (key === "name"      ? Study.nameOf(entry.node) :
         key === "shape" ? Study.count(Study.shapeOf(entry.node)) :
                           entry[key] ?? -1);

function parameterTable() {
  const entries = [...(Study.data.parameters ?? [])],
        longest = Math.max(...entries.map((entry) => entry.grad_norm || 0)), body = h("tbody");
  let key = "", isDown = false;
  const fill = () => body.replaceChildren(...entries.map((entry) => row(entry, longest)));
  const sort = (by, cells) => {
    isDown = key === by ? !isDown : by !== "name";
    key = by;
    entries.sort((a, b) => {
      const x = valueOf(a, by), y = valueOf(b, by);
      return (x < y ? -1 : x > y ? 1 : 0) * (isDown ? -1 : 1);
    });
    [...cells].forEach(
        (cell) => cell.setAttribute(
            "aria-sort", cell.dataset.key === by ? (isDown ? "descending" : "ascending") : "none"));
    fill();
  };
  const head =
      h("tr", null,
        HEADS.map(
            ([name, text]) =>
                h("th", {
                  "data-key": name,
                  scope: "col",
                  class: ["norm", "error", "zero_share"].includes(name) ? "number" : null
                },
                  h("button", {
                    type: "button",
                    title: `Sort by ${text}`,
                    onclick() { sort(name, this.closest("tr").children); }
                  },
                    text, " ↕"))));
  fill();
  return h("table", { class: "table" }, h("thead", null, head), body);
}

function proofTable() {
  const all = [...(Study.data.proof ?? [])].sort((a, b) => b.error - a.error);
  if (all.length === 0) return null;
  const body = h("tbody"),
        fill = (most) => body.replaceChildren(...all.slice(0, most).map(
            (entry) =>
                h("tr", null,
                  h("td", null,
                    h("button", {
                      type: "button",
                      class: "link",
                      onclick: () => Study.visit(entry.node, { flat: entry.element, grad: true })
                    },
                      `${Study.nameOf(entry.node)}${Study.place(entry.element, Study.shapeOf(entry.node))}`)),
                  h("td", { class: "muted" }, Study.node(entry.node).path),
                  h("td", { class: "number" }, Study.exact(entry.analytic)),
                  h("td", { class: "number" }, Study.exact(entry.numeric)),
                  h("td", { class: "number" }, short(entry.error, 2)))));
  fill(20);
  const more = all.length > 20 ? h("button", {
    type: "button",
    onclick() {
      fill(all.length);
      this.remove();
    }
  },
                                   `Show all ${all.length}`) :
                                 null;
  return [
    h("h2", null, "Every number that was checked"),
    h("p", { class: "lead" },
      "The largest errors first. Click one to see the sum that its gradient came from."),
    h("table", { class: "table" },
      h("thead", null,
        h("tr", null,
          ["element", "module", "analytic", "numeric", "relative error"].map(
              (text, i) => h("th", { class: i > 1 ? "number" : null, scope: "col" }, text)))),
      body),
    more
  ];
}

(Study.pages ??= {}).proof = () => h(
    "div", null, h("h2", null, "Are these gradients right?"), verdict(), h("h2", null, "All parameters"),
    h("p", { class: "lead" },
      "A gradient of exactly 0 everywhere means that the parameter does not act on this loss. Rows of an embedding that no token used are 0, and that is right."),
    parameterTable(), proofTable());
})((globalThis.Study ??= {}));
