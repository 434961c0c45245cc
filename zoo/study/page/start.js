// The frame: header, tabs, the first screen, keys, light and dark; and the start.
(function(Study) {
"use strict";

const { h, short } = Study;
const TABS = [
  ["walk", "Walk"], ["attention", "Attention"], ["proof", "Parameters & proof"], ["update", "Update"],
  ["learning", "Learning"], ["compare", "Compare"]
];
const made = new Set();
let pages = {}, buttons = {}, shown = "";

/** Shows a tab; its page is built when it is first wanted. */
Study.showTab = function(name) {
  if (shown === name || !pages[name] || buttons[name].disabled) return;
  shown = name;
  for (const [other] of TABS) {
    pages[other].hidden = other !== name;
    buttons[other].setAttribute("aria-selected", String(other === name));
    buttons[other].tabIndex = other === name ? 0 : -1;
  }
  document.body.dataset.tab = name;
  if (!made.has(name) && Study.pages[name]) pages[name].append(Study.pages[name]());
  made.add(name);
  if (name === "walk") Study.graph.redraw();
};
Study.pages ??= {};

const isEmpty = {
  attention: (data) => !data.attention?.length && "This model has no attention.",
  update: (data) => !data.update && "No optimiser was part of this recording.",
  learning: (data) => !data.learning && "Curves come from a run folder: tarsier study FOLDER.",
  compare: (data) => !data.against && "For two models on the same input: tarsier study A --against B.",
};

/** In the row of tabs the arrow keys go to the next tab that has something. */
function onTabKey(event) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!by) return;
  event.preventDefault();
  event.stopPropagation();
  const names = TABS.map(([name]) => name).filter((name) => !buttons[name].disabled);
  const to = names[(names.indexOf(shown) + by + names.length) % names.length];
  Study.showTab(to);
  buttons[to].focus();
}

function header() {
  const tabs = h("div", { class: "tabs", role: "tablist", onkeydown: onTabKey }, TABS.map(([name, text]) => {
    const why = isEmpty[name]?.(Study.data) || null;
    buttons[name] =
        h("button", {
          type: "button",
          role: "tab",
          id: `tab-${name}`,
          "aria-controls": `page-${name}`,
          "aria-selected": "false",
          disabled: Boolean(why),
          title: why,
          onclick: () => Study.showTab(name)
        },
          text);
    return buttons[name];
  }));
  const dark =
      h("button", {
        type: "button",
        class: "round",
        title: "Light or dark",
        "aria-label": "Light or dark",
        onclick() {
          const { theme } = document.documentElement.dataset,
                        isDark =
                            theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
          document.documentElement.dataset.theme = isDark ? "light" : "dark";
          recolour();
        }
      },
        "◐");
  const help =
      h("button", {
        type: "button",
        class: "round",
        title: "Introduction and keys (?)",
        "aria-label": "Introduction and keys",
        onclick: () => Study.go(0)
      },
        "?");
  const back =
      h("button", {
        type: "button",
        class: "round",
        title: "Back to where you were (Backspace)",
        "aria-label": "Back to where you were",
        disabled: true,
        onclick: Study.previous
      },
        "↩");
  Study.on("history", (length) => {
    back.disabled = length === 0;
  });
  return h(
      "header", { class: "top" }, h("h1", { title: Study.data.command }, Study.data.title),
      h("span", { class: "loss" }, `loss ${short(Study.data.step?.loss, 5)}`), tabs, back, help, dark);
}

function recolour() {
  Study.redrawPanel();
  for (const name of [...made])
    if (name !== "walk") {
      pages[name].replaceChildren();
      made.delete(name);
    }
  const now = shown;
  shown = "";
  Study.showTab(now);
}

// --------------------------------------------------------------------------------- first screen

const KEYS = [
  ["→ ←", "step"], ["↑ ↓", "coarser, finer steps"], ["space", "play"], ["[ ]", "along a trail"],
  ["⇧ arrows", "move the chosen element"], ["PgUp PgDn", "pages of a tensor, in its picture"],
  ["Tab", "to the graph, pictures, curves: arrows move there"], ["/", "search"], ["1 – 6", "tabs"],
  ["⌫", "back to where you were"], ["Esc", "leave a trail"]
];

