// Runs in the browser, after the page's rules: checks them on the cases of rules_test.cpp. Every line
// of the result says how it is: "FAIL …", "without a rule: …", "does not fit: …", "compared …", "ok end".
(function (Study) {
  "use strict";

  const lines = [];
  const fail = (text) => { if (lines.length < 200) lines.push(`FAIL ${text}`); };
  const missing = new Set(), unfit = [], seen = new Set(), compared = { terms: 0, forward: 0, differences: 0, down: 0 };
  const numbersAt = (blob) => (tensor, flat) => {
    const { at, rows, shape } = Study.data.tensors[tensor];
    if (!rows) return blob[at + flat];
    const row = rows.indexOf(Math.floor(flat / shape.at(-1)));
    return row < 0 ? undefined : blob[at + row * shape.at(-1) + (flat % shape.at(-1))];
  };
  const decode = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const sizeOf = (tensor) => Study.shapes.count(Study.data.tensors[tensor].shape);
  const near = (a, b, size, tolerance) => Object.is(a, b) || (Number.isNaN(a) && Number.isNaN(b)) ||
    Math.abs(a - b) <= tolerance * Math.max(size, Math.abs(b), 1e-3);
  const magnitude = (sum) => sum.terms.reduce((total, term) => total + term.size, 0);

  /** The value of every element of y again, with element `flat` of `tensor` moved by h. */
  function shifted(id, tensor, flat, h) {
    const plain = Study.at;
    Study.at = (t, i) => (t === tensor && i === flat ? plain(t, i) + h : plain(t, i));
    Study.forgetRows();
    try {
      const { value } = Study.data.nodes[id];
      return Study.shapes.range(sizeOf(value)).map((i) => Study.forwardTerms(id, i).sum);
    } finally {
      Study.at = plain;
      Study.forgetRows();
    }
  }

  /** dx_j by differences of the rule's own forward. */
  function difference(id, k, j) {
    const node = Study.data.nodes[id], tensor = Study.data.nodes[node.inputs[k]].value, op = Study.op(id);
    const h = 2e-5, up = shifted(id, tensor, j, h), down = shifted(id, tensor, j, -h);
    return up.reduce((sum, y, i) => sum + (op.upstream(i) * (y - down[i])) / (2 * h), 0);
  }

  function checkNode(id, where) {
    const node = Study.data.nodes[id];
    Study.formula(id);
    if (!Study.ruled(id)) { missing.add(node.op); unfit.push(`${node.op} (${where})`); return; }
    seen.add(node.op);
    for (const i of Study.spread(sizeOf(node.value), 6)) {
      const sum = Study.forwardTerms(id, i);
      if (!sum) continue;
      compared.forward += 1;
      if (!near(sum.sum, sum.recorded, magnitude(sum), 2e-5)) fail(`${where} ${node.op}: y ${i} is ${sum.sum}, recorded ${sum.recorded}`);
    }
    node.inputs.forEach((input, k) => {
      if (input < 0) return;
      for (const j of Study.spread(sizeOf(Study.data.nodes[input].value), 6)) checkGradient(id, k, j, where);
    });
    checkDown(id, where);
  }

  /** What all dy_i together send down to an element of an input is its gradient. */
  function checkDown(id, where) {
    const { rule, op } = Study.ruled(id), sums = new Map();
    if (!rule.down) return;
    for (const i of Study.shapes.range(sizeOf(op.node.value)))
      for (const { k, j, value } of rule.down(op, i)) sums.set(`${k} ${j}`, (sums.get(`${k} ${j}`) ?? 0) + value);
    op.node.inputs.forEach((input, k) => {
      for (const j of input < 0 ? [] : Study.spread(sizeOf(Study.data.nodes[input].value), 6)) {
        const sum = Study.terms(id, k, j), down = sums.get(`${k} ${j}`) ?? 0;
        if (!sum || sum.omitted) continue;
        compared.down += 1;
        if (!near(down, sum.sum, magnitude(sum), 2e-5)) fail(`${where} ${op.node.op}: down to input ${k}, ${j}, comes ${down}, not ${sum.sum}`);
      }
    });
  }

  function checkGradient(id, k, j, where) {
    const { op, value, inputs } = Study.data.nodes[id], sum = Study.terms(id, k, j);
    if (!sum || sum.recorded === undefined || sum.omitted) return;
    compared.terms += 1;
    if (sum.agrees !== true) fail(`${where} ${op}: d(input ${k}) ${j} is ${sum.sum}, recorded ${sum.recorded}`);
    // A difference moves all inputs that share the tensor, such as views of one element.
    const tensorOf = (input) => (input < 0 ? -1 : Study.data.nodes[input].value);
    const repeated = inputs.filter((input) => tensorOf(input) === tensorOf(inputs[k])).length > 1;
    if (repeated || sizeOf(value) > 256 || !Study.rules[op].value || !Number.isFinite(sum.sum)) return;
    const numeric = difference(id, k, j);
    if (!Number.isFinite(numeric)) return;
    compared.differences += 1;
    if (!near(sum.sum, numeric, magnitude(sum), 2e-3)) fail(`${where} ${op}: d(input ${k}) ${j} is ${sum.sum}, by differences ${numeric}`);
  }

  try {
    for (const { name, data, numbers } of JSON.parse(document.getElementById("cases").textContent)) {
      Study.data = data;
      Study.at = numbersAt(decode(numbers));
      Study.forgetRules();
      data.nodes.forEach((node, id) => { if (node.kind === "op") checkNode(id, name); });
      const path = Study.path(0, 0);
      if (path.length === 0) fail(`${name}: no path`);
    }
  } catch (error) {
    fail(error.stack);
  }
  for (const op of [...missing].filter((name) => !seen.has(name)).sort()) lines.push(`without a rule: ${op}`);
  for (const text of unfit.filter((each) => seen.has(each.split(" ")[0]))) lines.push(`does not fit: ${text}`);
  lines.push(`compared ${seen.size} ops: ${compared.terms} gradients and ${compared.forward} values with recorded ones, ${compared.differences} with differences, ${compared.down} sums of what goes down`);
  lines.push("ok end");
  document.body.textContent = lines.join("\n");
})(globalThis.Study);
