// Runs in the browser, after check.js, on a page with curves: they can be read, and no label is cut off.
(function (Study) {
  "use strict";

  const { count, check, equal, press } = Study.checks;
  const figures = () => [...document.querySelectorAll("#page-learning .charts figure")];

  function labels() {
    Study.showTab("learning");
    for (const chart of document.querySelectorAll(".chart"))
      for (const text of chart.querySelectorAll("text")) {
        const { x, width } = text.getBBox(), wide = chart.viewBox.baseVal.width;
        check(x >= 0 && x + width <= wide + 0.5, `“${text.textContent}” is cut off: from ${x} to ${x + width} of ${wide}`);
        count("labels seen");
      }
  }

  /** The arrow keys read out every step of every curve. */
  function reading() {
    const figure = figures()[0], { series } = Study.data.learning.charts[0], chart = figure.querySelector(".chart");
    const said = () => figure.querySelector(".reading").textContent;
    press("ArrowRight", chart);
    equal(said(), `step ${series[0].x[0]}: ${series[0].name} ${Study.short(series[0].y[0], 5)}`, "the first step");
    press("ArrowRight", chart);
    press("ArrowDown", chart);
    equal(said(), `step ${series[0].x[1]}: ${series[1].name} has no number`, "a step without a number");
    equal(figure.querySelectorAll(".curve circle").length, 1, "dots for numbers without neighbours");
  }

  /** Positive numbers can be seen on a logarithmic scale, others cannot. */
  function scales() {
    const [first, second] = figures(), heights = () => first.querySelector(".curve path").getAttribute("d");
    const before = heights(), log = [...first.querySelectorAll(".choice button")].find((each) => each.textContent === "log");
    log.click();
    check(heights() !== before, "the logarithmic scale is the linear one");
    equal(second.querySelectorAll(".choice").length, 0, "scales of numbers below zero");
    count("scales changed");
  }

  Study.checks.run([labels, reading, scales]);
})(globalThis.Study);
