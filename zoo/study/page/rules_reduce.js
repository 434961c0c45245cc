// Rules of the reductions: many elements become one. And of running sums.
(function (Study) {
  "use strict";

  const { shapes } = Study;

  // --------------------------------------------------------------------------------- which dimensions

  /** All sets of dimensions, the usual ones first: all, the last, the first, … */
  function dimensionSets(n) {
    const sets = shapes.range(2 ** n).map((bits) => shapes.range(n).filter((d) => bits & (1 << d)));
    return [shapes.range(n), ...shapes.range(n).reverse().map((d) => [d]), ...sets];
  }
  const without = (shape, dims) => shape.filter((_, d) => !dims.includes(d));
  const ones = (shape, dims) => shape.map((size, d) => (dims.includes(d) ? 1 : size));

  /** The elements of x that are reduced to y_i over `dims`. */
  function rowOf(op, dims, i) {
    const kept = shapes.index(i, without(op.x[0], dims)), inside = dims.map((d) => op.x[0][d]);
    return shapes.range(shapes.count(inside)).map((at) => {
      const index = [], taken = shapes.index(at, inside);
      let next = 0;
      op.x[0].forEach((_, d) => { index.push(dims.includes(d) ? taken[dims.indexOf(d)] : kept[next++]); });
      return shapes.flat(index, op.x[0]);
    });
  }
  function resultOf(op, dims, j) {
    const index = shapes.index(j, op.x[0]).filter((_, d) => !dims.includes(d));
    return shapes.flat(index, without(op.x[0], dims));
  }

  /** Which dimensions op reduces and with what parameter: the pair that reproduces y. */
  function found(op, rule) {
    const fitting = () => dimensionSets(op.x[0].length).filter((dims) =>
      shapes.same(op.y, without(op.x[0], dims)) || shapes.same(op.y, ones(op.x[0], dims)));
    const candidates = () => fitting().flatMap((dims) => (rule.parameters ?? [undefined]).map((p) => ({ dims, p })));
    return op.infer("over", candidates, ({ dims, p }, i) => {
      const row = rowOf(op, dims, i).map((j) => op.in(0, j));
      return row.includes(undefined) ? undefined : rule.of(row, p);
    });
  }

  /** of(row, p) is y; slope(op, row, j, i, p) the factors of ∂y/∂x_j; pieces(op, row, i, p) the terms of y. */
  function reduction(name, forward, backward, rule) {
    const over = (op) => found(op, rule);
    const row = (op, i) => op.row(i, () => rowOf(op, over(op).dims, i));  // each term asks for it
    Study.rule(name, {
      names: ["x"], forward, backward: [backward],
      fits: (op) => over(op) !== undefined,
      writes: (op, k, j) => [resultOf(op, over(op).dims, j)],
      reads: (op, k, i) => row(op, i),
      slope: (op, k, j, i) => rule.slope(op, row(op, i), j, i, over(op).p),
      value: (op, i) => rule.pieces(op, row(op, i), i, over(op).p),
    });
  }

  // --------------------------------------------------------------------------------- of rows

  const total = (row) => row.reduce((sum, x) => sum + x, 0);
  const meanOf = (row) => total(row) / row.length;
  const squares = (row) => { const mean = meanOf(row); return total(row.map((x) => (x - mean) ** 2)); };
  const valuesOf = (op, row) => row.map((j) => op.in(0, j));
  const each = (op, row, notation, f) => row.map((j) => [op.ofX(notation, 0, j, Study.numbers.known(op.in(0, j), f))]);
  const all = (op, row, notation, value) => [[op.number(notation, value(valuesOf(op, row)))]];

  reduction("sum", "y = sum_j x_j", "dx_j = dy", {
    of: total, slope: () => [], pieces: (op, row) => row.map((j) => [op.X(0, j)]) });
  reduction("mean", "y = frac{1}{n} sum_j x_j", "dx_j = frac{dy}{n}", {
    of: meanOf,
    slope: (op, row) => [op.number(`(1/${row.length})`, 1 / row.length)],
    pieces: (op, row) => row.map((j) => [op.number(`(1/${row.length})`, 1 / row.length), op.X(0, j)]) });

  reduction("var", "y = frac{1}{n − c} sum_j (x_j − text{mean})^2", "dx_j = dy · frac{2 (x_j − text{mean})}{n − c}", {
    parameters: [1, 0, 2], of: (row, c) => squares(row) / (row.length - c),
    slope: (op, row, j, i, c) => [op.ofX("2(x_@ − mean)", 0, j, 2 * (op.in(0, j) - meanOf(valuesOf(op, row)))),
      op.number(`(1/${row.length - c})`, 1 / (row.length - c))],
    pieces: (op, row, i, c) => each(op, row, `(x_@ − mean)^2/${row.length - c}`,
      (x) => (x - meanOf(valuesOf(op, row))) ** 2 / (row.length - c)) });
  reduction("stddev", "y = sqrt{frac{1}{n − c} sum_j (x_j − text{mean})^2}", "dx_j = dy · frac{x_j − text{mean}}{(n − c) y}", {
    parameters: [1, 0, 2], of: (row, c) => Math.sqrt(squares(row) / (row.length - c)),
    slope: (op, row, j, i, c) => [op.ofX("(x_@ − mean)", 0, j, op.in(0, j) - meanOf(valuesOf(op, row))),
      op.ofY(`(1/(${row.length - c}·y_@))`, i, op.out(i) === 0 ? 0 : 1 / (op.out(i) * (row.length - c)))],
    pieces: (op, row, i, c) => all(op, row, "√var", (x) => Math.sqrt(squares(x) / (x.length - c))) });

  const largest = (row) => row.reduce((most, x) => (x > most || Number.isNaN(x) ? x : most), -Infinity);
  const smallest = (row) => row.reduce((least, x) => (x < least || Number.isNaN(x) ? x : least), Infinity);
  function extreme(name, best) {
    reduction(name, `y = text{the ${name === "amax" ? "largest" : "smallest"} } x_j`, "dx_j = dy · frac{[x_j = y]}{text{how many are}}", {
      of: best,
      slope(op, row, j, i) {
        const equal = valuesOf(op, row).filter((x) => x === op.out(i)).length;
        return [op.ofX("[x_@ = y]/n", 0, j, op.in(0, j) === op.out(i) ? 1 / equal : 0)];
      },
      pieces(op, row) {
        const value = best(valuesOf(op, row));
        return [[op.X(0, row.find((j) => Object.is(op.in(0, j), value)) ?? row[0])]];
      },
    });
  }
  extreme("amax", largest);
  extreme("amin", smallest);

  const logsumexp = (row) => {
    const most = largest(row);
    return Number.isFinite(most) ? most + Math.log(total(row.map((x) => Math.exp(x - most)))) : most;
  };
  reduction("logsumexp", "y = ln sum_j e^{x_j}", "dx_j = dy · e^{x_j − y}", {
    of: logsumexp,
    slope: (op, row, j, i) => [op.ofX("exp(x_@ − y)", 0, j, op.out(i) === -Infinity ? 0 : Math.exp(op.in(0, j) - op.out(i)))],
    pieces: (op, row) => all(op, row, "ln Σ exp(x)", logsumexp) });

  const normOf = (row, p) => (p === Infinity ? largest(row.map(Math.abs))
    : total(row.map((x) => Math.abs(x) ** p)) ** (1 / p));
  function normSlope(op, row, j, i, p) {
    const x = op.in(0, j), y = op.out(i);
    if (y === 0 || x === 0) return 0;
    if (p !== Infinity) return Math.sign(x) * (Math.abs(x) / y) ** (p - 1);
    return Math.abs(x) === y ? Math.sign(x) / valuesOf(op, row).filter((other) => Math.abs(other) === y).length : 0;
  }
  reduction("norm", "y = (sum_j |x_j|^p)^{1/p}", "dx_j = dy · text{sign}(x_j) · (frac{|x_j|}{y})^{p − 1}", {
    parameters: [2, 1, Infinity, 3, 4, 0.5, 1.5, 2.5], of: normOf,
    slope: (op, row, j, i, p) => [op.ofX(p === 2 ? "x_@/y" : "sign(x_@)·(|x_@|/y)^{p−1}", 0, j, normSlope(op, row, j, i, p))],
    pieces: (op, row, i, p) => all(op, row, `(Σ |x|^${p})^{1/${p}}`, (x) => normOf(x, p)) });

  const productOf = (row) => row.reduce((product, x) => product * x, 1);
  reduction("prod", "y = text{the product of all } x_j", "dx_j = dy · text{the product of the others}", {
    of: productOf,
    slope: (op, row, j) => [op.number("product of the others", productOf(row.filter((other) => other !== j).map((other) => op.in(0, other))))],
    pieces: (op, row) => [row.map((j) => op.X(0, j))] });

  // --------------------------------------------------------------------------------- running

  /** Along the dimension that reproduces y: y_i is made of the elements up to i. */
  const upTo = (op, dim, i) => shapes.along(i, op.y, dim).filter((j) => j <= i);
  const cumsumDim = (op) => op.infer("dim", () => shapes.range(op.y.length), (dim, i) => total(valuesOf(op, upTo(op, dim, i))));
  Study.rule("cumsum", {
    names: ["x"], forward: "y_i = x_0 + … + x_i", backward: ["dx_j = sum_{i ≥ j} dy_i"],
    fits: (op) => cumsumDim(op) !== undefined,
    writes: (op, k, j) => shapes.along(j, op.y, cumsumDim(op)).filter((i) => i >= j),
    reads: (op, k, i) => upTo(op, cumsumDim(op), i),
    value: (op, i) => upTo(op, cumsumDim(op), i).map((j) => [op.X(0, j)]),
  });

  const cumprodDim = (op) => op.infer("dim", () => shapes.range(op.y.length), (dim, i) => productOf(valuesOf(op, upTo(op, dim, i))));
  Study.rule("cumprod", {
    names: ["x"], forward: "y_i = x_0 · … · x_i", backward: ["dx_j = sum_{i ≥ j} dy_i · text{the product of the others up to } i"],
    fits: (op) => cumprodDim(op) !== undefined,
    writes: (op, k, j) => shapes.along(j, op.y, cumprodDim(op)).filter((i) => i >= j),
    reads: (op, k, i) => upTo(op, cumprodDim(op), i),
    slope: (op, k, j, i) => [op.number("the others", productOf(valuesOf(op, upTo(op, cumprodDim(op), i).filter((other) => other !== j))))],
    value: (op, i) => [upTo(op, cumprodDim(op), i).map((j) => op.X(0, j))],
  });

  // y_i = b_i + a_i · y_{i−1} along the last dimension: ∂y_i/∂b_j = a_{j+1} · … · a_i.
  const start = (op, i) => i - (i % op.y.at(-1));
  const chain = (op, j, i) => productOf(shapes.range(i - j, j + 1).map((at) => op.in(0, at)));
  Study.rule("recurrence", {
    names: ["a", "b"], forward: "y_i = b_i + a_i · y_{i − 1}", backward: ["da_i = db_i · y_{i − 1}", "db_i = dy_i + a_{i + 1} · db_{i + 1}"],
    writes: (op, k, j) => shapes.range(start(op, j) + op.y.at(-1) - j, j),
    reads: (op, k, i) => shapes.range(i - start(op, i) + 1, start(op, i)),
    slope(op, k, j, i) {
      const steps = op.number("a's between", chain(op, j, i));
      return k === 1 ? [steps] : [j === start(op, j) ? op.number("0", 0) : op.Y(j - 1), steps];
    },
    value: (op, i) => shapes.range(i - start(op, i) + 1, start(op, i)).map((j) => [op.X(1, j), op.number("a's between", chain(op, j, i))]),
  });
})((globalThis.Study ??= {}));
