// Runs in the browser, after check.js, on a page whose update is by an optimiser that needs whole
// matrices, and next to a recording of another input: the formula is shown, and the inputs are named.
(function (Study) {
  "use strict";

  const { count, check, equal } = Study.checks;

  function formula() {
    Study.showTab("update");
    const lines = [...document.querySelectorAll("#page-update .sum tr")], words = Study.data.update.formulas.muon;
    equal(lines.length, words.length, "lines of the formula");
    for (const [i, [said]] of words.entries()) {
      check(lines[i].textContent.startsWith(said), `line ${i} says ${lines[i].textContent}`);
      check(lines[i].querySelector("math"), `line ${i} has no formula`);
    }
    check(document.querySelector("#page-update .statistics"), "what was recorded is not shown");
    count("formula lines", lines.length);
  }

  function inputs() {
    Study.showTab("compare");
    equal(document.querySelector("#page-compare h2").textContent, "A and B", "the heading");
    check(document.querySelector("#page-compare .note").textContent.includes("one reads words"), "no reason is given");
    count("reasons given");
  }

  Study.checks.run([formula, inputs]);
})(globalThis.Study);
