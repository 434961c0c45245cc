// The trail: one number followed from op to op, to the loss or down to a row of an embedding.
(function(Study) {
"use strict";

const { h, short } = Study;
let chain = [], at = 0, bar;
Study.trail = {
  get chain() { return chain; },
  get nodes() { return new Set(chain.map((step) => Study.graph.shown(step.node))); },
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
  const crumbs = chain.map(
      ({ node, flat, gradient }, i) =>
          h("li", null,
            h("button", {
              type: "button",
              class: "crumb",
              "aria-current": String(i === at),
              title: `${Study.nameOf(node)}${Study.place(flat, Study.shapeOf(node))}, ${
                  Study.node(node).path || "outside of modules"}\ngradient ${Study.exact(gradient)}`,
              onclick: () => go(i)
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
      button("turn round", "Walk the trail the other way", () => {
        chain.reverse();
        go(chain.length - 1 - at);
      }), button("✕", "Leave the trail (Esc)", Study.endTrail));
  const current = list.children[at];
  list.scrollLeft = current.offsetLeft - list.clientWidth / 2 + current.clientWidth / 2;
}

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
