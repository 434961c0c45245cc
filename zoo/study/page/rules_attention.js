// Rules of attention, rotary positions and dropout. See autograd/DERIVATIONS.md.
(function (Study) {
  "use strict";

  const { shapes } = Study;

  // --------------------------------------------------------------------------------- one query

  const leading = (shape) => shape.slice(0, -2);
  const sizes = (op) => op.once("sizes", () => ({ tq: op.x[0].at(-2), tk: op.x[1].at(-2), d: op.x[0].at(-1), dv: op.x[2].at(-1) }));
  /** Element (row, e) of operand k as head s sees it. */
  const at = (op, k, s, row, e) => (shapes.source(s, leading(op.y), leading(op.x[k])) * op.x[k].at(-2) + row) * op.x[k].at(-1) + e;
  const dot = (n, f) => { let sum = 0; for (let e = 0; e < n; ++e) sum += f(e); return sum; };

  function isMasked(op, s, i, j) {
    if (!op.hasSaved(3)) return { masked: false, bias: 0 };
    const { tq, tk } = sizes(op), value = op.saved(3, shapes.source((s * tq + i) * tk + j, [...leading(op.y), tq, tk], op.savedShape(3)));
    const { dtype } = Study.data.tensors[op.node.saved[3]];
    return dtype === "bool" ? { masked: value === 0, bias: 0 } : { masked: value === -Infinity, bias: value };
  }

  /** The scores S of query i of head s and their softmax P. */
  function attended(op, { scale, low, high }, s, i) {
    const { tk, d } = sizes(op);
    const S = shapes.range(tk).map((j) => {
      const { masked, bias } = isMasked(op, s, i, j);
      if (masked || j - i > high || j - i < low) return -Infinity;
      return scale * dot(d, (e) => op.in(0, at(op, 0, s, i, e)) * op.in(1, at(op, 1, s, j, e))) + bias;
    });
    const most = S.reduce((a, b) => Math.max(a, b), -Infinity);
    const powers = S.map((x) => (most === -Infinity ? 0 : Math.exp(x - most))), sum = dot(tk, (j) => powers[j]);
    return { S, P: powers.map((e) => (sum === 0 ? 0 : e / sum)) };
  }

  /** What a node was multiplied with, where it is largest. */
  function quotient(scaled, plain) {
    const at = (id, i) => Study.at(Study.data.nodes[id].value, i);
    const n = Math.min(1024, shapes.count(Study.data.tensors[Study.data.nodes[plain].value].shape));
    const best = shapes.range(n).reduce((most, i) => (Math.abs(at(plain, i)) > Math.abs(at(plain, most)) ? i : most), 0);
    return at(scaled, best) / at(plain, best);
  }

  /** The nodes inside the op: the reference form that was recorded with it. */
  const inside = (op) => op.once("inside", () => {
    const nodes = shapes.range(Study.data.nodes.length).filter((id) => Study.data.nodes[id].group === op.id && Study.data.nodes[id].kind === "op");
    const products = nodes.filter((id) => Study.data.nodes[id].op === "matmul");
    const scaled = nodes.find((id) => Study.data.nodes[id].op === "mul" && Study.data.nodes[id].inputs[0] === products[0]);
    return { weights: products.length > 1 ? Study.data.nodes[products.at(-1)].inputs[0] : -1, scores: scaled ?? -1,
      scale: scaled === undefined ? undefined : quotient(scaled, products[0]) };
  });
  const weightAt = (op, s, i, j) => {
    const { weights } = inside(op), { tq, tk } = sizes(op);
    return weights < 0 ? undefined : op.at(Study.data.nodes[weights].value, (s * tq + i) * tk + j);
  };

  // --------------------------------------------------------------------------------- settings

  const FAR = 1e9;
  /** The windows of a local attention that are tried: of few keys all, of many the usual ones. */
  function bands(tq, tk) {
    if (tq + tk <= 24)
      return shapes.range(tq + tk + 1, -tq).flatMap((low) => shapes.range(tk + 1 - low, low).map((high) => ({ low, high })));
    return [0, tk - tq].flatMap((offset) => shapes.range(Math.min(tk + 1, 130)).flatMap((left) =>
      [...new Set([0, left, tk])].map((right) => ({ low: offset - left, high: offset + right }))));
  }
  function candidates(op) {
    const { d, tq, tk } = sizes(op);
    const { scale, weights } = inside(op), usual = [1 / Math.sqrt(d), 1, 1 / d];
    const known = Number.isFinite(scale) ? [usual.find((x) => Math.abs(x - scale) < 1e-5 * x) ?? scale] : usual;
    const windows = op.node.op === "local_attention" ? bands(tq, tk) : [{ low: -FAR, high: FAR }, { low: -FAR, high: 0 }];
    return (weights < 0 ? [false] : [false, true]).flatMap((dropped) => known.flatMap((scale) => windows.map((window) => ({ scale, dropped, ...window }))));
  }
  const settings = (op) => op.infer("settings", () => candidates(op).filter((s) => !s.dropped || isDropout(op, s)), (s, i) => value(op, s, i));

  /** Whether the recorded weights are P times a mask of one number and zeros, at queries spread over
      all heads. */
  function isDropout(op, settings) {
    const { tq, tk } = sizes(op), heads = shapes.count(leading(op.y));
    let kept;
    return Study.spread(heads * tq).every((row) => {
      const { P, M } = rowOf(op, settings, Math.floor(row / tq), row % tq);
      return shapes.range(tk).every((j) => {
        if (M[j] === 0 || Number.isNaN(M[j] * P[j])) return true;  // or it did not travel
        kept ??= M[j] / P[j];
        return Math.abs(M[j] - kept * P[j]) <= 1e-4 * kept * P[j];
      });
    });
  }
  function value(op, settings, i) {
    const { dv, tk } = sizes(op), query = Math.floor(i / dv), head = Math.floor(query / sizes(op).tq);
    const { M } = rowOf(op, settings, head, query % sizes(op).tq);
    return dot(tk, (j) => (M[j] === 0 ? 0 : M[j] * op.in(2, at(op, 2, head, j, i % dv))));
  }
  /** S, P and M∘P of a query. Without the numbers of the inside, dropout cannot be known. */
  const rowOf = (op, settings, s, i) => op.row(`${JSON.stringify(settings)} ${s} ${i}`, () => {
    const row = attended(op, settings, s, i);
    if (!settings.dropped) return { ...row, M: row.P };
    const factors = op.once(`dropout ${JSON.stringify(settings)} ${s} ${i}`, () =>
      row.P.map((p, j) => (weightAt(op, s, i, j) === 0 ? 0 : weightAt(op, s, i, j) / p)));
    return { ...row, M: row.P.map((p, j) => (factors[j] === 0 ? 0 : p * factors[j])) };
  });

  /** What backward knows of a query: also dP, D and dS. */
  function gradients(op, s, i) {
    return op.row(`gradients ${s} ${i}`, () => {
      const { tq, tk, dv } = sizes(op), row = rowOf(op, settings(op), s, i), first = (s * tq + i) * dv;
      const D = dot(dv, (e) => op.upstream(first + e) * op.out(first + e));
      const dP = row.P.map((p, j) => (p === 0 ? 0 : (row.M[j] / p) *
        dot(dv, (e) => op.upstream(first + e) * op.in(2, at(op, 2, s, j, e)))));
      const size = row.P.map((p, j) => p * (Math.abs(dP[j]) + Math.abs(D)));
      return { ...row, D, dP, size, dS: row.P.map((p, j) => p * (dP[j] - D)), tk, scale: settings(op).scale };
    });
  }

  // --------------------------------------------------------------------------------- factors

  function weight(op, s, i, j) {
    const { tq, tk } = sizes(op), { weights } = inside(op);
    return { ...op.number(`P_{${i},${j}}`, rowOf(op, settings(op), s, i).M[j]), name: "P", node: weights, flat: (s * tq + i) * tk + j };
  }
  function scoreGradient(op, s, i, j) {
    const { tq, tk } = sizes(op), { scores } = inside(op);
    return { ...op.number(`dS_{${i},${j}}`, gradients(op, s, i).dS[j]), name: "dS", node: scores, grad: true, flat: (s * tq + i) * tk + j };
  }
  /** The element of y_i through which most of dS_ij came. */
  function strongest(op, s, i, j) {
    const { tq, dv } = sizes(op), first = (s * tq + i) * dv;
    const size = (e) => Math.abs(op.upstream(first + e) * (op.in(2, at(op, 2, s, j, e)) - op.out(first + e)));
    return first + shapes.range(dv).reduce((best, e) => (size(e) > size(best) ? e : best), 0);
  }

  /** Heads that use row `row` of operand k, and its index e. */
  function users(op, k, j) {
    const [rows, n] = op.x[k].slice(-2), mine = Math.floor(j / (rows * n));
    return { row: Math.floor(j / n) % rows, e: j % n, heads: shapes.copies(mine, leading(op.y), leading(op.x[k])) };
  }

  function terms(op, k, flat) {
    const { tq, tk, dv } = sizes(op), { row, e, heads } = users(op, k, flat), scale = op.number("scale", settings(op).scale);
    if (k === 2) return heads.flatMap((s) => shapes.range(tq).map((i) => ({
      factors: [weight(op, s, i, row), op.DY((s * tq + i) * dv + e)], via: (s * tq + i) * dv + e })));
    if (k === 0) return heads.flatMap((s) => shapes.range(tk).map((j) => ({
      factors: [scoreGradient(op, s, row, j), op.X(1, at(op, 1, s, j, e)), scale], via: strongest(op, s, row, j),
      size: gradients(op, s, row).size[j] * Math.abs(op.in(1, at(op, 1, s, j, e)) * scale.value) })));
    return heads.flatMap((s) => shapes.range(tq).map((i) => ({
      factors: [scoreGradient(op, s, i, row), op.X(0, at(op, 0, s, i, e)), scale], via: strongest(op, s, i, row),
      size: gradients(op, s, i).size[row] * Math.abs(op.in(0, at(op, 0, s, i, e)) * scale.value) })));
  }

  /** What dy_i alone adds to the gradients of the inputs: {k, j, value}, to follow it down. */
  function down(op, i) {
    const { tq, tk, d, dv } = sizes(op), query = Math.floor(i / dv), s = Math.floor(query / tq), row = query % tq;
    const { P, M } = rowOf(op, settings(op), s, row), dy = op.upstream(i), { scale } = settings(op);
    const dS = P.map((p, j) => dy * (M[j] * op.in(2, at(op, 2, s, j, i % dv)) - p * op.out(i)));
    const values = shapes.range(tk).map((j) => ({ k: 2, j: at(op, 2, s, j, i % dv), value: dy * M[j] }));
    const queries = shapes.range(d).map((e) => ({ k: 0, j: at(op, 0, s, row, e), value: scale * dot(tk, (j) => dS[j] * op.in(1, at(op, 1, s, j, e))) }));
    const keys = shapes.range(tk).flatMap((j) => shapes.range(d).map((e) => ({ k: 1, j: at(op, 1, s, j, e), value: scale * dS[j] * op.in(0, at(op, 0, s, row, e)) })));
    return [...values, ...queries, ...keys];
  }

  Study.rule(["scaled_dot_product_attention", "local_attention"], {
    names: ["q", "k", "v"],
    forward: "S = text{scale} · q k^T + text{mask}, P = text{softmax}(S), y = P v",
    backward: ["dq = text{scale} · dS k, dS = P ∘ (dy v^T − D), D = text{rowsum}(dy ∘ y)",
      "dk = text{scale} · dS^T q, dS = P ∘ (dy v^T − D), D = text{rowsum}(dy ∘ y)", "dv = P^T dy"],
    fits: (op) => settings(op) !== undefined,
    terms, down,
    value(op, i) {
      const { tq, tk, dv } = sizes(op), query = Math.floor(i / dv), s = Math.floor(query / tq);
      return shapes.range(tk).map((j) => [weight(op, s, query % tq, j), op.X(2, at(op, 2, s, j, i % dv))]);
    },
    /** All about the query that y_i belongs to. */
    row(op, i) {
      const query = Math.floor(i / sizes(op).dv), { tq } = sizes(op);
      return { ...gradients(op, Math.floor(query / tq), query % tq), query: query % tq, head: Math.floor(query / tq) };
    },
  });

  // --------------------------------------------------------------------------------- rotary

  const partner = (op, interleaved, i) => {
    const D = op.y.at(-1), c = i % D, half = D / 2;
    if (interleaved) return { other: c % 2 ? i - 1 : i + 1, first: c % 2 === 0, pair: Math.floor(c / 2) };
    return { other: c < half ? i + half : i - half, first: c < half, pair: c % half };
  };
  const angle = (op, interleaved, i) => {
    const place = Math.floor(i / op.y.at(-1)) % op.y.at(-2), { pair } = partner(op, interleaved, i), half = op.y.at(-1) / 2;
    return { cos: op.saved(0, place * half + pair), sin: op.saved(1, place * half + pair) };
  };
  const style = (op) => op.infer("interleaved", () => [false, true], (interleaved, i) => {
    const { other, first } = partner(op, interleaved, i), { cos, sin } = angle(op, interleaved, i);
    return op.in(0, i) * cos + (first ? -1 : 1) * op.in(0, other) * sin;
  });
  const turn = (op, j, i) => {  // ∂y_i/∂x_j
    const { cos, sin } = angle(op, style(op), i), { first } = partner(op, style(op), i);
    return i === j ? op.number("cos θ", cos) : op.number(first ? "(−sin θ)" : "sin θ", first ? -sin : sin);
  };
  const both = (op, i) => [i, partner(op, style(op), i).other];
  Study.rule("rotary_embedding", {
    names: ["x"],
    forward: "y_1 = x_1 cos θ − x_2 sin θ, y_2 = x_2 cos θ + x_1 sin θ",
    backward: ["dx_1 = dy_1 cos θ + dy_2 sin θ, dx_2 = dy_2 cos θ − dy_1 sin θ"],
    fits: (op) => style(op) !== undefined,
    writes: (op, k, j) => both(op, j),
    reads: (op, k, i) => both(op, i),
    slope: (op, k, j, i) => [turn(op, j, i)],
    value: (op, i) => both(op, i).map((j) => [op.X(0, j), turn(op, j, i)]),
  });

  // --------------------------------------------------------------------------------- dropout

  // The mask is not stored: where x is not 0 it is y / x, one number for all that remain.
  const kept = (op) => op.once("kept", () => {
    const n = Math.min(shapes.count(op.y), 4096);
    const best = shapes.range(n).reduce((most, i) => (op.out(i) !== undefined && op.out(i) !== 0 &&
      Math.abs(op.in(0, i)) > Math.abs(most.x) ? { x: op.in(0, i), y: op.out(i) } : most), { x: 0, y: 0 });
    return best.x === 0 ? 1 : best.y / best.x;
  });
  const mask = (op, i) => (op.in(0, i) === 0 ? undefined : op.out(i) === 0 ? 0 : kept(op));
  Study.rule("dropout", {
    names: ["x"],
    forward: "y = m ∘ x, m = 0 text{ or } frac{1}{1 − p}",
    backward: ["dx = m ∘ dy"],
    writes: (op, k, j) => [j],
    reads: (op, k, i) => [i],
    slope: (op, k, j) => [op.number("m", mask(op, j))],
    value: (op, i) => [[op.X(0, i), op.number("m", mask(op, i) ?? 0)]],
  });
})((globalThis.Study ??= {}));
