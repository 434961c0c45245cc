// Rules of softmax, the norms and cross-entropy. See autograd/DERIVATIONS.md.
(function (Study) {
  "use strict";

  const { shapes } = Study;
  const total = (row) => row.reduce((sum, x) => sum + x, 0);
  const largest = (row) => row.reduce((most, x) => Math.max(most, x), -Infinity);

  // --------------------------------------------------------------------------------- softmax

  const softmaxOf = (row) => {
    const most = largest(row), powers = row.map((x) => Math.exp(x - most)), sum = total(powers);
    return powers.map((e) => e / sum);
  };
  const inputs = (op, row) => row.map((j) => op.in(0, j));
  /** The dimension along which f of a row of x is y. */
  const dimOf = (op, f) => op.infer("dim", () => shapes.range(op.y.length).reverse(), (dim, i) => {
    const row = shapes.along(i, op.y, dim), x = inputs(op, row);
    return x.includes(undefined) ? undefined : f(x)[row.indexOf(i)];
  });
  const same = (i, j) => (i === j ? "1" : "0");

  const softmaxRow = (op, i) => shapes.along(i, op.y, dimOf(op, softmaxOf));
  Study.rule("softmax", {
    names: ["x"],
    forward: "y_i = frac{e^{x_i}}{sum_k e^{x_k}}",
    backward: ["dx_j = sum_i dy_i · y_i · ([i = j] − y_j) = y_j · (dy_j − sum_i dy_i · y_i)"],
    fits: (op) => dimOf(op, softmaxOf) !== undefined,
    writes: (op, k, j) => softmaxRow(op, j),
    reads: (op, k, i) => softmaxRow(op, i),
    slope: (op, k, j, i) => [op.Y(i), op.ofY(`(${same(i, j)} − y_@)`, j,
      Study.numbers.known(op.out(j), (y) => (i === j ? 1 : 0) - y))],
    value(op, i) {
      const row = softmaxRow(op, i), x = inputs(op, row), most = largest(x);
      const sum = total(x.map((value) => Math.exp(value - most)));
      return [[op.ofX("exp(x_@ − max)", 0, i, Math.exp(op.in(0, i) - most)), op.number("1/Σ exp(x − max)", 1 / sum)]];
    },
  });

  const logOf = (row) => {
    const most = largest(row), log = most + Math.log(total(row.map((x) => Math.exp(x - most))));
    return row.map((x) => x - log);
  };
  const logRow = (op, i) => shapes.along(i, op.y, dimOf(op, logOf));
  Study.rule("log_softmax", {
    names: ["x"],
    forward: "y_i = x_i − ln sum_k e^{x_k}",
    backward: ["dx_j = sum_i dy_i · ([i = j] − e^{y_j}) = dy_j − e^{y_j} · sum_i dy_i"],
    fits: (op) => dimOf(op, logOf) !== undefined,
    writes: (op, k, j) => logRow(op, j),
    reads: (op, k, i) => logRow(op, i),
    slope: (op, k, j, i) => [op.ofY(`(${same(i, j)} − exp(y_@))`, j,
      Study.numbers.known(op.out(j), (y) => (i === j ? 1 : 0) - Math.exp(y)))],
    value(op, i) {
      const row = logRow(op, i), x = inputs(op, row);
      return [[op.X(0, i)], [op.number("(−ln Σ exp(x))", logOf(x)[row.indexOf(i)] - op.in(0, i))]];
    },
  });

  // --------------------------------------------------------------------------------- the norms

  const EPS = [1e-5, 1e-6, 1e-12, 1e-8, 1e-7, 1e-3, 1e-4, 1e-2, 0.1, 0];
  const rowAt = (op, i) => { const n = op.x[0].at(-1); return shapes.range(n, i - (i % n)); };

  /** Rules of layer_norm (centred) and rms_norm: x̂ = (x − mean) · rstd. */
  function norm(name, centred, forward, backward) {
    const statistics = (x, eps) => {
      const mean = centred ? total(x) / x.length : 0;
      const rstd = 1 / Math.sqrt(total(x.map((v) => (v - mean) ** 2)) / x.length + eps);
      return { mean, rstd, hat: x.map((v) => (v - mean) * rstd) };
    };
    const scaled = (op, hat, c) => hat * (op.has(1) ? op.in(1, c) : 1) + (centred && op.has(2) ? op.in(2, c) : 0);
    const eps = (op) => op.infer("eps", () => EPS, (e, i) => {
      const x = inputs(op, rowAt(op, i));
      return x.includes(undefined) ? undefined : scaled(op, statistics(x, e).hat[i % x.length], i % x.length);
    });
    const row = (op, i) => op.row(Math.floor(i / op.y.at(-1)), () => statistics(inputs(op, rowAt(op, i)), eps(op)));
    /** ∂x̂_i/∂x_j, but for rstd. */
    const slope = (hat, i, j) => (i === j ? 1 : 0) - (centred ? 1 / hat.length : 0) - (hat[i] * hat[j]) / hat.length;
    const known = (op, i) => !inputs(op, rowAt(op, i)).includes(undefined);

    Study.rule(name, {
      names: ["x", "w", "b"], forward, backward,
      fits: (op) => eps(op) !== undefined,
      writes(op, k, j) {
        return k === 0 ? rowAt(op, j) : shapes.range(shapes.count(op.y) / op.y.at(-1)).map((r) => r * op.y.at(-1) + j);
      },
      reads: (op, k, i) => (k === 0 ? rowAt(op, i) : [i % op.y.at(-1)]),
      terms(op, k, j) {
        const n = op.y.at(-1);
        if (k === 2) return this.writes(op, k, j).map((i) => ({ factors: [op.DY(i)], via: i }));
        if (k === 1) return this.writes(op, k, j).map((i) => ({ via: i,
          factors: [op.DY(i), op.ofX("hat{x}_@", 0, i, known(op, i) ? row(op, i).hat[i % n] : undefined)] }));
        const { rstd, hat } = row(op, j), at = j % n, rest = centred ? "1/n − " : "";
        // The same for all n terms: found here, once.
        const isKnown = known(op, j), spread = op.number("rstd", rstd), { index } = op.X(0, j);
        return rowAt(op, j).map((i) => ({ via: i, factors: [op.DY(i), ...(op.has(1) ? [op.X(1, i % n)] : []), spread,
          op.ofX(`(${same(i, j)} − ${rest}hat{x}_@·hat{x}_{${index}}/n)`, 0, i, isKnown ? slope(hat, i % n, at) : undefined)] }));
      },
      down(op, i) {
        const n = op.y.at(-1), c = i % n, { rstd, hat } = row(op, i), dy = op.upstream(i);
        const g = dy * (op.has(1) ? op.in(1, c) : 1) * rstd;
        return [...rowAt(op, i).map((j) => ({ k: 0, j, value: g * slope(hat, c, j % n) })),
          { k: 1, j: c, value: dy * hat[c] }, { k: 2, j: c, value: dy }].filter(({ k }) => op.has(k));
      },
      value(op, i) {
        const c = i % op.y.at(-1), hat = op.ofX("hat{x}_@", 0, i, row(op, i).hat[c]);
        return [op.has(1) ? [hat, op.X(1, c)] : [hat], ...(centred && op.has(2) ? [[op.X(2, c)]] : [])];
      },
      row: (op, i) => ({ ...row(op, i), eps: eps(op) }),
    });
  }
  norm("layer_norm", true,
    (op) => `hat{x} = frac{x − text{mean}(x)}{sqrt{text{var}(x) + ε}}, y = hat{x}${op.has(1) ? " ∘ w" : ""}${op.has(2) ? " + b" : ""}`,
    ["dx = text{rstd} · (g − text{mean}(g) − hat{x} · text{mean}(g ∘ hat{x})), g = dy ∘ w", "dw = sum_{text{rows}} dy ∘ hat{x}", "db = sum_{text{rows}} dy"]);
  norm("rms_norm", false,
    (op) => `hat{x} = frac{x}{sqrt{text{mean}(x^2) + ε}}, y = hat{x}${op.has(1) ? " ∘ w" : ""}`,
    ["dx = text{rstd} · (g − hat{x} · text{mean}(g ∘ hat{x})), g = dy ∘ w", "dw = sum_{text{rows}} dy ∘ hat{x}"]);

  // --------------------------------------------------------------------------------- channels

  const area = (op) => shapes.count(op.y) / (op.y[0] * op.y[1]);
  const channel = (op, i) => Math.floor(i / area(op)) % op.y[1];
  /** The elements of channel c. */
  const ofChannel = (op, c) => shapes.range(shapes.count(op.y)).filter((i) => channel(op, i) === c);
  Study.rule("channel_affine", {
    names: ["x", "w", "b"],
    forward: "y = x · w + b, text{ of each channel}",
    backward: ["dx = dy · w", "dw = sum dy · x, text{ over the channel}", "db = sum dy, text{ over the channel}"],
    fits: () => true,
    writes: (op, k, j) => (k === 0 ? [j] : ofChannel(op, j)),
    reads: (op, k, i) => [k === 0 ? i : channel(op, i)],
    slope: (op, k, j, i) => (k === 0 ? [op.X(1, channel(op, i))] : k === 1 ? [op.X(0, i)] : []),
    value: (op, i) => [[op.X(0, i), op.X(1, channel(op, i))], [op.X(2, channel(op, i))]],
  });

  // --------------------------------------------------------------------------------- cross-entropy

  // Logits (N, C, d…), targets (N, d…): dimension 1 holds the classes, or the only one there is.
  const classDim = (op) => (op.x[0].length > 1 ? 1 : 0);
  const classes = (op) => op.x[0][classDim(op)];
  const targets = (op) => shapes.count(op.savedShape(1));
  /** The logits of target t. */
  const logitRow = (op, t) => op.once(`row ${t}`, () => {
    const shape = op.x[0].filter((_, d) => d !== classDim(op)), index = shapes.index(t, shape);
    return shapes.range(classes(op)).map((c) => {
      const at = [...index];
      at.splice(classDim(op), 0, c);
      return shapes.flat(at, op.x[0]);
    });
  });
  const targetOf = (op, j) => shapes.flat(shapes.index(j, op.x[0]).filter((_, d) => d !== classDim(op)),
    op.x[0].filter((_, d) => d !== classDim(op)));
  const weightOf = (op, c) => (op.hasSaved(2) ? op.saved(2, c) : 1);
  const isEach = (op) => shapes.count(op.y) === targets(op) && op.y.length === op.savedShape(1).length;

  /** One row's loss without smoothing, and with all of it: −w_t·log p_t, −1/C·Σ w_c·log p_c. */
  function losses(op, t, ignored) {
    const target = op.saved(1, t), row = inputs(op, logitRow(op, t));
    if (target === ignored) return { plain: 0, smooth: 0, weight: 0 };
    if (target === undefined || row.includes(undefined)) return undefined;
    const log = logOf(row);
    const counted = (c) => (weightOf(op, c) === 0 ? 0 : weightOf(op, c) * log[c]);
    return { plain: -counted(target), smooth: -total(shapes.range(row.length).map(counted)) / row.length, weight: weightOf(op, target) };
  }
  /** ignore_index, label smoothing ε and the divisor that give the recorded loss. */
  function settings(op) {
    return op.once("settings", () => {
      const seen = [...new Set(shapes.range(Math.min(targets(op), 512)).map((t) => op.saved(1, t)))];
      for (const ignored of [seen.find((t) => isIgnored(op, t)) ?? -100, ...seen]) {
        const rows = shapes.range(isEach(op) ? Math.min(targets(op), 64) : targets(op)).map((t) => losses(op, t, ignored));
        if (rows.includes(undefined)) return undefined;
        const sum = (what) => total(rows.map((row) => row[what]));
        const divisors = isEach(op) ? [1] : [sum("weight"), 1];
        for (const divisor of divisors) {
          const is = isEach(op) ? total(rows.map((_, t) => op.out(t))) : op.out(0) * divisor;
          const gap = sum("smooth") - sum("plain");
          const found = Math.abs(is - sum("plain")) <= 1e-5 * Math.abs(is) ? 0 : (is - sum("plain")) / gap;
          const smoothing = Number(found.toFixed(3));
          if (found > -1e-4 && found < 1.0001 && Math.abs(found - smoothing) < 2e-4) return { ignored, smoothing, divisor };
        }
      }
      return undefined;
    });
  }
  /** Rows of ignored targets have no gradient at all. */
  function isIgnored(op, target) {
    const t = shapes.range(targets(op)).find((at) => op.saved(1, at) === target);
    return logitRow(op, t).every((j) => op.edge(0, j) === 0);
  }
  const share = (op, t, c) => {  // q_c, the part of the target that class c has
    const { smoothing } = settings(op), target = op.saved(1, t);
    return (target === c ? (1 - smoothing) * weightOf(op, target) : 0) + (smoothing / classes(op)) * weightOf(op, c);
  };

  Study.rule("cross_entropy", {
    names: ["x"],
    forward: "y = −text{mean} sum_c q_c · ln p_c, p = text{softmax}(x)",
    backward: ["dx_c = frac{dy}{N} · (p_c · sum_k q_k − q_c)"],
    fits: (op) => op.hasSaved(1) && settings(op) !== undefined,
    writes: (op, k, j) => [isEach(op) ? targetOf(op, j) : 0],
    reads: (op, k, i) => (isEach(op) ? logitRow(op, i) : shapes.range(targets(op)).flatMap((t) => logitRow(op, t))),
    slope(op, k, j) {
      const t = targetOf(op, j), row = logitRow(op, t), c = row.indexOf(j), { ignored, divisor } = settings(op);
      if (op.saved(1, t) === ignored) return [op.number("[counts]", 0)];
      const p = softmaxOf(inputs(op, row))[c], q = total(row.map((_, k2) => share(op, t, k2)));
      const slope = op.ofX(`(p_@ − ${op.saved(1, t) === c ? "q_{target}" : "q"})`, 0, j, p * q - share(op, t, c));
      return divisor === 1 ? [slope] : [op.number(`1/${Number(divisor.toPrecision(6))}`, 1 / divisor), slope];
    },
    value(op, i) {
      const { ignored, smoothing, divisor } = settings(op);
      return (isEach(op) ? [i] : shapes.range(targets(op))).map((t) => {
        const { plain, smooth } = losses(op, t, ignored), target = op.saved(1, t);
        const loss = (1 - smoothing) * plain + smoothing * smooth;
        const factor = target === ignored ? op.number(`text{target ${t} does not count}`, 0)
          : op.ofX("(−ln p_@)", 0, logitRow(op, t)[target], loss);
        return divisor === 1 ? [factor] : [op.number(`1/${Number(divisor.toPrecision(6))}`, 1 / divisor), factor];
      });
    },
    targetOf,
    row: (op, t) => ({ p: softmaxOf(inputs(op, logitRow(op, t))), row: logitRow(op, t), target: op.saved(1, t),
      q: logitRow(op, t).map((_, c) => share(op, t, c)), ...settings(op) }),
  });
})((globalThis.Study ??= {}));
