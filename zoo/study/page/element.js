// One number: the sum that it came from, term by term, its proof, and the ways to follow it.
(function(Study) {
"use strict";

const { h, short, exact } = Study;

let proofs = null;
/** The one element, of all ops that use a node, that reads its element `flat`: {id, flat} or null. */
function onlyReader(node, flat) {
  const readers = Study.users()[node].filter(({ id }) => Study.node(id).group < 0).flatMap(({ id, k }) => {
    const { rule, op } = Study.ruled(id) ?? {};
    return rule?.writes && Study.isView(Study.node(id)) ?
        rule.writes(op, k, flat).map((i) => ({ id, flat: i })) :
        [null, null];
  });
  return readers.length === 1 ? readers[0] : null;
}
/** Proofs by node. A view, such as a part of a split, has the proof of the number that it shows, if
    nothing else reads that: the two have the same gradient. */
function allProofs() {
  if (proofs?.data === Study.data) return proofs;
  proofs = Object.assign(new Map(), { data: Study.data });
  const add = (entry) => {
    if (!proofs.has(entry.node)) proofs.set(entry.node, []);
    proofs.get(entry.node).push(entry);
    const to = onlyReader(entry.node, entry.element);
    if (to && Study.node(to.id).grad >= 0)
      add({...entry, node: to.id, element: to.flat, shown: entry.shown ?? entry.node });
  };
  (Study.data.proof ?? []).forEach(add);
  return proofs;
}
/** Which elements of a node's gradient were checked. */
Study.proofsOf = (node) => allProofs().get(node) ?? [];
/** The proof of an element of a node's gradient, if it was checked. */
Study.proofOf = (node, flat) => Study.proofsOf(node).find((entry) => entry.element === flat);

function factorButton(factor) {
  const value = short(factor.value, 4), isName = /^[^\s(]*$/.test(factor.name) && factor.index;
  const name = isName ? `${factor.name}[${factor.index}]` : factor.name;
  if (factor.node < 0)
    return h(
        "span", { class: "factor plain", title: factor.name }, h("b", null, value),
        h("small", null, factor.name));
  const kind = factor.grad ? "gradient" : "value";
  return h(
      "button", {
        type: "button",
        class: `factor ${kind}`,
        title: `${name}\nGo to this ${kind}: ${Study.nameOf(factor.node)}`,
        onclick: () => Study.visit(factor.node, { flat: factor.flat, grad: factor.grad })
      },
      h("b", null, value), h("small", null, name));
}

function termRow(term, number) {
  const factors = term.factors.flatMap(
      (factor, i) =>
          (i ? [h("span", { class: "times" }, "·"), factorButton(factor)] : [factorButton(factor)]));
  return h(
      "tr", null, h("td", { class: "muted number" }, String(number)),
      h("td", { class: "factors" }, factors.length ? factors : "1"), h("td", { class: "equals" }, "="),
      h("td", { class: "number" }, short(term.value, 6)));
}

/** The terms of a sum, the largest first if there are many. */
Study.sumTable = function(sum) {
  if (sum.terms.length === 0 && sum.omitted)
    return h(
        "p", { class: "note" },
        `This sum has ${sum.omitted} ${
            sum.omitted === 1 ?
                "term" :
                "terms"}, but their numbers are not on this page: only some rows of large tensors are.`);
  const many = sum.terms.length > 10, ordered = sum.terms.map((term, i) => ({ term, i: i + 1 }));
  if (many) ordered.sort((a, b) => Math.abs(b.term.value) - Math.abs(a.term.value));
  const body = h("tbody"),
        fill = (count) =>
            body.replaceChildren(...ordered.slice(0, count).map(({ term, i }) => termRow(term, i)));
  fill(8);
  const rest = ordered.slice(8).reduce((total, { term }) => total + term.value, 0);
  const more = many ? h("tr", { class: "more" }, h("td"),
                        h("td", null,
                          h("button", {
                            type: "button",
                            class: "link",
                            onclick() {
                              fill(Math.min(600, ordered.length));
                              more.remove();
                            }
                          },
                            `the other ${ordered.length - 8} terms together`)),
                        h("td", { class: "equals" }, "="), h("td", { class: "number" }, short(rest, 6))) :
                      null;
  if (!many) fill(ordered.length);
  const verdict = sum.agrees === undefined ? null :
      sum.agrees ? h("span", { class: "good" }, ` ✓ the kernel recorded ${exact(sum.recorded)}`) :
                   h("span", { class: "wrong" }, ` ≠ the kernel recorded ${exact(sum.recorded)}`);
  return h(
      "div", { class: "sum" },
      h("table", null, body,
        h("tfoot", null, more,
          h("tr", { class: "total" }, h("td"),
            h("td", null,
              many ? `sum of ${sum.terms.length} terms, the largest first above` :
                  sum.terms.length > 1 ? `sum of ${sum.terms.length} terms` :
                                         "sum",
              verdict),
            h("td", { class: "equals" }, "="), h("td", { class: "number" }, exact(sum.sum))))),
      sum.omitted ?
          h("p", { class: "note" },
            `${sum.omitted} more terms are not shown: their numbers did not travel with this page.`) :
          null);
};

/** The sums that made an element: of a value by its op, of a gradient by all that used it. */
function sumsOf({ node, flat, grad, edge }) {
  if (!grad) {
    const sum = Study.forwardTerms(node, flat);
    return sum ? [{ sum, by: node }] : [];
  }
  const users =
      edge ? [edge] : Study.users()[node].filter((user) => Study.node(user.id).group === groupFor(node));
  return users.map(({ id, k }) => ({ sum: Study.terms(id, k, flat), by: id })).filter(({ sum }) => sum);
}
function groupFor(node) {
  const own = Study.node(node).group, users = Study.users()[node];
  return users.some(({ id }) => Study.node(id).group === own) ? own : -1;
}

/** Whether all terms of an element's sums are on this page. */
Study.isWhole = function(focus) {
  const sums = sumsOf(focus);
  return sums.length > 0 && sums.every(({ sum }) => !sum.omitted);
};

/** Elements of a tensor that take part in the sums: for marks on its heat map. */
Study.takesPart = function(focus, node, grad) {
  return sumsOf(focus)
      .flatMap(({ sum }) => sum.terms.slice(0, 400).flatMap((term) => term.factors))
      .filter((factor) => factor.node === node && Boolean(factor.grad) === grad)
      .map((factor) => factor.flat);
};

function proofLine(node, flat) {
  const proof = Study.proofOf(node, flat);
  if (!proof) return null;
  const recorded = Study.at(Study.node(node).grad, flat);
  const isOther = Number.isFinite(recorded) &&
      Math.abs(recorded - proof.analytic) > 1e-3 * Math.abs(proof.analytic) + 1e-7;
  return h(
      "dl", { class: "proof-line" },
      h("div", null, h("dt", null, "analytic"), h("dd", null, exact(proof.analytic))),
      h("div", null, h("dt", null, "numeric"), h("dd", null, exact(proof.numeric))),
      h("div", null, h("dt", null, "relative error"), h("dd", null, short(proof.error, 3))),
      h("p", { class: "note" },
        `Numeric: ${
            proof.shown === undefined ?
                "this element" :
                `the same number, as ${
                    Study.nameOf(
                        proof
                            .shown)} made it,`} was moved a little up and down, and the loss was computed both times, in double precision.${
            isOther ? ` In single precision the step itself got ${short(recorded)}.` : ""}`));
}

function meaning({ node, grad }, value) {
  if (!grad || value === undefined || !Number.isFinite(value)) return null;
  if (value === 0)
    return h(
        "p", { class: "note" }, "A gradient of 0: moving this number a little does not change the loss.");
  const name = Study.node(node).kind === "parameter" ? "this weight" : "this number";
  return h(
      "p", { class: "note" },
      `If ${name} grew by a small ε, the loss would ${value > 0 ? "grow" : "fall"} by ${
          short(Math.abs(value), 3)} · ε.`);
}

function actions(focus) {
  const { node, flat, grad } = focus, all = [];
  const add = (text, title, run) => all.push(h("button", { type: "button", title, onclick: run }, text));
  if (grad && node !== Study.data.loss)
    add("Follow to the loss", "The strongest way of this gradient to the loss, step by step",
        () => Study.startTrail(Study.path(node, flat)));
  if (grad)
    add("Show the value", "The value that this gradient is of",
        () => Study.visit(node, { flat, grad: false }));
  else if (Study.node(node).grad >= 0)
    add("Show its gradient", "How much the loss changes with it",
        () => Study.visit(node, { flat, grad: true }));
  return h("div", { class: "actions" }, all);
}

/** The card about one element. focus: {node, flat, grad, edge: {id, k} if sent by one op, name}. */
Study.elementCard = function(focus) {
  const { node, flat, grad, edge } = focus, shape = Study.shapeOf(node);
  const tensor = edge ? Study.edge(edge.id, edge.k) : grad ? Study.node(node).grad : Study.node(node).value;
  const value = tensor >= 0 ? Study.at(tensor, flat) : node === Study.data.loss && grad ? 1 : undefined;
  const sums = sumsOf(focus),
        title = `${focus.name ?? (grad ? "gradient" : "value")}${Study.place(flat, shape)}`;
  const card =
      h("section", { class: "element", "data-flat": flat, "aria-label": title },
        h("h3", null, title, value === undefined ? "" : ` = ${exact(value)}`), meaning(focus, value));
  if (node === Study.data.loss && grad)
    card.append(
        h("p", null,
          "Backpropagation starts here: the loss changes with itself one to one, so its gradient is 1."));
  const note = Study.trailNote(focus);
  if (note) card.append(note);
  for (const { sum, by } of sums) {
    if (sums.length > 1)
      card.append(h(
          "h4", null, "From ",
          h("button", { type: "button", class: "link", onclick: () => Study.visit(by) }, Study.nameOf(by))));
    card.append(h("div", { class: "formula" }, sum.formula), Study.sumTable(sum));
  }
  if (sums.length > 1)
    card.append(
        h("p", { class: "note" },
          "The number was used in several places. Its gradient is the sum of what all of them send back."));
  if (sums.length === 0 && !grad && Study.node(node).kind !== "op")
    card.append(h("p", { class: "note" }, Study.explain(Study.node(node).kind).text));
  else if (sums.length === 0 && node !== Study.data.loss)
    card.append(h(
        "p", { class: "note" },
        "There is no sum to show for this number: the op has no rule here, or its numbers did not travel."));
  const line = grad ? proofLine(node, flat) : null;
  if (line) card.append(line);
  card.append(actions(focus));
  return card;
};
})((globalThis.Study ??= {}));
