// Rules of arithmetic: two operands that broadcast against each other, or one and a number.
(function (Study) {
  "use strict";

  const { shapes } = Study;
  const sigmoid = (x) => Study.numbers.sigmoid(x), softplus = (x) => Study.numbers.softplus(x);

  const source = (op, k, i) => shapes.source(i, op.y, op.x[k]);
  /** The operand k as read by element i of y. */
  const read = (op, k, i) => op.in(k, source(op, k, i));
  const operand = (op, k, i) => op.X(k, source(op, k, i));
  const copies = (op, k, j) => shapes.copies(j, op.y, op.x[k]);
  const two = (op) => op.node.inputs.length === 2;

  /** A rule from the slope ∂y_i/∂(operand k), as factors, and y_i as terms. */
  function elementwise(names, rule) {
    return {
      names,
      ...rule,
      writes: copies,
      reads: (op, k, i) => [source(op, k, i)],
      slope: rule.steepness && ((op, k, j, i) => rule.steepness(op, k, i)),
    };
  }

  /** Known elements of x and y of an op with one operand. */
  const pairs = (op) => shapes.range(Math.min(shapes.count(op.y), 4096))
    .map((i) => [op.in(0, i), op.out(i)]).filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
  /** Where |x| is largest, a quotient has the most digits. */
  const widest = (op) => pairs(op).reduce((best, pair) => (Math.abs(pair[0]) > Math.abs(best[0]) ? pair : best), [0, 0]);
  const rounded = (value) => (Math.abs(value - Number(value.toPrecision(5))) < 1e-6 * Math.abs(value)
    ? Number(value.toPrecision(5)) : value);
  const constant = (op, find) => op.once("constant", () => rounded(find()));
  const text = (value) => String(Number(value.toPrecision(6))).replace("-", "−");
  const number = (op, value) => op.number(value < 0 ? `(${text(value)})` : text(value), value);

  // --------------------------------------------------------------------------------- + −

  const shift = (op) => constant(op, () => { const [x, y] = pairs(op)[0] ?? [0, 0]; return y - x; });
  Study.rule("add", elementwise(["a", "b"], {
    forward: (op) => (two(op) ? "y = a + b" : `y = a + ${number(op, shift(op)).notation}`),
    backward: ["da = dy", "db = dy"],
    value: (op, i) => (two(op) ? [[operand(op, 0, i)], [operand(op, 1, i)]]
      : [[operand(op, 0, i)], [number(op, shift(op))]]),
  }));

  /** Of x − number and number − x, whose nodes look the same: is it the second? */
  const turned = (op) => op.once("turned", () => {
    const seen = pairs(op), [x, y] = seen[0] ?? [0, 0];
    const other = seen.find((pair) => pair[0] !== x);
    if (other === undefined) return op.edge(0, 0) * op.upstream(0) < 0;  // only the sign tells
    return Math.abs(other[1] - y + (other[0] - x)) < Math.abs(other[1] - y - (other[0] - x));
  });
  const minuend = (op) => constant(op, () => { const [x, y] = pairs(op)[0] ?? [0, 0]; return turned(op) ? y + x : x - y; });
  Study.rule("sub", elementwise(["a", "b"], {
    forward: (op) => (two(op) ? "y = a − b" : turned(op) ? `y = ${text(minuend(op))} − a` : `y = a − ${text(minuend(op))}`),
    backward: (op) => (two(op) ? ["da = dy", "db = −dy"] : [turned(op) ? "da = −dy" : "da = dy"]),
    steepness: (op, k) => (k === 1 || (!two(op) && turned(op)) ? [op.number("(−1)", -1)] : []),
    value(op, i) {
      const minus = op.number("(−1)", -1);
      if (two(op)) return [[operand(op, 0, i)], [minus, operand(op, 1, i)]];
      const c = number(op, minuend(op));
      return turned(op) ? [[c], [minus, operand(op, 0, i)]] : [[operand(op, 0, i)], [minus, c]];
    },
  }));

  // --------------------------------------------------------------------------------- × ÷

  const multiple = (op) => constant(op, () => { const [x, y] = widest(op); return x === 0 ? 1 : y / x; });
  Study.rule("mul", elementwise(["a", "b"], {
    forward: (op) => (two(op) ? "y = a · b" : `y = a · ${number(op, multiple(op)).notation}`),
    backward: (op) => (two(op) ? ["da = dy · b", "db = dy · a"] : [`da = dy · ${number(op, multiple(op)).notation}`]),
    steepness: (op, k, i) => [two(op) ? operand(op, 1 - k, i) : number(op, multiple(op))],
    value: (op, i) => [[operand(op, 0, i), two(op) ? operand(op, 1, i) : number(op, multiple(op))]],
  }));

  /** number / x saves what backward needs, x / number saves nothing. */
  const inverse = (op) => !two(op) && op.hasSaved(0);
  const divisor = (op) => constant(op, () => { const [x, y] = widest(op); return inverse(op) ? x * y : x === 0 ? 1 : x / y; });
  const over = (op, k, i) => op.ofX(`(1/${op.name(k)}_@)`, k, source(op, k, i), 1 / read(op, k, i));
  Study.rule("div", elementwise(["a", "b"], {
    forward: (op) => (two(op) ? "y = frac{a}{b}" : inverse(op) ? `y = frac{${text(divisor(op))}}{a}` : `y = frac{a}{${text(divisor(op))}}`),
    backward: (op) => (two(op) ? ["da = frac{dy}{b}", "db = −dy · frac{y}{b}"]
      : [inverse(op) ? "da = −dy · frac{y}{a}" : `da = frac{dy}{${text(divisor(op))}}`]),
    steepness(op, k, i) {
      if (!two(op) && !inverse(op)) return [op.number(`(1/${text(divisor(op))})`, 1 / divisor(op))];
      if (two(op) && k === 0) return [over(op, 1, i)];
      return [op.number("(−1)", -1), op.Y(i), over(op, k, i)];
    },
    value(op, i) {
      if (two(op)) return [[operand(op, 0, i), over(op, 1, i)]];
      return inverse(op) ? [[number(op, divisor(op)), over(op, 0, i)]]
        : [[operand(op, 0, i), op.number(`(1/${text(divisor(op))})`, 1 / divisor(op))]];
    },
  }));

  // --------------------------------------------------------------------------------- powers

  // pow(x, number) saves x; pow(number, p) saves p and y.
  const isBase = (op) => !two(op) && op.hasSaved(1);
  const power = (op) => constant(op, () => {
    const known = pairs(op).find(([a, b]) => a !== 0 && b !== 0 && Math.abs((isBase(op) ? b : Math.abs(a)) - 1) > 0.01);
    if (!known && isBase(op)) return pairs(op).some(([, b]) => b === 0) ? 0 : 1;
    const [x, y] = known ?? [2, 4];
    return isBase(op) ? Math.abs(y) ** (1 / x) : Math.log(Math.abs(y)) / Math.log(Math.abs(x));
  });
  const exponentOf = (op, i) => (two(op) ? read(op, 1, i) : isBase(op) ? read(op, 0, i) : power(op));
  const baseOf = (op, i) => (isBase(op) ? power(op) : read(op, 0, i));
  Study.rule("pow", elementwise(["x", "p"], {
    forward: (op) => (two(op) ? "y = x^p" : isBase(op) ? `y = ${text(power(op))}^x` : `y = x^{${text(power(op))}}`),
    backward: (op) => (isBase(op) ? [`dx = dy · y · ln ${text(power(op))}`] : ["dx = dy · p · x^{p − 1}", "dp = dy · y · ln x"]),
    steepness(op, k, i) {
      const x = baseOf(op, i), p = exponentOf(op, i);
      if (k === 0 && !isBase(op))
        return [op.ofX("p·x_@^{p−1}", 0, source(op, 0, i), p === 0 ? 0 : p * x ** (p - 1))];
      return [op.Y(i), op.number("ln x", x === 0 && p >= 0 ? 0 : Math.log(x))];
    },
    value: (op, i) => [[op.ofX("x_@^p", 0, source(op, 0, i), baseOf(op, i) ** exponentOf(op, i))]],
  }));

  // --------------------------------------------------------------------------------- two variables

  // name: [y, notation, (∂y/∂a, ∂y/∂b), their notation]
  const share = (chosen, equal) => (chosen ? 1 : equal ? 0.5 : 0);
  const pairsOf = {
    minimum: [(a, b) => Math.min(a, b), "min(a, b)",
      [(a, b) => share(a < b, a === b), (a, b) => share(b < a, a === b)], ["[a < b]", "[b < a]"]],
    maximum: [(a, b) => Math.max(a, b), "max(a, b)",
      [(a, b) => share(a > b, a === b), (a, b) => share(b > a, a === b)], ["[a > b]", "[b > a]"]],
    remainder: [(a, b) => a - b * Math.floor(a / b), "a − b⌊a/b⌋", [() => 1, (a, b) => -Math.floor(a / b)], ["1", "(−⌊a/b⌋)"]],
    xlogy: [(a, b) => (a === 0 && !Number.isNaN(b) ? 0 : a * Math.log(b)), "a·ln b",
      [(a, b) => (a === 0 && b <= 0 ? 0 : Math.log(b)), (a, b) => a / b], ["ln b", "a/b"]],
    logaddexp: [(a, b) => Math.max(a, b) + softplus(-Math.abs(a - b)), "ln(e^a + e^b)",
      [(a, b) => sigmoid(a - b), (a, b) => sigmoid(b - a)], ["σ(a − b)", "σ(b − a)"]],
    atan2: [Math.atan2, "text{angle of the point }(b, a)",
      [(a, b) => (b || 0) / ((a * a + b * b) || 1), (a, b) => -a / ((a * a + b * b) || 1)], ["b/(a^2 + b^2)", "(−a/(a^2 + b^2))"]],
    prelu: [(x, w) => (x > 0 ? x : w * x), "x text{ if } x > 0, text{ else } w·x",
      [(x, w) => (x > 0 ? 1 : w), (x) => (x > 0 ? 0 : x)], ["[1 or w]", "[0 or x]"]],
    binary_cross_entropy: [(p, t) => -(t * Math.max(Math.log(p), -100) + (1 - t) * Math.max(Math.log(1 - p), -100)),
      "−(t·ln p + (1 − t)·ln(1 − p))",
      [(p, t) => (p - t) / Math.max(p * (1 - p), 1e-12), (p) => Math.max(Math.log(1 - p), -100) - Math.max(Math.log(p), -100)],
      ["(p − t)/(p(1 − p))", "(ln(1 − p) − ln p)"]],
    binary_cross_entropy_with_logits: [(x, t) => t * softplus(-x) + (1 - t) * softplus(x),
      "t·ln(1 + e^{−x}) + (1 − t)·ln(1 + e^x)", [(x, t) => sigmoid(x) - t, (x) => -x], ["(σ(x) − t)", "(−x)"]],
  };
  const namesOf = { prelu: ["x", "w"], binary_cross_entropy: ["p", "t"], binary_cross_entropy_with_logits: ["x", "t"] };

  for (const [name, [value, notation, slopes, slopeNotation]] of Object.entries(pairsOf)) {
    const names = namesOf[name] ?? ["a", "b"];
    Study.rule(name, elementwise(names, {
      forward: `y = ${notation}`,
      backward: slopeNotation.map((slope, k) => `d${names[k]} = dy · ${slope}`),
      steepness: (op, k, i) => [op.ofX(slopeNotation[k], k, source(op, k, i), slopes[k](read(op, 0, i), read(op, 1, i)))],
      value: (op, i) => [[op.ofX(name.replaceAll("_", " "), 0, source(op, 0, i), value(read(op, 0, i), read(op, 1, i)))]],
    }));
  }

  const weight = (op) => op.once("weight", () => {
    const far = shapes.range(Math.min(shapes.count(op.y), 4096)).map((i) => [read(op, 0, i), read(op, 1, i), op.out(i)])
      .filter((row) => row.every(Number.isFinite)).sort((p, q) => Math.abs(q[1] - q[0]) - Math.abs(p[1] - p[0]))[0];
    return far && far[0] !== far[1] ? rounded((far[2] - far[0]) / (far[1] - far[0])) : 0.5;
  });
  const part = (op, k) => number(op, k === 1 ? weight(op) : 1 - weight(op));
  Study.rule("lerp", elementwise(["start", "end"], {
    forward: "y = (1 − w)·start + w·end",
    backward: ["dstart = (1 − w)·dy", "dend = w·dy"],
    steepness: (op, k) => [part(op, k)],
    value: (op, i) => [0, 1].map((k) => [part(op, k), operand(op, k, i)]),
  }));

  // --------------------------------------------------------------------------------- choices

  const condition = (op, i) => op.saved(0, shapes.source(i, op.y, op.savedShape(0))) !== 0;
  const hasCondition = (op, i) => op.saved(0, shapes.source(i, op.y, op.savedShape(0))) !== undefined;
  /** Which operand `where` gives where the condition holds; with a number, the tensor may be either. */
  const onTrue = (op) => op.once("onTrue", () => {
    const seen = shapes.range(Math.min(shapes.count(op.y), 4096)).filter((i) => hasCondition(op, i));
    const differs = seen.find((i) => !Object.is(read(op, 0, i), op.out(i)) && read(op, 0, i) !== op.out(i));
    if (differs !== undefined) return !condition(op, differs);
    const told = seen.find((i) => op.edge(0, source(op, 0, i)) !== undefined && op.upstream(i));
    return told === undefined || condition(op, told) === (op.edge(0, source(op, 0, told)) !== 0);
  });
  const chosen = (op, k, i) => (condition(op, i) === (two(op) ? k === 0 : onTrue(op)) ? 1 : 0);
  Study.rule("where", elementwise(["a", "b"], {
    forward: (op) => (two(op) ? "y = a text{ where the condition holds, else } b" : "y = a text{ where it is chosen, else a number}"),
    fits: (op) => op.hasSaved(0),
    backward: ["da = dy text{ where } a text{ was chosen, else } 0", "db = dy text{ where } b text{ was chosen, else } 0"],
    steepness: (op, k, i) => [op.number("[chosen]", hasCondition(op, i) ? chosen(op, k, i) : undefined)],
    value: (op, i) => (chosen(op, 0, i) ? [[operand(op, 0, i)]] : two(op) ? [[operand(op, 1, i)]] : [[op.number("number", op.out(i))]]),
  }));

  Study.rule("masked_fill", elementwise(["x"], {
    forward: "y = text{a number where the mask is set, else } x",
    fits: (op) => op.hasSaved(0),
    backward: ["dx = 0 text{ where the mask is set, else } dy"],
    steepness: (op, k, i) => [op.number("[not masked]", hasCondition(op, i) ? Number(!condition(op, i)) : undefined)],
    value: (op, i) => [[condition(op, i) ? op.number("number", op.out(i)) : operand(op, 0, i)]],
  }));

  /** The limits that the elements were cut to; infinite where none was. */
  const limits = (op) => op.once("limits", () => {
    const cut = (sign) => pairs(op).find(([x, y]) => sign * (y - x) > 0)?.[1];
    return { low: cut(1) ?? -Infinity, high: cut(-1) ?? Infinity };
  });
  const sameElement = { writes: (op, k, j) => [j], reads: (op, k, i) => [i] };
  Study.rule("clamp", {
    names: ["x"], ...sameElement,
    forward: "y = min(high, max(low, x))",
    backward: ["dx = dy text{ where } low < x < high, text{ else } 0"],
    slope(op, k, j) {
      const { low, high } = limits(op), x = op.in(0, j);
      return [op.ofX("[low < x_@ < high]", 0, j, low < x && x < high ? 1 : 0)];
    },
    value(op, i) {
      const { low, high } = limits(op), x = op.in(0, i);
      return [[x < low ? op.number("low", low) : x > high ? op.number("high", high) : op.X(0, i)]];
    },
  });
  Study.rule("nan_to_num", {
    names: ["x"], ...sameElement,
    forward: "y = x, text{ with numbers for NaN and ±∞}",
    backward: ["dx = dy text{ where } x text{ is finite, else } 0"],
    slope: (op, k, j) => [op.number("[finite]", Number(Number.isFinite(op.in(0, j))))],
    value: (op, i) => [[Number.isFinite(op.in(0, i)) ? op.X(0, i) : op.number("number", op.out(i))]],
  });
})((globalThis.Study ??= {}));