function invitation(title, text, label, run) {
  return h(
      "li", null, h("h3", null, title), h("p", null, text),
      h("button", { type: "button", class: "primary", onclick: run }, label));
}

const counted = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;

function introduction() {
  const { data } = Study, bad = data.nodes.findIndex((node) => node.bad);
  const ops = data.nodes.filter((node) => node.kind === "op" && node.group < 0 && !Study.isView(node)).length;
  const parameters = data.nodes.filter((node) => node.kind === "parameter").length;
  const first = data.nodes.find(
      (node) => node.kind === "op" && node.group < 0 && node.grad >= 0 &&
          node.inputs.some((input) => data.nodes[input]?.kind === "parameter"));
  const last =
      first ? data.nodes[first.inputs.find((input) => data.nodes[input]?.kind === "parameter")] : null;
  return [
    h("header", { class: "intro" }, h("h2", null, "One training step, number by number"),
      h("p", null,
        `On the left is everything that the model computed, from the input at the top to the loss at the bottom: ${
            counted(ops, "operation")}${
            parameters ? `, and ${counted(parameters, "table")} of numbers that it learns, its parameters` :
                         ""}. The numbers are real: they were recorded while the program ran.`),
      bad >= 0 ?
          h("p", { class: "wrong" },
            "Something went wrong in this pass: a number is not finite. The first was made by ",
            h("button", { type: "button", class: "link", onclick: () => Study.visit(bad, { grad: false }) },
              Study.nameOf(bad)),
            Study.node(bad).path ? ` in ${Study.node(bad).path}.` : ".") :
                                   null,
      h("p", null, h("b", { class: "blue" }, "Forward"),
        ", each operation makes new numbers out of those above it. At the end stands one number, the loss: how wrong the model was. ",
        h("b", { class: "orange" }, "Backward"),
        ", every operation answers one question for each of its numbers: if it grew a little, how much would the loss grow? That answer is its gradient. The ",
        h("b", { class: "green" }, "update"), " then moves every parameter a little against its gradient.")),
    h("ol", { class: "invitations" },
      invitation(
          "Walk", "Step through the operations with the arrow keys, forward to the loss and back again.",
          "Take the first step", Study.forward),
      last ? invitation(
                 "Follow one number",
                 `Start at the loss and follow the strongest gradient down to ${
                     last.name}. Every sum on the way can be opened.`,
                 "From the loss down", () => Study.startTrail(Study.pathDown())) :
             null,
      last ?
          invitation(
              "And back", "Or start at the parameter, and see through which operations it acts on the loss.",
              "From the parameter up",
              () => {
                const { node, flat } = Study.pathDown().at(-1);
                Study.startTrail(Study.path(node, flat));
              }) :
          null,
      data.attention?.length ?
          invitation(
              "Look at attention",
              `Which ${
                  Object.keys(data.pictures ?? {}).length ? "patch" :
                                                            "token"} looks at which, in every layer and head, and what the loss would change.`,
              "Open the matrices", () => Study.showTab("attention")) :
          null,
      !data.attention?.length ?
          invitation(
              "Check it", "Every gradient can be tested: move a number a little, and see what the loss does.",
              "Open the proof", () => Study.showTab("proof")) :
          null),
    h("p", { class: "note" },
      "Every coloured cell is a number: orange is above zero, blue is below. Click one, and the page writes out the sum that it came from.")
  ];
}

