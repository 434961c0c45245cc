// Runs in the browser: prints what the page knows of the softmax of rules_test.cpp.
(function (Study) {
  "use strict";

  const [{ data, numbers }] = JSON.parse(document.getElementById("cases").textContent);
  const blob = new Float32Array(Uint8Array.from(atob(numbers), (c) => c.charCodeAt(0)).buffer);
  Study.data = data;
  Study.at = (tensor, flat) => blob[data.tensors[tensor].at + flat];

  const id = data.nodes.findIndex((node) => node.op === "softmax"), all = Study.shapes.range(6);
  const print = (x) => (Math.abs(x) < 1e-9 ? 0 : x).toFixed(6);
  const sums = all.map((j) => Study.terms(id, 0, j));
  const derivation = Study.derivation(id, 0);
  const said = [...derivation.querySelectorAll("math")].map((math) => math.getAttribute("aria-label"));
  const expected = ["y = e^(x − max) / s = (0.16667, 0.33333, 0.5)", "dy = (6, 0, 0)", "Σ_i dy_i · y_i = 1",
    "dx[0] = 0.16667 · (6 − 1) = 0.83333", "dx = (0.83333, −0.33333, −0.5)"];

  document.body.textContent = [
    `y ${all.map((i) => print(Study.forwardTerms(id, i).sum)).join(" ")}`,
    `dx ${sums.map(({ sum }) => print(sum)).join(" ")}`,
    `recorded ${sums.map(({ recorded }) => print(recorded)).join(" ")}`,
    ...sums[0].terms.map(({ label, value }) => `term ${label} = ${print(value)}`),
    `derivation ${expected.filter((text) => said.includes(text)).length} of ${expected.length}`,
    ...said.map((text) => `said ${text}`),
  ].join("\n");
})(globalThis.Study);
