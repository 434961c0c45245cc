// Runs in the browser, after check.js: what the pictures of the page say, and that the keyboard
// reaches them.
(function (Study) {
  "use strict";

  const { fail, count, check, equal, press, nameOf } = Study.checks;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const click = (text, within = document) => {
    const button = all("button", within).find((each) => each.textContent === text && each.offsetParent);
    if (button) button.click();
    else fail(`there is no button “${text}”`);
  };
  const page = () => document.getElementById("page-attention");

  /** The arrow keys move in a matrix, all matrices follow, and Enter follows the query. */
  function matrices() {
    if (!Study.data.attention.length) return;
    Study.followQuery(0, 0, 1);
    const shown = all(".matrix", page()), first = shown[0];
    equal(shown.length, 2, "matrices of weights and gradient");
    check(first.tabIndex === 0 && first.getAttribute("aria-label").includes("Arrow keys"), "a matrix has no keyboard");
    first.focus();
    for (const key of ["ArrowDown", "ArrowRight", "ArrowRight"]) press(key, first);
    const of = Study.data.attention[0], { rows, columns } = Study.attention.sizes(of);
    const said = all(".matrix + .reading b", page()).map((each) => each.textContent);
    equal(said[0], Study.attention.said(Study.attention.at(of, of.weights, { head: 0 }, 2, 2)), "the weight that is read out");
    if (of.grad >= 0) equal(said[1], Study.attention.said(Study.attention.at(of, of.grad, { head: 0 }, 2, 2)), "the gradient that is read out");
    press("Enter", first);
    equal(Study.attentionState.query, 2, "the query that Enter follows");
    equal(document.activeElement?.dataset.focus, "weights", "the focus after Enter");
    labels(all(".matrix", page())[0], of, rows, columns);
    count("matrices moved in");
  }

  /** Every position has a name: a picture of its patch, or a text; of many texts every k-th. */
  function labels(matrix, of, rows, columns) {
    const isPicture = Boolean(Study.data.pictures?.[of.keys]);
    const texts = all("text:not(g g text)", matrix).length, pictures = all("image", matrix).length - 1;
    if (isPicture) equal(pictures + all(".token-label", matrix).length, rows + columns, "patches along the sides");
    else check(texts >= Math.floor((rows + columns) / 4) && texts > 4, `${texts} labels for ${rows} × ${columns}`);
    const names = Study.attention.names(of.keys, columns);
    if (names[0].long === "the class token") count("class tokens");
    if (isPicture) check(names.every(({ long }) => /^(patch \d+, \d+|the class token)$/.test(long)), `a patch is called ${names[0].long}`);
  }

  /** Two heads side by side; one query through the heads, and through the layers of its kind. */
  function heads() {
    const alone = Study.data.attention.length === 1 && Study.attention.sizes(Study.data.attention[0]).heads === 1;
    if (!Study.data.attention.length || alone) return;
    Study.followQuery(0, 0, 1);
    click("Compare two heads", page());
    equal(all(".matrix", page()).length, 3, "matrices of A, B and A − B");
    const of = Study.data.attention[0], { at, head } = Study.attentionState.other;
    const a = Study.attention.at(of, of.weights, { head: 0 }, 1, 0), b = Study.attention.at(Study.data.attention[at], Study.data.attention[at].weights, { head }, 1, 0);
    equal(all(".matrix + .reading b", page())[2].textContent, Study.attention.said(a === undefined || b === undefined ? undefined : a - b), "the difference");
    equal(all(".heads .other").length, 1, "marks on the other head");
    check(page().scrollWidth <= page().clientWidth + 1, `the attention page scrolls sideways by ${page().scrollWidth - page().clientWidth}`);
    const alike = Study.data.attention.filter((other) => Study.attention.alike(of, other)).length;
    equal(all(".followed", page()).length, Study.attention.sizes(of).heads, "rows of the heads");
    for (const through of ["layers", "mean"]) {
      Study.chooseAttention({ through });
      equal(all(".followed", page()).length, alike, `rows of the layers (${through})`);
    }
    Study.chooseAttention({ through: "heads", view: "gradient" });
    count("heads compared");
  }

  /** Tensors of more than two dimensions are turned page by page; names stand along the right sides. */
  function heatMaps() {
    const { nodes, tensors } = Study.data;
    const paged = nodes.findIndex((node) => node.kind === "op" && node.group < 0 && Study.isPaged(tensors[node.value]) && !tensors[node.value].rows);
    if (paged >= 0) {
      Study.visit(paged, { flat: 0, grad: false });
      const { shape } = tensors[nodes[paged].value], name = () => document.querySelector(".page-name").textContent;
      const before = name(), canvas = document.querySelector(".heat-map canvas");
      press("PageDown", canvas);
      check(name() !== before, `Page Down stays at ${before}`);
      equal(Study.matrixOf(tensors[nodes[paged].value], Study.values(nodes[paged].value), 1).flat(0, 0), shape.at(-1) * shape.at(-2), "the first element of page 1");
      click("all", Study.panelElement);
      check(name().startsWith("all "), `all pages are called ${name()}`);
      count("pages turned");
    }
    nodes.forEach((node, id) => {
      const axes = node.kind === "op" ? Study.axesOf(id) : null;
      (axes ?? []).forEach((names, d) => {
        if (names) equal(names.length, Study.shapeOf(id)[d], `names along dimension ${d} of ${nameOf(id)}`);
      });
      if (axes?.some(Boolean)) count("tensors with names");
    });
  }

  /** Marks for what is not finite, and a legend that says where the colours end. */
  function legends() {
    const text = (values, scale) => Study.legend(values, scale).flat().filter(Boolean).map((each) => each.textContent).join("|");
    const said = text([1, -2, NaN, Infinity, -Infinity, -Infinity, 9], 2);
    check(said.includes("NaN: 1") && said.includes("▲∞: 1") && said.includes("−∞: 2"), `the legend says ${said}`);
    check(said.includes("full colour from ±2 on; the largest is 9"), `the legend hides that colours end: ${said}`);
    check(!text([1, -2], 2).includes("full colour"), "the legend says that colours end where they do not");
    const colours = [NaN, Infinity, -Infinity, undefined, 1, -1, 0].map((x) => Study.cellColour(x, 1).join());
    equal(new Set(colours).size, colours.length, "different colours");
  }

  /** No two words of a formula run together, and no text of one loses its space. */
  function formulas() {
    const isWord = (element) => element?.localName === "mi" && element.textContent.length > 1;
    Study.data.nodes.forEach((node, id) => {
      if (node.kind !== "op") return;
      const { forward, backward } = Study.formula(id);
      for (const math of [forward, ...backward])
        for (const each of math.querySelectorAll("mi, mtext")) {
          check(!(isWord(each) && isWord(each.nextElementSibling)), `${nameOf(id)}: “${each.textContent}${each.nextElementSibling?.textContent}” runs together`);
          check(!/^ | $/.test(each.textContent), `${nameOf(id)}: “${each.textContent}” loses its space`);
        }
    });
    equal(Study.maths("q, the target").textContent, "q,the\u00a0target", "words of a formula");
  }

  /** The boxes of the graph are reached with Tab, and walked, folded and chosen with keys. */
  function graphKeys() {
    Study.showTab("walk");
    Study.go(0);
    const tree = document.querySelector(".graph"), box = () => document.activeElement;
    const first = tree.querySelector("[tabindex='0']");
    check(first && tree.getAttribute("role") === "tree", "no box of the graph can be reached with Tab");
    first.focus();
    const seen = new Set([box().dataset.key]);
    press("Home", box());
    for (let i = 0; i < 400; ++i) {
      const before = box().dataset.key;
      press("ArrowDown", box());
      if (box().dataset.key === before) break;
      seen.add(box().dataset.key);
    }
    check(seen.size > 3, `the arrow keys reach ${seen.size} boxes`);
    press("Home", box());
    while (box().getAttribute("aria-expanded") === null && seen.delete(box().dataset.key)) press("ArrowDown", box());
    const key = box().dataset.key, was = box().getAttribute("aria-expanded");
    if (was !== null) {
      press(" ", box());
      equal(box().dataset.key, key, "the box that has the focus after Space");
      check(box().getAttribute("aria-expanded") !== was, "Space does not fold");
      press(" ", box());
    }
    press("End", box());
    const node = Number(box().dataset.node);
    press("Enter", box());
    equal(Study.current.node, node, "the node that Enter shows");
    count("boxes reached", seen.size);
  }

  Study.checks.run([matrices, heads, heatMaps, legends, formulas, graphKeys]);
})(globalThis.Study);
