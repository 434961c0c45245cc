// Runs in the browser, after the page has started: what the parts of a check share. A part is a
// function; at the end the document holds lines "FAIL …", "counted …" and "ok end".
(function (Study) {
  "use strict";

  const lines = [], counted = {};
  const fail = (text) => { if (lines.length < 60) lines.push(`FAIL ${text}`); };
  window.addEventListener("error", (event) => fail(`error: ${event.message} (${event.filename.slice(-20)}:${event.lineno})`));

  Study.checks = {
    fail,
    count: (what, n = 1) => { counted[what] = (counted[what] ?? 0) + n; },
    check: (is, text) => { if (!is) fail(text); },
    equal: (is, expected, text) => { if (is !== expected) fail(`${text}: ${is}, not ${expected}`); },
    press: (key, target = document.body, more = {}) =>
      target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more })),
    nameOf: (id) => `${id} ${Study.data.nodes[id].op ?? Study.data.nodes[id].name}`,
    sizeOf: (tensor) => Study.shapes.count(Study.data.tensors[tensor].shape),
    /** Runs parts, one after the other. */
    run(parts) {
      for (const part of parts) {
        try { part(); } catch (error) { fail(`${part.name}: ${error.stack}`); }
      }
    },
    /** Writes down what was found, in place of the page. */
    end() {
      lines.push(...Object.entries(counted).map(([what, n]) => `counted ${n} ${what}`), "ok end");
      document.body.textContent = lines.join("\n");
    },
  };
})(globalThis.Study);
