// The update: what the optimiser did with a gradient, for a weight that the reader clicks.
(function(Study) {
"use strict";

const { h, short } = Study;
const weightsOf = () => Study.data.update?.weights ?? [];
const settings = () =>
    Object.fromEntries(Study.data.update.settings.map(([name, value]) => [name, Number(value)]));
const bracket = (x) => (x < 0 ? `(${short(x, 5)})` : short(x, 5));
const raised = (n) => Array.from(String(n)).map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? c).join("");
const stateOf = (weight, name, flat) => {
  const found = weight.state.find((s) => s.name === name);
  // Before the first step there is no state yet: it begins at 0.
  return found ?
      { before: found.before < 0 ? 0 : Study.at(found.before, flat), after: Study.at(found.after, flat) } :
      undefined;
};

/** Steps [words, notation, numbers put in, result] of one weight. */
const METHODS = {
  adamw(weight, flat, w, g) {
    return adam(weight, flat, w, g, true);
  },
  adam(weight, flat, w, g) {
    return adam(weight, flat, w, g, false);
  },
  sgd(weight, flat, w, g) {
    const { lr = weight.lr, momentum = 0 } = settings(), decay = weight.weight_decay || 0, steps = [];
    const rate = weight.lr ?? lr;
    let direction = g;
    if (decay) {
      direction = g + decay * w;
      steps.push([
        "Weight decay pulls the weight towards 0.", "g′ = g + λ · w",
        `${short(g, 5)} + ${short(decay)} · ${bracket(w)}`, direction
      ]);
    }
    const buffer = stateOf(weight, "momentum_buffer", flat);
    if (momentum && buffer) {
      direction = buffer.after;
      steps.push([
        "Momentum: the step keeps some of its earlier direction.", "b′ = μ · b + g′",
        `${short(momentum)} · ${bracket(buffer.before)} + …`, direction
      ]);
    }
    steps.push([
      "The weight moves against it, by the learning rate.", "w′ = w − lr · b′",
      `${short(w, 6)} − ${short(rate)} · ${bracket(direction)}`, w - rate * direction
    ]);
    return steps;
  },
};
function adam(weight, flat, w, g, isDecoupled) {
  const { beta1 = 0.9, beta2 = 0.999, eps = 1e-8, step = 1 } = settings(),
                                                           t = stateOf(weight, "step", 0)?.after ?? step,
                                                           lr = weight.lr, decay = weight.weight_decay || 0,
                                                           steps = [];
  const m = stateOf(weight, "exp_avg", flat), v = stateOf(weight, "exp_avg_sq", flat);
  if (!m || !v || [m.before, v.before, m.after, v.after].includes(undefined)) return null;
  let from = w, slope = g;
  if (decay && isDecoupled) {
    from = w * (1 - lr * decay);
    steps.push([
      "Weight decay: the weight shrinks a little towards 0.", "w_0 = w · (1 − lr · λ)",
      `${short(w, 6)} · (1 − ${short(lr)} · ${short(decay)})`, from
    ]);
  }
  if (decay && !isDecoupled) {
    slope = g + decay * w;
    steps.push([
      "Weight decay pulls the weight towards 0.", "g′ = g + λ · w",
      `${short(g, 5)} + ${short(decay)} · ${bracket(w)}`, slope
    ]);
  }
  const mNew = beta1 * m.before + (1 - beta1) * slope, vNew = beta2 * v.before + (1 - beta2) * slope * slope;
  const mHat = mNew / (1 - beta1 ** t), vHat = vNew / (1 - beta2 ** t);
  steps.push(
      [
        "A running mean of the gradient: which way, lately.", "m′ = β_1 · m + (1 − β_1) · g",
        `${short(beta1)} · ${bracket(m.before)} + ${short(1 - beta1)} · ${bracket(slope)}`, mNew
      ],
      [
        "A running mean of its square: how large, lately.", "v′ = β_2 · v + (1 − β_2) · g^2",
        `${short(beta2)} · ${bracket(v.before)} + ${short(1 - beta2)} · ${bracket(slope)}²`, vNew
      ],
      [
        `Both began at 0, so early means are too small. This puts it right at step ${t}.`,
        "hat{m} = frac{m′}{1 − β_1^t}", `${short(mNew, 5)} / (1 − ${short(beta1)}${raised(t)})`, mHat
      ],
      [
        "The same for the square.", "hat{v} = frac{v′}{1 − β_2^t}",
        `${short(vNew, 5)} / (1 − ${short(beta2)}${raised(t)})`, vHat
      ],
      [
        "The step: the direction divided by its usual size, so that every weight moves about equally far.",
        "w′ = w_0 − lr · frac{hat{m}}{sqrt{hat{v}} + ε}",
        `${short(from, 6)} − ${short(lr)} · ${bracket(mHat)} / (√${short(vHat, 5)} + ${short(eps)})`,
        from - (lr * mHat) / (Math.sqrt(vHat) + eps)
      ]);
  return steps;
}

function recorded(weight, flat) {
  const rows = [
    ["weight before", weight.before], ["gradient used", weight.gradient],
    ...weight.state.filter((s) => Study.data.tensors[s.after].shape.length > 0)
        .flatMap((s) => [[`${s.name} before`, s.before], [`${s.name} after`, s.after]]),
    ["weight after", weight.after]
  ];
  return h(
      "dl", { class: "statistics" },
      rows.filter(([, tensor]) => tensor >= 0)
          .map(
              ([name, tensor]) =>
                  h("div", null, h("dt", null, name), h("dd", null, Study.exact(Study.at(tensor, flat))))));
}

/** The weight that is shown at first: of those whose numbers are all here, the one with the largest
    gradient. */
function firstWeight(weight) {
  const needed = [
    weight.before, weight.after,
    ...weight.state.filter((s) => Study.data.tensors[s.after].shape.length > 0)
        .flatMap((s) => [s.before, s.after])
  ].filter((tensor) => tensor >= 0);
  const all = Study.largestOfRows(weight.gradient);
  return all.find((flat) => needed.every((tensor) => Study.at(tensor, flat) !== undefined)) ?? all[0] ?? 0;
}

/** For optimisers whose step needs more than the numbers of one weight: the formula alone. */
function withoutNumbers(weight, isMissing) {
  const { formula, formulas = {} } = Study.data.update, lines = formulas[weight.formula ?? formula] ?? [];
  if (isMissing) return [h("p", { class: "note" }, "The numbers of this weight are not on this page.")];
  if (!lines.length)
    return [h("p", { class: "note" }, "The page has no formula for this step. What was recorded:")];
  return [
    h("div", { class: "sum" },
      h("table", null,
        h("tbody", null,
          lines.map(
              ([words, notation]) =>
                  h("tr", null,
                    h("td", { style: "width:auto;font-size:inherit" }, h("div", { class: "muted" }, words),
                      Study.maths(notation, false))))))),
    h("p", { class: "note" }, "It takes the whole matrix, not this weight alone. What was recorded of it:")
  ];
}

/** The card about one weight. */
function card(weight, flat) {
  const w = Study.at(weight.before, flat), g = Study.at(weight.gradient, flat),
        after = Study.at(weight.after, flat);
  const made =
      h("section", { class: "element", "data-flat": flat },
        h("h3", null,
          `${Study.nameOf(weight.node)}${Study.place(flat, Study.shapeOf(weight.node))}: ${short(w, 7)} → ${
              short(after, 7)}`));
  const steps =
      w === undefined || g === undefined ? null : METHODS[weight.formula ?? Study.data.update.formula]?.(weight, flat, w, g);
  if (steps) {
    made.append(
        h("div", { class: "sum" },
          h("table", null,
            h("tbody", null,
              steps.map(
                  ([words, notation, numbers, result]) =>
                      h("tr", null,
                        h("td", { style: "width:auto;font-size:inherit" },
                          h("div", { class: "muted" }, words), Study.maths(notation, false)),
                        h("td", null, numbers), h("td", { class: "equals" }, "="),
                        h("td", { class: "number" }, short(result, 7))))))));
    const result = steps.at(-1)[3];
    if (after !== undefined)
      made.append(
          h("p",
            { class: Math.abs(result - after) <= 1e-5 * Math.max(1e-3, Math.abs(after)) ? "good" : "wrong" },
            `${
                Math.abs(result - after) <= 1e-5 * Math.max(1e-3, Math.abs(after)) ?
                    "✓" :
                    "≠"} the optimiser wrote ${Study.exact(after)}`));
  } else
    made.append(...withoutNumbers(weight, [w, g, after].includes(undefined)));
  made.append(
      recorded(weight, flat),
      h("div", { class: "actions" },
        h("button", { type: "button", onclick: () => Study.visit(weight.node, { flat, grad: true }) },
          "Where this gradient came from")));
  return made;
}

/** For the walk: what happened to one parameter. */
Study.updateCard = function(node, flat) {
  const weight = weightsOf().find((w) => w.node === node);
  if (!weight)
    return h(
        "p", { class: "note" },
        "Now the optimiser moves this parameter a little against its gradient. No optimiser was part of this recording.");
  return card(weight, flat ?? firstWeight(weight));
};

// --------------------------------------------------------------------------------- the page

let chosen, element;
/** The parameter that is shown at first: not one whose gradient here is 0, as of words that do not occur. */
const firstParameter = () => Math.max(0, weightsOf().findIndex((w) => Study.at(w.gradient, firstWeight(w))));

function maps(weight, render) {
  const before = Study.values(weight.before), after = Study.values(weight.after), flat = element,
        scale = Study.scaleOf(before);
  const moved = before.length === after.length ? after.map((x, i) => x - before[i]) : null;
  const map = (title, tensor, given = {}) => tensor >= 0 ?
      h("figure", { class: "titled" }, h("figcaption", null, title),
        Study
            .heatMap(tensor, {
              width: 270,
              height: 110,
              chosen: flat,
              onChoose: (to) => {
                element = to;
                render();
              },
              hint: "Click a weight.",
              label: title,
              name: title,
              ...given
            })
            .element) :
      null;
  const state = weight.state.filter((s) => Study.data.tensors[s.after].shape.length > 0);
  return [
    h("div", { class: "update-maps" }, map("gradient", weight.gradient),
      map("weight before", weight.before, { scale }), map("weight after", weight.after, { scale }),
      state.map((s) => map(`${s.name} after`, s.after))),
    moved ? h("p", { class: "note" },
              `The largest step in this tensor: ${
                  short(moved.reduce((most, x) => Math.max(most, Math.abs(x)), 0))}.`) :
            null
  ];
}

(Study.pages ??= {}).update = function() {
  const { update } = Study.data, page = h("div"), { clip } = update;
  function render() {
    chosen ??= firstParameter();
    const weight = weightsOf()[chosen];
    element ??= firstWeight(weight);
    const list =
        Study.select("parameter", weightsOf().map((w, i) => [i, Study.nameOf(w.node)]), chosen, (to) => {
          chosen = to;
          element = undefined;
          render();
        });
    Study.redrawn(
        page,
        () => page.replaceChildren(
            ...[h("h2", null, "The update"),
                h("p", { class: "lead" },
                  `${
                      update
                          .optimizer} moved every weight a little, so that the loss becomes smaller. Gradients say which way; the optimiser decides how far.`),
                h("dl", { class: "statistics" },
                  update.settings.map(
                      ([name, value]) =>
                          h("div", null, h("dt", null, name),
                            h("dd", null, typeof value === "number" ? short(value) : String(value))))),
                clip ?
                    h("p", { class: "note" },
                      clip.norm > clip.max ?
                          `All gradients together had norm ${short(clip.norm)}, more than ${
                              short(clip.max)}. So all were scaled by ${short(clip.max / clip.norm)} first.` :
                          `All gradients together had norm ${
                              short(
                                  clip.norm)}. They would have been scaled down above ${short(clip.max)}.`) :
                    null,
                h("p", null, list),
                h("div", { class: "update-grid" }, card(weight, element),
                  h("div", null, maps(weight, render)))]
                .filter(Boolean)));
  }
  render();
  return page;
};
})((globalThis.Study ??= {}));
