// Learning: curves of the run, histograms of the weights at its beginning and its end, and samples.
(function(Study) {
"use strict";

const { h } = Study;
(Study.pages ??= {}).learning = function() {
  const { charts = [], histograms = [], samples = [] } = Study.data.learning;
  const parts = [
    h("h2", null, "How the model learned"),
    h("p", { class: "lead" },
      "Each step moved the weights a little. These curves say what came of it. Point at one, or use the arrow keys, to read it.")
  ];
  if (charts.length) parts.push(h("div", { class: "charts" }, charts.map((chart) => Study.lineChart(chart))));
  if (histograms.length)
    parts.push(
        h("h2", null, "Weights then and now"),
        h("p", { class: "lead" },
          "How often each size of weight occurs: dashed before training, orange now. Weights that learned something have spread out."),
        h("div", { class: "charts" }, histograms.map(Study.histogram)));
  if (samples.length)
    parts.push(
        h("h2", null, "What it wrote on the way"),
        samples.map(
            ({ step, text }) => [h("h3", null, `after ${step} steps`), h("p", { class: "sample" }, text)]));
  return h("div", null, parts);
};
})((globalThis.Study ??= {}));
