// Runs in the browser, after check.js, on a page with two recordings: what the compare tab says of them.
(function (Study) {
  "use strict";

  const { count, check, equal, press } = Study.checks;
  const a = Study.data, b = a.against;
  const all = (selector) => [...document.querySelectorAll(`#page-compare ${selector}`)];
  const near = (text, x) => Math.abs(Number(text.replaceAll("−", "-")) - x) <= 1e-3 * Math.abs(x) + 1e-9;

  function columns() {
    Study.showTab("compare");
    const [first, second] = all(".differences p").map((line) => line.textContent);
    check(first.startsWith(`A is ${a.title}`) && second.startsWith(`B is ${b.title}`), `the columns are called ${first} ${second}`);
    check(second.includes(Study.ownWords(b.title, a.title)), `B does not say what differs: ${second}`);
    equal(all(".facts-table th[scope=col]").map((cell) => cell.textContent).join(), ",A,B", "columns of the facts");
  }

  /** The norm of a module is the root of the sum of squares of its parameters. */
  function norms() {
    const rows = all(".norms tbody tr").map((row) => [...row.children].map((cell) => cell.textContent));
    const sizes = (data, name) => Math.sqrt(data.parameters
      .filter(({ node }) => name === Study.steps_of_path(data.nodes[node].path || data.nodes[node].name).slice(0, 2).join("."))
      .reduce((sum, entry) => sum + entry.grad_norm ** 2, 0));
    for (const [name, , , x, y] of rows) {
      if (x !== "–") check(near(x, sizes(a, name)), `${name}: the gradient of A is ${x}, not ${sizes(a, name)}`);
      if (y !== "–") check(near(y, sizes(b, name)), `${name}: the gradient of B is ${y}, not ${sizes(b, name)}`);
    }
    count("modules compared", rows.length);
  }

  /** Matrices of both and their difference, which all mark the same cell. */
  function attention() {
    const matrices = all(".compared-attention .matrix");
    equal(matrices.length, 3, "matrices of A, B and B − A");
    matrices[0].focus();
    for (let i = 0; i < 40; ++i) press("ArrowUp", matrices[0]);
    for (const key of ["ArrowLeft", "ArrowDown"]) press(key, matrices[0]);
    const [x, y] = [a, b].map((data) => Study.attention.at(data.attention[0], data.attention[0].weights, { head: 0 }, 1, 0, data));
    const said = all(".compared-attention .reading b").map((each) => each.textContent);
    equal(said.join(), [x, y, y - x].map(Study.attention.said).join(), "weights at the same cell");
    count("attentions compared");
  }

  /** The list of pairs, and the numbers of the chosen one. */
  function numbers() {
    const buttons = all(".long-list .link");
    buttons.at(-1).click();
    equal(all(".split .heat-map").length >= 2, true, "numbers of A and B");
    count("pairs listed", buttons.length);
  }

  Study.checks.run([columns, norms, attention, numbers]);
})(globalThis.Study);
