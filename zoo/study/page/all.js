// What all scripts of the page use: small helpers that build it. Text of the data only ever becomes text,
// never markup. (The scripts run in the order of their names, so this one comes first.)
(function(Study) {
"use strict";

/** An element with attributes, listeners ("onclick") and children. */
function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on"))
      made.addEventListener(name.slice(2), value);
    else
      made.setAttribute(name, value === true ? "" : value);
  }
  made.append(
      ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}
Study.h = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
Study.svg = (name, attributes, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

/** A number in at most `digits` digits, with a real minus. */
Study.short = function(x, digits = 4) {
  if (x === undefined) return "?";
  if (x === null || Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const size = Math.abs(x);
  const text = size >= 1e-4 && size < 1e7 ? String(Number(x.toPrecision(digits))) :
                                            x.toExponential(digits - 1).replace(/\.?0+e/, "e");
  return text.replaceAll("-", "−");
};
Study.exact = (x) => Study.short(x, 9);

Study.shapeText = (shape) => (shape.length === 0 ? "one number" : shape.join(" × "));

/** 1234567 as 1.23 MB. */
Study.bytes = (n) =>
    (n < 1e3 ? `${n} bytes` :
         n < 1e6 ? `${Study.short(n / 1e3, 3)} kB` :
                   `${Study.short(n / 1e6, 3)} MB`);
Study.time = (us) => (us < 1e3 ? `${Study.short(us, 3)} µs` : `${Study.short(us / 1e3, 3)} ms`);

/** A group of buttons of which one is pressed: choices [[value, label], …]. */
Study.choice = function(label, choices, chosen, onChoose) {
  const group = Study.h("div", { class: "choice", role: "group", "aria-label": label });
  for (const [value, text, title] of choices)
    group.append(Study.h(
        "button", {
          type: "button",
          title,
          "data-focus": `${label} ${value}`,
          "aria-pressed": String(value === chosen),
          onclick() {
            for (const button of group.children) button.setAttribute("aria-pressed", String(button === this));
            onChoose(value);
          }
        },
        text));
  return group;
};

/** A list to choose from, with its label before it: choices [[value, text], …]. */
Study.select = (label, choices, chosen, onChoose) => Study.h(
    "label", null, `${label} `,
    Study.h(
        "select", {
          "aria-label": label,
          "data-focus": label,
          onchange() {
            onChoose(choices[this.selectedIndex][0]);
          }
        },
        choices.map(([value, text]) => Study.h("option", { value, selected: value === chosen }, text))));

/** Draws a part of the page again. The focus stays on what has the same "data-focus" as before. */
Study.redrawn = function(root, draw) {
  const focus = root.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  draw();
  if (focus !== undefined)
    root.querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
};

// --------------------------------------------------------------------------------- events

const listeners = {};
Study.on = (event, run) => (listeners[event] ??= []).push(run);
Study.emit = (event, ...values) => (listeners[event] ?? []).forEach((run) => run(...values));
})((globalThis.Study ??= {}));
