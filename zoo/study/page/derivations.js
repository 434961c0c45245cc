// Worked derivations of softmax, layer norm, attention and cross-entropy, with the numbers of one
// row of a node. They follow autograd/DERIVATIONS.md, step by step.
(function (Study) {
  "use strict";

  const range = (n, from) => Study.shapes.range(n, from);  // rules.js comes later

  // --------------------------------------------------------------------------------- parts

  const line = (text) => Object.assign(document.createElement("p"), { textContent: text });
  const number = (x) => (x === undefined ? "?" : Number.isFinite(x)
    ? String(Number(x.toPrecision(5))).replace("-", "−") : String(x).replace("-Infinity", "−∞").replace("Infinity", "∞"));

  /** "1, 2, … , 9": at most `most` numbers. */
  function list(values, most = 6) {
    const text = values.map(number);
    return text.length <= most ? text.join(", ") : [...text.slice(0, most - 1), "…", text.at(-1)].join(", ");
  }
  const vector = (notation, values) => Study.maths(`${notation} = (${list(values)})`);
  const equal = (notation, ...values) => Study.maths([notation, ...values.map((v) => (typeof v === "string" ? v : number(v)))].join(" = "));
  const total = (row) => row.reduce((sum, x) => sum + x, 0);

  /** A table of steps: words, and what they give. */
  function section(title, steps) {
    const made = document.createElement("section");
    made.className = "derivation";
    made.append(Object.assign(document.createElement("h4"), { textContent: title }), ...steps);
    return made;
  }
  /** What the kernel sent back to these elements of x. */
  function comparison(op, flats) {
    const found = flats.map((j) => op.edge(0, j));
    return found.includes(undefined) ? [] : [line("The kernel computed, in f32:"), vector("dx", found)];
  }

  // --------------------------------------------------------------------------------- softmax

  function softmax(op, flat) {
    const row = Study.rules.softmax.writes(op, 0, flat), x = row.map((j) => op.in(0, j)), y = row.map((i) => op.out(i));
    const dy = row.map((i) => op.upstream(i)), most = Math.max(...x), powers = x.map((v) => Math.exp(v - most));
    const dot = total(y.map((v, i) => v * dy[i])), at = row.indexOf(flat);
    return section("Softmax of one row", [
      line("Each score becomes a power of e. The largest score is subtracted first, so that nothing overflows; the quotient stays the same."),
      vector("x", x), vector("e^{x − max}", powers),
      equal("s = sum_k e^{x_k − max}", total(powers)), vector("y = frac{e^{x − max}}{s}", y),
      line("A share grows with its own score and shrinks with the others. The quotient rule says how fast:"),
      Study.maths("frac{∂y_i}{∂x_j} = y_i · ([i = j] − y_j)"),
      line("The chain rule adds up what x_j does to every share. The sum splits, because [i = j] keeps one term only:"),
      Study.maths("dx_j = sum_i dy_i · y_i · ([i = j] − y_j) = y_j · (dy_j − sum_i dy_i · y_i)"),
      line("With the numbers of this row:"),
      vector("dy", dy), equal("sum_i dy_i · y_i", dot),
      equal(`dx_{${at}}`, `${number(y[at])} · (${number(dy[at])} − ${bracket(dot)})`, y[at] * (dy[at] - dot)),
      vector("dx", y.map((v, i) => v * (dy[i] - dot))),
      line("All dx together are 0: adding the same number to all scores changes no share."),
      equal("sum_j dx_j", Number(total(y.map((v, i) => v * (dy[i] - dot))).toFixed(9))),
      ...comparison(op, row),
    ]);
  }
  const bracket = (x) => (x < 0 ? `(${number(x)})` : number(x));

  // --------------------------------------------------------------------------------- layer norm

  function layerNorm(op, flat) {
    const n = op.y.at(-1), first = flat - (flat % n), row = range(n, first);
    const { mean, rstd, hat, eps } = Study.rules.layer_norm.row(op, flat);
    const x = row.map((j) => op.in(0, j)), dy = row.map((i) => op.upstream(i));
    const g = dy.map((v, c) => v * (op.has(1) ? op.in(1, c) : 1));
    const gMean = total(g) / n, gx = total(g.map((v, c) => v * hat[c])) / n, at = flat - first;
    const dx = g.map((v, c) => rstd * (v - gMean - hat[c] * gx));
    return section("Layer norm of one row", [
      line("The row is shifted by its mean and divided by its spread:"),
      vector("x", x), equal("text{mean}(x)", mean),
      equal("text{rstd} = frac{1}{sqrt{text{var}(x) + ε}}", rstd), equal("ε", eps), vector("hat{x} = (x − text{mean}) · text{rstd}", hat),
      line("The learned weight and bias stretch and shift it: y = x̂∘w + b. So the gradient of x̂ is"),
      vector("g = dy ∘ w", g),
      line("Let x change by a small δx. The mean and the spread change with it:"),
      Study.maths("δ text{rstd} = −text{rstd}^3 · text{mean}(c ∘ δx), c = x − text{mean}(x)"),
      Study.maths("δ hat{x} = text{rstd} · (δx − text{mean}(δx) − hat{x} · text{mean}(hat{x} ∘ δx))"),
      line("As a matrix this is symmetric, so the gradient goes back by the same formula:"),
      Study.maths("dx = text{rstd} · (g − text{mean}(g) − hat{x} · text{mean}(g ∘ hat{x}))"),
      equal("text{mean}(g)", gMean), equal("text{mean}(g ∘ hat{x})", gx),
      equal(`dx_{${at}}`, `${number(rstd)} · (${number(g[at])} − ${bracket(gMean)} − ${bracket(hat[at])} · ${bracket(gx)})`, dx[at]),
      vector("dx", dx),
      line("What would only shift or scale the row has been taken out of g, because neither changes x̂."),
      ...comparison(op, row),
    ]);
  }

  // --------------------------------------------------------------------------------- cross-entropy

  function crossEntropy(op, flat) {
    const rule = Study.rules.cross_entropy, t = rule.targetOf(op, flat);
    const { p, q, row, target, divisor, ignored } = rule.row(op, t), all = total(q), dy = op.upstream(rule.writes(op, 0, flat)[0]);
    if (target === ignored) return section("Cross-entropy of one row", [line("The target of this row is ignored: its loss and its gradient are 0.")]);
    const at = row.indexOf(flat), dx = p.map((v, c) => (dy / divisor) * (v * all - q[c]));
    return section("Cross-entropy of one row", [
      line("The scores of all classes become probabilities, and the loss of the row is minus the logarithm of the one that was right:"),
      vector("x", row.map((j) => op.in(0, j))), vector("p = text{softmax}(x)", p),
      line(`The target is class ${target}. As a probability for each class it is q, with the weight of the class and label smoothing if there are any:`),
      vector("q", q),
      equal("text{loss} = −sum_k q_k · ln p_k", -total(q.map((v, c) => (v === 0 ? 0 : v * Math.log(p[c]))))),
      line("The logarithm of p has the slope of log-softmax:"),
      Study.maths("frac{∂ ln p_k}{∂x_c} = [k = c] − p_c"),
      line("Summed over the classes, with q:"),
      Study.maths("frac{∂text{loss}}{∂x_c} = −sum_k q_k · ([k = c] − p_c) = p_c · sum_k q_k − q_c"),
      line(divisor === 1 ? "The rows are not divided." : "The mean divides by the number of rows that count (by their weights, if classes have any):"),
      equal("N", divisor), equal("dy", dy),
      equal(`dx_{${at}} = frac{dy}{N} · (p_c · sum q − q_c)`, `frac{${number(dy)}}{${number(divisor)}} · (${number(p[at])} · ${number(all)} − ${number(q[at])})`, dx[at]),
      vector("dx", dx),
      ...comparison(op, row),
    ]);
  }

  // --------------------------------------------------------------------------------- attention

  function attention(op, flat) {
    const { S, P, M, D, dP, dS, scale, query, head } = Study.rules.scaled_dot_product_attention.row(op, flat);
    const dv = op.y.at(-1), first = flat - (flat % dv), row = range(dv, first);
    return section(`Attention of query ${query}, head ${head}`, [
      line("The query is compared with every key. A score of −∞ means that it may not look there:"),
      Study.maths("S_{ij} = text{scale} · sum_e q_{ie} · k_{je} + text{mask}_{ij}"), equal("text{scale}", scale), vector("S", S),
      line("Softmax makes shares of them:"), vector("P = text{softmax}(S)", P),
      line("The result is the average of the values with these shares:"), Study.maths("y_i = sum_j P_{ij} · v_j"),
      vector("y", row.map((i) => op.out(i))),
      line("Going back, y is linear in v. So each value receives its share:"), Study.maths("dv = P^T · dy"),
      line("and each share receives how well its value agrees with dy:"), vector("dP = dy · v^T", dP),
      line("S is the input of a softmax, so its gradient is"), Study.maths("dS_{ij} = P_{ij} · (dP_{ij} − D_i), D_i = sum_k P_{ik} · dP_{ik}"),
      line("D needs no second pass over the keys. Putting in dP and exchanging the sums leaves y, which is known:"),
      Study.maths("D_i = sum_k P_{ik} sum_e dy_{ie} · v_{ke} = sum_e dy_{ie} sum_k P_{ik} · v_{ke} = sum_e dy_{ie} · y_{ie}"),
      equal("D = sum_e dy_e · y_e", D), equal("sum_k P_k · dP_k", total(P.map((p, j) => p * dP[j]))),
      vector("dS = P ∘ (dP − D)", dS),
      line("A score is pushed up where its value would have helped more than the average. The scores are products of q and k:"),
      Study.maths("dq = text{scale} · dS · k, dk = text{scale} · dS^T · q"),
      ...(M.every((m, j) => m === P[j]) ? [] : [line("Dropout is on: P times its mask stands in place of P where values are averaged."), vector("M ∘ P", M)]),
    ]);
  }

  // --------------------------------------------------------------------------------- public

  const derivations = {
    softmax, layer_norm: layerNorm, cross_entropy: crossEntropy,
    scaled_dot_product_attention: attention, local_attention: attention,
  };

  /** The ops that have a derivation. */
  Study.derivations = Object.keys(derivations);

  /** The derivation of a node's rule with the numbers of the row that element `flat` of its result
      belongs to (of its input, for cross-entropy); null if there is none, or numbers are missing. */
  Study.derivation = function (id, flat = 0) {
    const found = Study.ruled(id), node = Study.data.nodes[id];
    if (!found || !derivations[node.op] || (node.grad < 0 && id !== Study.data.loss)) return null;
    found.op.isMissing = false;
    const made = derivations[node.op](found.op, flat);
    return found.op.isMissing ? null : made;
  };
})((globalThis.Study ??= {}));
