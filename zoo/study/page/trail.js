// The trail: one number followed from op to op, to the loss or down to a row of an embedding.
(function(Study) {
"use strict";

const { h, short } = Study;
const NEAR = 24;  // steps that are listed on either side of the current one
let chain = [], at = 0, bar;
Study.trail = {
  get chain() {
    return chain;
  },
  get nodes() {
    return new Set(chain.map((step) => Study.graph.shown(step.node)));
  },
  version: 0
};

function go(to) {
  at = Math.max(0, Math.min(chain.length - 1, to));
  const { node, flat } = chain[at];
  Study.visit(node, { flat, grad: true });
  render();
}

function render() {
  bar.hidden = chain.length === 0;
  if (bar.hidden) return bar.replaceChildren();
  const first = Math.max(0, at - NEAR), near = chain.slice(first, at + NEAR + 1);
  const crumbs = near.map(
      ({ node, flat, gradient }, i) =>
          h("li", null,
            h("button", {
              type: "button",
              class: "crumb",
              "aria-current": String(first + i === at),
              title: `${Study.nameOf(node)}${Study.place(flat, Study.shapeOf(node))}, ${
                  Study.node(node).path || "outside of modules"}\ngradient ${Study.exact(gradient)}`,
              onclick: () => go(first + i)
            },
              h("b", null,
                Study.node(node).kind === "op" ? Study.node(node).op :
                                                 Study.node(node).name.split(".").slice(-2).join(".")),
              h("small", null, short(gradient, 3)))));
  const button = (text, label, run, isOff) =>
      h("button", { type: "button", "aria-label": label, title: label, disabled: isOff, onclick: run }, text);
  const list = h("ol", { class: "crumbs" }, crumbs);
  bar.replaceChildren(
      h("span", { class: "trail-title" }, `One number, step ${at + 1} of ${chain.length}`),
      button("◀", "One step back on the trail ( [ )", () => go(at - 1), at === 0),
      button("▶", "One step further on the trail ( ] )", () => go(at + 1), at === chain.length - 1), list,
      button("other way", "Walk the trail the other way", () => {
        chain.reverse();
        go(chain.length - 1 - at);
      }), button("✕", "Leave the trail (Esc)", Study.endTrail));
  const current = list.children[at - first];
  list.scrollLeft = current.offsetLeft - list.clientWidth / 2 + current.clientWidth / 2;
}

// --------------------------------------------------------------------------------- in words

/** What one element of an op sent to an element of its input. */
function sent(upper, { node, flat }) {
  const all = Study.node(upper.node).inputs.flatMap((input, k) => {
    const sum = input === node ? Study.terms(upper.node, k, flat) : null;
    return sum ? sum.terms.filter((term) => term.via === upper.flat) : [];
  });
  return all.reduce((total, term) => total + term.value, 0);
}

/** One sentence for the card of the element that the trail stands on; null for others. */
Study.trailNote = function({ node, flat, grad }) {
  const here = chain[at];
  if (!here || !grad || here.node !== node || here.flat !== flat || node === Study.data.loss) return null;
  const isDown = chain[0].node > chain.at(-1).node, upper = chain[isDown ? at - 1 : at + 1];
  if (!upper) return null;
  const part = sent(upper, here),
        others = Study.users()[node].flatMap(({ id, k }) => Study.terms(id, k, flat)?.terms ?? []);
  const isMost = others.every((term) => !(Math.abs(term.value) > Math.abs(part) * 1.001));
  const where = `${Study.nameOf(upper.node)}${Study.place(upper.flat, Study.shapeOf(upper.node))}`;
  const isEnd = at === chain.length - 1 && isDown, row = isEnd ? Study.rowName(node, flat) : "";
  return h(
      "p", { class: "trail-note" },
      `On the trail: ${short(part, 4)} of this gradient came from ${where}, ${
          isMost ? "more than any other number sent" :
                   "the largest part that this page can follow to its end"}.`,
      row ? ` This is ${row}. The trail ends here: the update will move this weight.` :
          isEnd ? " The trail ends here." :
                  "");
};

/** Starts on a chain [{node, flat, gradient}]. */
Study.startTrail = function(steps) {
  if (!steps || steps.length === 0) return;
  chain = steps.slice();
  Study.trail.version += 1;
  go(0);
};
Study.endTrail = function() {
  chain = [];
  Study.trail.version += 1;
  render();
  Study.graph.redraw();
};
Study.trailStep = (by) => {
  if (chain.length) go(at + by);
};

Study.trailBar = function() {
  bar = h("nav", { class: "trail-bar", "aria-label": "The number that is followed", hidden: true });
  return bar;
};
})((globalThis.Study ??= {}));