function facts() {
  const { data } = Study, step = data.step ?? {};
  const rows = [
    ...(data.facts ?? []), ["step", step.number], ["loss", short(step.loss, 6)], ["items", step.items],
    ["learning rate", step.learning_rate ? short(step.learning_rate) : ""], ["seed", step.seed],
    ["forward pass", step.forward_us ? Study.time(step.forward_us) : ""],
    ["backward pass", step.backward_us ? Study.time(step.backward_us) : ""], ["made by", data.command],
    ["version", data.version]
  ];
  return h(
      "div", { class: "about" }, h("h3", null, "This recording"),
      h("dl", { class: "facts-list" },
        rows.filter(([, value]) => value !== "" && value !== undefined && value !== null)
            .map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, String(value))))),
      h("h3", null, "Keys"),
      h("dl", { class: "facts-list" },
        KEYS.map(([key, text]) => h("div", null, h("dt", null, h("kbd", null, key)), h("dd", null, text)))));
}

Study.showStart = function() {
  Study.showTab("walk");
  Study.forgetNode();
  Study.panelElement.dataset.node = "";
  Study.panelElement.replaceChildren(...introduction().filter(Boolean));
  Study.panelElement.scrollTop = 0;
  Study.showFacts(facts());
  Study.graph.redraw();
};

// --------------------------------------------------------------------------------- keys

const KEY = {
  ArrowRight: () => Study.forward(),
  ArrowLeft: () => Study.back(),
  ArrowUp: () => Study.changeUnit(-1),
  ArrowDown: () => Study.changeUnit(1),
  " ": () => Study.play(),
  "/": () => Study.focusSearch(),
  Escape: () => Study.endTrail(),
  Home: () => Study.go(0),
  End: () => Study.go(Study.walk.steps.length - 1),
  "[": () => Study.trailStep(-1),
  "]": () => Study.trailStep(1),
  "?": () => Study.go(0),
  Backspace: () => Study.previous(),
};
function onKey(event) {
  const { target } = event;
  if (event.ctrlKey || event.altKey || event.metaKey ||
      target.closest("input:not([type=range]):not([type=checkbox]), select, textarea"))
    return;
  if (event.key === " " && target.closest("button, summary, input")) return;
  const tab = /^[1-6]$/.test(event.key) ? TABS[Number(event.key) - 1][0] : null,
        run = tab ? () => Study.showTab(tab) : KEY[event.key];
  if (event.key.startsWith("Arrow") && event.shiftKey && shown === "walk" && Study.current.node >= 0)
    return Study.currentMap.key(event);
  if (!run || (event.key.startsWith("Arrow") && (event.shiftKey || shown !== "walk"))) return;
  event.preventDefault();
  run();
}

/** What is marked in the graph now. */
Study.graph.marks = function() {
  const { steps, at, step } = Study.walk, { node, phase } = Study.current, done = new Set();
  const isBack = step?.phase === "backward" || step?.phase === "update";
  for (let i = 0; i <= at && i < steps.length; ++i)
    if ((steps[i].phase === "backward") === isBack || step?.phase === "update") done.add(steps[i].node);
  if (!isBack && steps[at]?.phase === "start") done.clear();
  return {
    shown: node >= 0 ? Study.graph.shown(node) : -1,
    phase: phase === "backward" ? "backward" :
        phase === "update"      ? "update" :
                                  "forward",
    done,
    trail: Study.trail.nodes,
    version: `${at} ${node} ${phase} ${Study.trail.version}`
  };
};

/** Builds the page. */
Study.start = function() {
  Study.load();
  document.title = `${Study.data.title} · study page`;
  const graph = Study.graph.pane();
  pages = Object.fromEntries(TABS.map(([name]) => [name, h("main", {
                                                     id: `page-${name}`,
                                                     class: `page ${name}`,
                                                     role: "tabpanel",
                                                     "aria-labelledby": `tab-${name}`,
                                                     hidden: true
                                                   })]));
  pages.walk.append(graph, Study.panel(), Study.sourcePane());
  document.getElementById("app").append(
      header(), Study.transport(), Study.trailBar(), ...Object.values(pages));
  Study.showTab("walk");
  Study.graph.begin();
  Study.go(0);
  document.addEventListener("keydown", onKey);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  document.body.dataset.ready = String(Math.round(performance.now()));
};
})((globalThis.Study ??= {}));
