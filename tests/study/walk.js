// Runs in the browser, after check.js: walks through the page as a reader would.
(function (Study) {
  "use strict";

  const { fail, count, check, press, nameOf, sizeOf } = Study.checks;

  /** The steps of the whole walk, by keys, and back again over every border between two phases. */
  function walk() {
    for (const option of document.querySelectorAll(".option input:not(:checked)")) option.click();  // views as well
    const all = Study.walk.steps.length;
    press("Home");
    for (let i = 1; i < all; ++i) {
      press("ArrowRight");
      check(Study.walk.at === i, `the right arrow at step ${i - 1} goes to ${Study.walk.at}`);
      const { node, phase } = Study.walk.step;
      check(node < 0 || Study.panelElement.dataset.node === String(node), `step ${i} shows node ${Study.panelElement.dataset.node}, not ${node}`);
      check(Study.panelElement.textContent.length > 20, `step ${i} shows nothing`);
      const { scrollWidth, clientWidth } = Study.panelElement;
      check(scrollWidth <= clientWidth + 1, `step ${i}, ${node < 0 ? phase : nameOf(node)}, scrolls sideways by ${scrollWidth - clientWidth}`);
      count(`${phase} steps`);
    }
    for (let i = all - 2; i >= 0; --i) {
      if (Study.walk.steps[i].phase === Study.walk.steps[i + 1].phase && i < all - 10) continue;
      Study.go(i + 1);
      press("ArrowLeft");
      check(Study.walk.at === i, `the left arrow at step ${i + 1} goes to ${Study.walk.at}`);
    }
    const { nodes, loss } = Study.data, walked = new Set(Study.walk.steps.filter(({ phase }) => phase === "backward").map(({ node }) => node));
    nodes.forEach((node, id) => check(node.kind !== "op" || node.group >= 0 || (node.grad < 0 && id !== loss) || walked.has(id), `${nameOf(id)} is not in the walk`));
  }

  /** Sums of terms against what the kernels recorded, at a few elements of every node. */
  function sums() {
    Study.data.nodes.forEach((node, id) => {
      if (node.kind !== "op") return;
      if (!Study.ruled(id)) { fail(`${nameOf(id)} has no rule that fits`); return; }
      for (const i of Study.spread(sizeOf(node.value), 3)) agree(Study.forwardTerms(id, i), `${nameOf(id)}: y ${i}`, "values");
      node.inputs.forEach((input, k) => {
        if (input < 0) return;
        for (const j of Study.spread(sizeOf(Study.data.nodes[input].value), 3)) agree(Study.terms(id, k, j), `${nameOf(id)}: d(input ${k}) ${j}`, "gradients");
      });
    });
  }
  function agree(sum, what, kind) {
    if (!sum || sum.agrees === undefined) return;
    count(`${kind} compared`);
    check(sum.agrees, `${what} is ${sum.sum}, recorded ${sum.recorded}`);
  }

  /** Clicks on elements that were checked by differences: both numbers stand there, and are equal. */
  function proofs() {
    const { proof } = Study.data, chosen = Study.spread(proof.length, 40).map((i) => proof[i]);
    for (const entry of chosen) {
      Study.visit(entry.node, { flat: entry.element, grad: true });
      const [analytic, numeric] = [...document.querySelectorAll(".element .proof-line dd")].map((dd) => Number(dd.textContent.replaceAll("−", "-")));
      count("proofs shown");
      const size = Math.max(Math.abs(entry.analytic), Math.abs(entry.numeric));
      check(Math.abs(analytic - entry.analytic) <= 1e-5 * size + 1e-12, `the card of ${nameOf(entry.node)} ${entry.element} says ${analytic}, not ${entry.analytic}`);
      if (!entry.kink) check(Math.abs(analytic - numeric) <= 1e-4 * size + 1e-6, `${nameOf(entry.node)} ${entry.element}: analytic ${analytic}, numeric ${numeric}`);
    }
    const { nodes } = Study.data;
    nodes.forEach((node, id) => {
      if (node.output < 0) return;
      for (const entry of Study.proofsOf(id)) {
        const whole = proof.find((other) => other.node === entry.shown && other.analytic === entry.analytic);
        const [mine, its] = [Study.at(node.grad, entry.element), whole && Study.at(nodes[whole.node].grad, whole.element)];
        count("parts with a proof");
        if (mine !== undefined && its !== undefined) check(mine === its, `${nameOf(id)} ${entry.element} has the proof of another number`);
      }
    });
    check(chosen.length > 0 || Study.data.proof_missing, "there is neither a proof nor a word why");
  }

  /** Every attention, and one query of each. */
  function attention() {
    const places = Study.data.attention.map(({ path, kind }) => `${path} ${kind}`);
    check(new Set(places).size === places.length, "an attention is listed twice");
    Study.data.attention.forEach((of, at) => {
      const shape = Study.data.tensors[of.weights].shape, heads = shape.at(-3), query = shape.at(-2) - 1, keys = shape.at(-1);
      Study.followQuery(at, heads - 1, query);
      const page = document.getElementById("page-attention");
      check(!page.hidden && page.querySelectorAll(".followed").length >= heads, `attention ${of.path}: no row for each head`);
      const first = ((heads - 1) * shape.at(-2) + query) * keys;
      const total = Study.shapes.range(keys).reduce((sum, k) => sum + Study.at(of.weights, first + k), 0);
      // NaN: a row that did not travel.
      const isDropped = Study.data.nodes[of.node].op === "where";  // times the mask of dropout
      check(isDropped || Number.isNaN(total) || Math.abs(total - 1) < 1e-4 || total === 0, `attention ${of.path}: the weights of query ${query} sum to ${total}`);
      count("queries followed");
    });
  }

  /** One number from the loss to a parameter, and back up to the loss. */
  function trails() {
    const down = Study.pathDown(), end = down.at(-1), up = Study.path(end.node, end.flat);
    // They may end early only where numbers did not travel.
    check(Study.data.nodes[end.node].kind === "parameter" || Study.op(end.node).isMissing, `the path down ends at ${nameOf(end.node)}`);
    const top = up.at(-1).node, isCut = Study.users()[top].some(({ id }) => Study.op(id).isMissing);
    check(top === Study.data.loss || isCut, `the path up ends at ${nameOf(up.at(-1).node)}`);
    Study.startTrail(down);
    for (let i = 1; i < down.length; ++i) press("]");
    check(Study.panelElement.dataset.node === String(end.node), "the keys do not reach the end of the trail");
    press("Escape");
    count("steps of trails", down.length + up.length);
  }

  /** Derivations with numbers, and words for every op. */
  function words() {
    Study.data.nodes.forEach((node, id) => {
      const { title, text } = Study.explain(node.op ?? node.kind);
      check(title && text.length > 40, `${nameOf(id)} is not explained`);
      if (!Study.derivations.includes(node.op) || (node.grad < 0 && id !== Study.data.loss)) return;
      check(Study.derivation(id, 0) || Study.op(id).isMissing, `${nameOf(id)} has no derivation`);
      count("derivations");
    });
  }

  /** A token that looks like markup stays text. */
  function tokens() {
    check(window.studyAttack === undefined, "a token was run as a script");
    check(document.querySelectorAll("#app script, #app img, #app iframe").length === 0, "data became markup");
    const all = Object.values(Study.data.labels ?? {}).flat();
    count("tokens like markup", all.filter((token) => token.includes("<")).length);
  }

  Study.checks.run([walk, sums, proofs, attention, trails, words, tokens]);
})(globalThis.Study);
