// The middle: the current node with its formula, its numbers, and the sum for the clicked element.
(function(Study) {
"use strict";

const { h } = Study;
const state = {
  node: -1,
  phase: "forward",
  slot: null,
  focus: null
};
const explained = new Map();  // kind of op → the first node that showed its text
let pane;
Study.current = state;

// --------------------------------------------------------------------------------- tensors of a node

/** The tensors to choose from: {key, name, tensor, node, grad, edge}. */
function slotsOf(id, phase) {
  const node = Study.node(id), isBack = phase === "backward";
  if (node.kind !== "op") {
    const own = [{
      key: "value",
      name: node.kind === "parameter" ? "weight" : "value",
      tensor: node.value,
      node: id,
      grad: false
    }];
    if (node.grad >= 0) own.push({ key: "grad", name: "gradient", tensor: node.grad, node: id, grad: true });
    return own;
  }
  const rule = Study.rules[node.op] ?? {},
        names = rule.names ?? ((k) => (node.inputs.length > 1 ? `x${k}` : "x"));
  const nameOf = (k) => (typeof names === "function" ? names(k) : names[k] ?? `x${k}`);
  const inputs = node.inputs.flatMap((input, k) => {
    if (input < 0) return [];
    if (!isBack)
      return [{ key: `x${k}`, name: nameOf(k), tensor: Study.node(input).value, node: input, grad: false }];
    const edge = Study.edge(id, k);
    return edge >= 0 ?
        [{ key: `d${k}`, name: `d${nameOf(k)}`, tensor: edge, node: input, grad: true, edge: { id, k } }] :
        [];
  });
  if (!isBack) return [...inputs, { key: "y", name: "y", tensor: node.value, node: id, grad: false }];
  const dy = { key: "dy", name: "dy", tensor: node.grad, node: id, grad: true };
  return [dy, ...inputs].filter((slot) => slot.tensor >= 0);
}

function firstSlot(slots, phase) {
  if (phase === "backward") return slots.find((slot) => slot.edge) ?? slots[0];
  return slots.find((slot) => slot.key === "y") ?? slots.find((slot) => slot.grad && phase === "update") ??
      slots[0];
}

// --------------------------------------------------------------------------------- parts

function heading(id) {
  const node = Study.node(id), about = Study.explain(node.kind === "op" ? node.op : node.kind);
  const name = node.kind === "op" ? node.op : node.name;
  const trail = Study.steps_of_path(node.path).map((part) => h("span", null, part));
  const facts = [];
  if (node.kind === "op") {
    const shapes =
        node.inputs.filter((input) => input >= 0).map((input) => `(${Study.shapeOf(input).join(", ")})`);
    facts.push(
        `${shapes.join(" , ") || "()"} → (${Study.shapeOf(id).join(", ")})`,
        `forward ${Study.time(node.forward_us)}`);
    if (node.grad >= 0) facts.push(`backward ${Study.time(node.backward_us)}`);
    facts.push(
        node.saved_bytes ? `${Study.bytes(node.saved_bytes)} saved for backward` :
                           "nothing saved for backward");
  } else
    facts.push(`${node.kind} (${Study.shapeOf(id).join(", ")})`);
  if (!explained.has(about.title)) explained.set(about.title, id);
  const isNew = explained.get(about.title) === id;
  return h(
      "header", { class: "node-head" },
      h("p", { class: "path" }, trail.length ? trail : h("span", null, "outside of modules")),
      h("h2", null, about.title, " ", h("code", null, name)),
      h("p", { class: "facts" }, facts.map((fact) => h("span", null, fact))),
      node.bad ? h("p", { class: "wrong" }, "The first NaN or infinity of this pass is made here.") : null,
      node.group >= 0 ?
          h("p", { class: "note" }, "A step inside ",
            h("button", { type: "button", class: "link", onclick: () => Study.visit(node.group) },
              Study.nameOf(node.group)),
            ": its reference form, run on the same numbers.") :
          null,
      h("details", { class: "explain", open: isNew }, h("summary", null, "What it does"),
        h("p", null, about.text)));
}

function formulas(id, phase) {
  const node = Study.node(id);
  if (node.kind !== "op") return null;
  const { forward, backward } = Study.formula(id);
  if (phase !== "backward") return h("div", { class: "formula main" }, forward);
  const shown = backward.filter((_, k) => node.inputs[k] >= 0 && Study.edge(id, k) >= 0);
  return h(
      "div", null, h("div", { class: "formula main backward" }, shown.length ? shown : backward),
      id === Study.data.loss ?
          null :
          h("p", { class: "note" },
            "dy is the gradient of the result y, as it comes back from the loss. The others are what this op sends on to its inputs."));
}

/** Elements of a slot whose gradient was checked. */
const checked = (slot) => (slot.grad ? Study.proofsOf(slot.node) : []);

function elementField(slot, choose) {
  const shape = Study.shapeOf(slot.node);
  if (shape.length === 0) return null;
  return h("input", {
    class: "pick",
    size: 12,
    "aria-label": "Element by its index",
    placeholder: `element, as ${shape.map(() => "0").join(",")}`,
    title: "Type the index of an element and press Enter",
    onkeydown(event) {
      event.stopPropagation();
      if (event.key !== "Enter") return;
      const index = this.value.split(/[^0-9]+/).filter(Boolean).map(Number);
      const fits = index.length === shape.length && index.every((i, d) => i < shape[d]);
      this.setAttribute("aria-invalid", String(!fits));
      if (fits) choose(Study.shapes.flat(index, shape));
    }
  });
}

function chips(slot, choose) {
  const proofs = checked(slot), shape = Study.shapeOf(slot.node);
  if (proofs.length === 0) return null;
  return h(
      "p", { class: "checked" }, "Checked by differences: ",
      proofs.slice(0, 8).map(
          (entry) =>
              h("button", {
                type: "button",
                class: "chip",
                title: `relative error ${Study.short(entry.error, 2)}`,
                onclick: () => choose(entry.element)
              },
                Study.place(entry.element, shape) || "the number")));
}

function numbers() {
  const { slot, focus } = state, choose = (flat) => focusOn(slot, flat);
  const width = Math.max(260, Math.min(760, pane.clientWidth - 44)),
        mine = focus && focus.tensor === slot.tensor;
  const marks = focus && !mine ? Study.takesPart(focus, slot.node, slot.grad) : [];
  const map = Study.heatMap(slot.tensor, {
    width,
    height: Math.max(90, Math.min(260, innerHeight * 0.27)),
    chosen: mine ? focus.flat : undefined,
    marks,
    rings: checked(slot).map((entry) => entry.element),
    onChoose: choose,
    label: `${slot.name}, ${Study.shapeText(Study.shapeOf(slot.node))}`,
    axes: Study.axesOf(slot.node),
    dimensions: Study.dimensionsOf(slot.node),
    hint: "Click a number to see where it comes from."
  });
  Study.currentMap = map;
  return h(
      "div", { class: "numbers" }, map.element,
      h("div", { class: "picking" }, elementField(slot, choose), chips(slot, choose)),
      slot.node !== state.node && !slot.edge ?
          h("button", { type: "button", class: "link", onclick: () => Study.visit(slot.node) },
            `Go to ${Study.nameOf(slot.node)}, which made ${slot.name}`) :
          null);
}

function slotButtons(slots) {
  return Study.choice(
      "Tensors of this op",
      slots.map(
          (slot) =>
              [slot.key, slot.name,
               `${slot.grad ? "gradient" : "value"} of ${Study.nameOf(slot.node)}, ${
                   Study.shapeText(Study.shapeOf(slot.node))}`]),
      state.slot?.key, (key) => {
        state.slot = slots.find((slot) => slot.key === key);
        render();
      });
}

function derivation(id) {
  const { op } = Study.node(id);
  if (!Study.derivations?.includes(op)) return null;
  const flat = state.focus && (state.focus.node === id || Study.node(id).inputs[0] === state.focus.node) ?
      state.focus.flat :
      0;
  return h(
      "details", {
        class: "derive",
        ontoggle() {
          if (this.open && this.children.length === 1)
            this.append(Study.derivation(id, flat) ?? h("p", null, "Its numbers did not travel."));
        }
      },
      h("summary", null, "The rule derived, with the numbers of this row"));
}

const focusOf = ({ node, grad, edge, name, tensor }, flat) => ({ node, flat, grad, edge, name, tensor });

/** The element that is opened at first: one that was checked, or the largest; rather one whose sum
    can be shown, if large tensors came only in part. */
function openFirst() {
  const { slot } = state;
  if (!slot || Study.node(state.node).kind !== "op" || Study.data.tensors[slot.tensor].count === 0) return;
  const candidates = [...checked(slot).map((entry) => entry.element), ...Study.largestOfRows(slot.tensor)];
  const flat = candidates.slice(0, 24).find((each) => Study.isWhole(focusOf(slot, each))) ?? candidates[0];
  state.focus = focusOf(slot, flat);
}

// --------------------------------------------------------------------------------- drawing

function focusOn(slot, flat) {
  state.slot = slot;
  state.focus = focusOf(slot, flat);
  const top = pane.scrollTop;
  render();
  const card = pane.querySelector(".element");
  pane.scrollTop = top;
  if (card && card.getBoundingClientRect().top > pane.getBoundingClientRect().bottom - 220)
    card.scrollIntoView({ block: "nearest" });
  Study.emit("focus", state.focus);
}

function render() {
  const { node, phase } = state, slots = slotsOf(node, phase);
  state.slot = slots.find((slot) => slot.key === state.slot?.key && slot.tensor === state.slot.tensor) ??
      firstSlot(slots, phase);
  if (!state.focus) openFirst();
  const { focus } = state;
  const views = Study.choice(
      "Direction", [["forward", "Forward"], ["backward", "Backward"]],
      phase === "backward" ? "backward" : "forward", (to) => {
        state.phase = to;
        state.slot = null;
        state.focus = null;
        render();
        Study.graph.redraw();
      });
  const isOp = Study.node(node).kind === "op",
        hasBack = Study.node(node).grad >= 0 || node === Study.data.loss;
  pane.dataset.node = node;
  pane.dataset.phase = phase;
  Study.redrawn(
      pane,
      () => pane.replaceChildren(
          ...[heading(node),
              h("div", { class: "row" }, isOp && hasBack ? views : null,
                slots.length > 1 ? slotButtons(slots) : null),
              formulas(node, phase),
              node === Study.data.loss && phase === "forward" ?
                  h("p", { class: "lead" },
                    `All that came before ends in this one number, ${
                        Study.exact(Study.data.step
                                        ?.loss)}: how wrong the model was. The backward pass starts here.`) :
                  null,
              state.slot ? numbers() : null, focus ? Study.elementCard(focus) : null,
              isOp && hasBack ? derivation(node) : null,
              phase === "update" ? Study.updateCard(node, focus ? focus.flat : undefined) : null,
              state.slot ?
                  h("section", { class: "about-tensor" }, h("h3", null, `${state.slot.name} as a whole`),
                    Study.statistics(state.slot.tensor), Study.sampling(state.slot.tensor)) :
                  null]
              .filter(Boolean)));
}

/** Shows a node. given: {phase, flat, grad}. */
Study.show = function(id, given = {}) {
  Study.showTab("walk");
  const isSame = state.node === id;
  state.node = id;
  state.phase = given.phase === "loss" ? "forward" : given.phase ?? state.phase;
  if (state.phase === "start") state.phase = "forward";
  state.slot = state.focus = null;
  render();
  if (!isSame) pane.scrollTop = 0;
  Study.graph.reveal(id);
  Study.emit("node", id);
  if (given.flat !== undefined) {
    const slots = slotsOf(id, state.phase),
          slot = slots.find((s) => s.node === id && s.grad === Boolean(given.grad));
    if (slot) focusOn(slot, given.flat);
  }
};

// --------------------------------------------------------------------------------- history

const history = [];
/** Goes to a node from anywhere, and to its step of the walk if it has one. */
Study.visit = function(id, given = {}) {
  if (state.node >= 0)
    history.push({
      id: state.node,
      phase: state.phase,
      flat: state.focus?.node === state.node ? state.focus.flat : undefined,
      grad: state.focus?.grad
    });
  const phase = given.grad === undefined ?
      (state.phase === "update" || Study.walk.step.phase === "update" ? "forward" : state.phase) :
      given.grad ? "backward" :
                   "forward";
  const { steps } = Study.walk,
                at = steps.findIndex(
                    (step) => step.node === id &&
                        (step.phase === phase || (phase === "forward" && step.phase === "loss")));
  if (at >= 0) Study.go(at);
  Study.show(id, {...given, phase });
  Study.emit("history", history.length);
};
Study.previous = function() {
  const last = history.pop();
  if (!last) return;
  const length = history.length;
  Study.visit(last.id, last.flat === undefined ? { grad: last.phase === "backward" } : last);
  history.length = length;
  Study.emit("history", history.length);
};

Study.panel = function() {
  pane = h("section", { class: "pane panel", id: "panel", "aria-label": "The current node", tabindex: "-1" });
  Study.panelElement = pane;
  return pane;
};
Study.forgetNode = () => {
  state.node = -1;
  state.slot = state.focus = null;
};
Study.redrawPanel = () => {
  if (state.node >= 0) render();
};
})((globalThis.Study ??= {}));
