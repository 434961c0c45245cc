// Runs in the browser, after check.js, on a page with a NaN in its pass: it is shown, and does no harm.
(function (Study) {
  "use strict";

  const { count, check, equal } = Study.checks;

  function firstNaN() {
    const { nodes, tensors } = Study.data, bad = nodes.flatMap((node, id) => (node.bad ? [id] : []));
    equal(bad.length, 1, "nodes that are marked as the first with a NaN");
    Study.go(0);
    const [link] = Study.panelElement.querySelectorAll(".wrong .link");
    equal(link?.textContent, Study.nameOf(bad[0]), "what the first screen names");
    link?.click();
    equal(Study.current.node, bad[0], "where the first screen leads");
    const said = Study.panelElement.textContent;
    check(said.includes("The first NaN or infinity of this pass is made here."), "the node does not say that it made the NaN");
    const { nan } = tensors[nodes[bad[0]].value].stats;
    check(said.includes(`NaN: ${nan}`) && nan > 0, `the legend does not count the ${nan} NaN`);
    check(document.querySelector(".box.bad"), "no box of the graph is marked");
    count("faults shown");
  }

  Study.checks.run([firstNaN]);
})(globalThis.Study);
