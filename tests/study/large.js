// Runs in the browser, after check.js, on a page with thousands of nodes.
(function (Study) {
  "use strict";

  const { count, check, equal, press } = Study.checks;

  function steps() {
    count("ms until the page was ready", Number(document.body.dataset.ready));
    count("nodes", Study.data.nodes.length);
    const begin = performance.now();
    press("Home");
    for (let i = 0; i < 20; ++i) press("ArrowRight");
    press("End");
    for (let i = 0; i < 20; ++i) press("ArrowLeft");
    equal(Study.walk.at, Study.walk.steps.length - 21, "the step after 20 back from the end");
    count("ms for a step", Math.round((performance.now() - begin) / 42));
  }

  /** From the loss to the parameter, and only steps nearby are listed. */
  function trail() {
    const down = Study.pathDown();
    equal(Study.data.nodes[down.at(-1).node].kind, "parameter", "the end of the trail");
    Study.startTrail(down);
    press("]");
    check(document.querySelectorAll(".crumb").length < 100, "all steps of the trail are listed");
    count("steps of the trail", down.length);
  }

  Study.checks.run([steps, trail]);
})(globalThis.Study);
