// The walk: one step for every op forward, then the loss, then backward, then the update.
(function(Study) {
"use strict";

const { h } = Study;
const PHASES = [
  ["start", "Start"], ["forward", "Forward pass"], ["loss", "Loss"], ["backward", "Backward pass"],
  ["update", "Update"]
];
let steps = [], at = 0, timer = null, unit = 99, parts = {};

/** All steps: {phase, node}. */
function listSteps() {
  const { nodes, loss, update } = Study.data, { root, isOpen } = Study.graph;
  const drawn = [];
  (function visit(item) {
    if (item.kind === "module") return item.children.forEach(visit);
    if (item.kind === "fused" && isOpen(item.key)) item.children.forEach(visit);
    if (item.kind !== "leaf") drawn.push(item.id);
  })(root);
  const forward = drawn.filter((id) => id !== loss);
  const back = drawn.filter((id) => nodes[id].grad >= 0 || id === loss)
                   .sort((a, b) => orderOf(nodes[a]) - orderOf(nodes[b]) || b - a);
  const weights = update ? update.weights.map((w) => w.node) :
                           nodes.flatMap((node, id) => (node.kind === "parameter" ? [id] : []));
  return [
    { phase: "start", node: -1 }, ...forward.map((node) => ({ phase: "forward", node })),
    { phase: "loss", node: loss }, ...back.map((node) => ({ phase: "backward", node })),
    ...weights.map((node) => ({ phase: "update", node }))
  ];
}
const orderOf = (node) => (node.backward_order >= 0 ? node.backward_order : Infinity);

/** The steps of the walk, and where it stands. */
Study.walk = {
  get steps() { return steps; },
  get at() { return at; },
  get step() { return steps[at]; }
};

/** Goes to a step by its number. */
Study.go = function(to) {
  at = Math.max(0, Math.min(steps.length - 1, to));
  parts.range.value = String(at);
  const { phase, node } = steps[at];
  say();
  Study.emit("step", steps[at]);
  if (node >= 0)
    Study.show(node, { phase });
  else
    Study.showStart();
};

const moduleOf = (id) => Study.steps_of_path(Study.node(id).path).slice(0, unit).join(".");
const isSame = (a, b) =>
    a.phase === b.phase && a.node >= 0 && b.node >= 0 && unit < 99 && moduleOf(a.node) === moduleOf(b.node);

/** One unit further: an op, or to the first op of the next module. */
Study.forward = function() {
  let to = at + 1;
  while (to < steps.length && isSame(steps[at], steps[to])) to += 1;
  if (to >= steps.length) return stop();
  Study.go(to);
};
Study.back = function() {
  let to = at - 1;
  while (to > 0 && isSame(steps[to], steps[to - 1])) to -= 1;
  Study.go(to);
};
Study.toPhase = (phase) => Study.go(steps.findIndex((step) => step.phase === phase));

function stop() {
  clearInterval(timer);
  timer = null;
  parts.play.textContent = "▶ Play";
}
Study.play = function() {
  if (timer) return stop();
  if (at === steps.length - 1) Study.go(0);
  parts.play.textContent = "❚❚ Pause";
  timer = setInterval(Study.forward, Number(parts.speed.value));
};

/** Coarser or finer steps: by a number of module levels, or op by op. */
Study.changeUnit = function(by) {
  const values = [...parts.unit.options].map((option) => Number(option.value)), now = values.indexOf(unit);
  unit = values[Math.max(0, Math.min(values.length - 1, now + by))];
  parts.unit.value = String(unit);
};

// --------------------------------------------------------------------------------- the bar

const nouns = {
  forward: "Forward",
  backward: "Backward",
  update: "Update"
};
function say() {
  const { phase, node } = steps[at], all = steps.filter((step) => step.phase === phase);
  const number = all.indexOf(steps[at]) + 1,
        where = node >= 0 && Study.node(node).path ? ` in ${Study.node(node).path}` : "";
  parts.now.textContent = phase === "start" ? "Press → to take the first step." :
      phase === "loss"                      ? `The loss: ${Study.short(Study.data.step.loss, 6)}` :
                                              `${nouns[phase]} ${number} of ${all.length}: ${Study.nameOf(node)}${where}`;
  parts.now.title = parts.now.textContent;
  for (const button of parts.phases.children) {
    button.setAttribute("aria-current", button.dataset.phase === phase ? "step" : "false");
    const mine = PHASES.findIndex(([name]) => name === button.dataset.phase),
          now = PHASES.findIndex(([name]) => name === phase);
    button.querySelector("i").style.width = mine < now ? "100%" :
        mine > now                                     ? "0" :
                                                         `${(100 * number) / all.length}%`;
  }
}

function phaseButtons() {
  parts.phases.replaceChildren(
      ...PHASES.filter(([name]) => name !== "start" && steps.some((step) => step.phase === name))
          .map(([name, text]) => {
            const count = steps.filter((step) => step.phase === name).length;
            return h(
                "button", {
                  type: "button",
                  class: "phase",
                  "data-phase": name,
                  style: `flex:${Math.max(count, steps.length * 0.1)}`,
                  title: `${text}: ${count} ${count === 1 ? "step" : "steps"}`,
                  onclick(event) {
                    const { left, width } = this.getBoundingClientRect(),
                                        first = steps.findIndex((step) => step.phase === name);
                    Study.go(
                        event.detail ? first +
                                Math.min(count - 1, Math.floor(((event.clientX - left) / width) * count)) :
                                       first);
                  }
                },
                h("i", null), h("span", null, text, count > 1 ? h("small", null, ` ${count}`) : null));
          }));
}

const button = (text, label, run) =>
    h("button", { type: "button", "aria-label": label, title: label, onclick: run }, text);

/** The bar with buttons, progress and what the walk is doing now. */
Study.transport = function() {
  const deepest =
      Math.min(4, Math.max(0, ...Study.data.nodes.map((node) => Study.steps_of_path(node.path).length)));
  const units =
      [...Array.from({ length: deepest }, (_, i) => [i + 1, `module, level ${i + 1}`]), [99, "op by op"]];
  parts = {
    play:
        h("button", { type: "button", class: "primary", title: "Play or pause (space)", onclick: Study.play },
          "▶ Play"),
    unit:
        h("select", {
          "aria-label": "Size of a step",
          title: "Size of a step (↑ coarser, ↓ finer)",
          onchange() { unit = Number(this.value); }
        },
          units.map(([value, text]) => h("option", { value, selected: value === 99 }, text))),
    speed:
        h("select", {
          "aria-label": "Speed",
          title: "Speed",
          onchange() {
            if (timer) {
              stop();
              Study.play();
            }
          }
        },
          [[1600, "slow"], [700, "normal"], [150, "fast"]].map(
              ([value, text]) => h("option", { value, selected: value === 700 }, text))),
    range: h("input", {
      type: "range",
      class: "where",
      min: 0,
      max: 0,
      value: 0,
      "aria-label": "Step of the walk",
      oninput() { Study.go(Number(this.value)); }
    }),
    phases: h("div", { class: "phases", role: "group", "aria-label": "Phases" }),
    now: h("p", { class: "now", role: "status" }),
  };
  Study.on("tree", refresh);
  refresh();
  return h(
      "div", { class: "transport", role: "toolbar", "aria-label": "Walk" },
      button("|◀", "First step (Home)", () => Study.go(0)), button("◀", "One step back (←)", Study.back),
      parts.play, button("▶", "One step further (→)", Study.forward),
      button("▶|", "Last step (End)", () => Study.go(steps.length - 1)), parts.unit, parts.speed,
      h("div", { class: "line" }, parts.phases, parts.range), parts.now);
};

/** Lists the steps again: after a change of what is shown. */
function refresh() {
  const before = steps[at];
  steps = listSteps();
  at = before ?
      Math.max(0, steps.findIndex((step) => step.phase === before.phase && step.node === before.node)) :
      0;
  parts.range.max = String(steps.length - 1);
  parts.range.value = String(at);
  phaseButtons();
  say();
}
})((globalThis.Study ??= {}));
