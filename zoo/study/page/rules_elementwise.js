// Rules of the functions of one variable. They are those of autograd/ops/elementwise/functions.h.
(function (Study) {
  "use strict";

  const { shapes } = Study;
  const LN2 = Math.LN2, LN10 = Math.LN10;

  // --------------------------------------------------------------------------------- numbers

  /** 2/√π ∫₀ˣ e^{−t²} dt, by a series whose terms are all positive. */
  function erf(x) {
    const size = Math.abs(x);
    if (!(size < 6)) return Number.isNaN(x) ? x : Math.sign(x);
    let term = size, sum = size;
    for (let n = 1; term > 1e-17 * sum; ++n) {
      term *= (2 * size * size) / (2 * n + 1);
      sum += term;
    }
    return (Math.sign(x) * 2 * sum * Math.exp(-size * size)) / Math.sqrt(Math.PI);
  }
  const sigmoid = (x) => 1 / (1 + Math.exp(-x));
  const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  const cdf = (x) => 0.5 * (1 + erf(x / Math.SQRT2));
  const pdf = (x) => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  const tanhArgument = (x) => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
  const limited = (x, low, high) => (Number.isNaN(x) ? x : Math.min(high, Math.max(low, x)));
  const elu = (x, alpha) => (x > 0 ? x : alpha * Math.expm1(x));
  const eluSlope = (x, alpha) => (x > 0 ? 1 : alpha * Math.exp(x));
  const ALPHA = 1.6732632423543772, LAMBDA = 1.0507009873554805;
  function even(x) {
    const down = Math.floor(x), rest = x - down;
    return rest < 0.5 ? down : rest > 0.5 ? down + 1 : down % 2 === 0 ? down : down + 1;
  }

  // --------------------------------------------------------------------------------- the table

  // name: [y, its notation, y′ by x and y, its notation, parameters to try]. _@ is the index.
  const table = {
    neg: [(x) => -x, "−x", () => -1, "(−1)"],
    abs: [Math.abs, "|x|", (x) => Math.sign(x), "text{sign}(x_@)"],
    sign: [Math.sign, "text{sign}(x)", () => 0, "0"],
    floor: [Math.floor, "⌊x⌋", () => 0, "0"],
    ceil: [Math.ceil, "⌈x⌉", () => 0, "0"],
    round: [even, "text{round}(x)", () => 0, "0"],
    trunc: [Math.trunc, "text{trunc}(x)", () => 0, "0"],
    reciprocal: [(x) => 1 / x, "frac{1}{x}", (x, y) => -y * y, "(−y_@^2)"],
    square: [(x) => x * x, "x^2", (x) => 2 * x, "2x_@"],
    sqrt: [Math.sqrt, "sqrt{x}", (x, y) => 0.5 / y, "1/(2y_@)"],
    rsqrt: [(x) => 1 / Math.sqrt(x), "frac{1}{sqrt{x}}", (x, y) => -0.5 * y ** 3, "(−½y_@^3)"],
    exp: [Math.exp, "e^x", (x, y) => y, "y_@"],
    expm1: [Math.expm1, "e^x − 1", (x, y) => y + 1, "(y_@ + 1)"],
    exp2: [(x) => 2 ** x, "2^x", (x, y) => y * LN2, "y_@ ln 2"],
    log: [Math.log, "ln x", (x) => 1 / x, "1/x_@"],
    log1p: [Math.log1p, "ln(1 + x)", (x) => 1 / (1 + x), "1/(1 + x_@)"],
    log2: [Math.log2, "log_2 x", (x) => 1 / (x * LN2), "1/(x_@ ln 2)"],
    log10: [Math.log10, "log_{10} x", (x) => 1 / (x * LN10), "1/(x_@ ln 10)"],
    sin: [Math.sin, "sin x", (x) => Math.cos(x), "cos(x_@)"],
    cos: [Math.cos, "cos x", (x) => -Math.sin(x), "(−sin(x_@))"],
    tan: [Math.tan, "tan x", (x, y) => 1 + y * y, "(1 + y_@^2)"],
    asin: [Math.asin, "arcsin x", (x) => 1 / Math.sqrt((1 - x) * (1 + x)), "1/√(1 − x_@^2)"],
    acos: [Math.acos, "arccos x", (x) => -1 / Math.sqrt((1 - x) * (1 + x)), "(−1/√(1 − x_@^2))"],
    atan: [Math.atan, "arctan x", (x) => 1 / (1 + x * x), "1/(1 + x_@^2)"],
    sinh: [Math.sinh, "sinh x", (x) => Math.cosh(x), "cosh(x_@)"],
    cosh: [Math.cosh, "cosh x", (x) => Math.sinh(x), "sinh(x_@)"],
    tanh: [Math.tanh, "tanh x", (x, y) => 1 - y * y, "(1 − y_@^2)"],
    erf: [erf, "erf x", (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x), "(2/√π)·exp(−x_@^2)"],
    sigmoid: [sigmoid, "σ(x) = frac{1}{1 + e^{−x}}", (x, y) => y * (1 - y), "y_@(1 − y_@)"],
    logsigmoid: [(x) => -softplus(-x), "ln σ(x)", (x) => sigmoid(-x), "σ(−x_@)"],
    relu: [(x) => limited(x, 0, Infinity), "max(0, x)", (x, y) => (y > 0 ? 1 : 0), "[x_@ > 0]"],
    leaky_relu: [(x, s) => (x > 0 ? x : s * x), "x text{ if } x > 0, text{ else } s·x",
      (x, y, s) => (x > 0 ? 1 : s), "(1 or s at x_@)", "slope"],
    elu: [elu, "x text{ if } x > 0, text{ else } α(e^x − 1)", (x, y, a) => eluSlope(x, a),
      "(1 or αe^x at x_@)", "alpha"],
    selu: [(x) => LAMBDA * elu(x, ALPHA), "λ·text{elu}(x, α)", (x) => LAMBDA * eluSlope(x, ALPHA),
      "λ(1 or αe^x at x_@)"],
    celu: [(x, a) => (x > 0 ? x : a * Math.expm1(x / a)), "x text{ if } x > 0, text{ else } α(e^{x/α} − 1)",
      (x, y, a) => (x > 0 ? 1 : Math.exp(x / a)), "(1 or e^{x/α} at x_@)", "alpha"],
    gelu: [(x, tanh) => (tanh ? 0.5 * x * (1 + Math.tanh(tanhArgument(x))) : x * cdf(x)), "x·Φ(x)",
      geluSlope, "(Φ(x_@) + x_@·φ(x_@))", [false, true]],
    silu: [(x) => x * sigmoid(x), "x·σ(x)", (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))),
      "(σ(x_@) + x_@·σ(x_@)·σ(−x_@))"],
    mish: [(x) => x * Math.tanh(softplus(x)), "x·tanh(ln(1 + e^x))", mishSlope,
      "(t + x_@·(1 − t^2)·σ(x_@))"],
    softplus: [(x, [b, linear]) => (x >= linear ? x : softplus(x * b) / b), "frac{1}{β} ln(1 + e^{βx})",
      (x, y, [b, linear]) => (x >= linear ? 1 : sigmoid(x * b)), "σ(βx_@)", "beta"],
    softsign: [(x) => x / (1 + Math.abs(x)), "frac{x}{1 + |x|}", (x) => (1 + Math.abs(x)) ** -2,
      "1/(1 + |x_@|)^2"],
    hardtanh: [(x, p) => limited(x, p[0], p[1]), "min(high, max(low, x))",
      (x, y, p) => (x <= p[0] || x >= p[1] ? 0 : 1), "[low < x_@ < high]", "bounds"],
    hardsigmoid: [(x) => limited(x + 3, 0, 6) / 6, "frac{1}{6} min(6, max(0, x + 3))",
      (x) => (x > -3 && x < 3 ? 1 / 6 : 0), "[−3 < x_@ < 3]/6"],
    hardswish: [(x) => (x * limited(x + 3, 0, 6)) / 6, "frac{x}{6} min(6, max(0, x + 3))",
      (x) => (x <= -3 ? 0 : x < 3 ? x / 3 + 0.5 : 1), "(slope at x_@)"],
  };

  function geluSlope(x, y, tanh) {
    if (!tanh) return cdf(x) + x * pdf(x);
    const t = Math.tanh(tanhArgument(x));
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
  }
  function mishSlope(x) {
    const t = Math.tanh(softplus(x));
    return t + x * (1 - t * t) * sigmoid(x);
  }

  // --------------------------------------------------------------------------------- parameters

  const elements = (op) => shapes.range(Math.min(shapes.count(op.y), 4096))
    .map((i) => ({ x: op.in(0, i), y: op.out(i) })).filter(({ x, y }) => x !== undefined && y !== undefined);

  /** The values to try for a parameter of this kind. */
  function candidates(kind, op) {
    if (Array.isArray(kind)) return kind;
    const seen = elements(op);
    if (kind === "bounds") {
      const cut = (sign) => seen.find(({ x, y }) => sign * (y - x) > 0)?.y;
      return [[cut(1) ?? -Infinity, cut(-1) ?? Infinity]];
    }
    if (kind === "beta") {  // and from where on y is x
      const linear = seen.filter(({ x, y }) => x === y).reduce((least, { x }) => Math.min(least, x), Infinity);
      return [1, 2, 0.5, 3, 4, 5, 10, 1.5, 2.5, 0.1].map((beta) => [beta, linear]);
    }
    const below = seen.filter(({ x }) => x < 0).sort((a, b) => a.x - b.x)[0];
    if (!below) return [kind === "slope" ? 0.01 : 1];
    const ratio = kind === "slope" ? below.y / below.x : below.y / Math.expm1(below.x);
    return [1, 0.01, ratio, Number(ratio.toPrecision(6)), 0.1, 0.2, 0.5, 2, 1.5, 1.2, 0.8, 1.3, 0.7];
  }

  // Slopes whose parts nearly cancel far below 0: the size of the parts, which rounding follows.
  const parts = {
    gelu: (x) => cdf(x) + Math.abs(x) * pdf(x),
    silu: (x) => sigmoid(x) * (1 + Math.abs(x) * sigmoid(-x)),
    mish: (x) => Math.tanh(softplus(x)) + Math.abs(x) * sigmoid(x),
  };

  for (const [name, [value, notation, slope, slopeNotation, parameters]] of Object.entries(table)) {
    const parameter = (op) => parameters &&
      op.infer("parameter", () => candidates(parameters, op), (p, i) => value(op.in(0, i), p));
    const one = (op, j) => slope(op.in(0, j), op.out(j), parameter(op));
    Study.rule(name, {
      names: ["x"],
      forward: name === "gelu"
        ? (op) => (parameter(op) ? "y = frac{x}{2}(1 + tanh u), u = sqrt{frac{2}{π}}(x + 0.044715x^3)" : "y = x·Φ(x)")
        : `y = ${notation}`,
      backward: [`dx = dy · ${slopeNotation.replaceAll("_@", "")}`],
      fits: (op) => !parameters || parameter(op) !== undefined,
      writes: (op, k, j) => [j],
      reads: (op, k, i) => [i],
      slope: (op, k, j) => [slopeNotation.includes("y_@")
        ? op.ofY(slopeNotation, j, one(op, j))
        : { ...op.ofX(slopeNotation, 0, j, one(op, j)), size: parts[name]?.(op.in(0, j)) }],
      value: (op, i) => [[op.ofX(`${name}(x_@)`, 0, i, known(op.in(0, i), (x) => value(x, parameter(op))))]],
    });
  }

  const known = (x, f) => (x === undefined ? undefined : f(x));
  Study.numbers = { erf, sigmoid, softplus, known };
})((globalThis.Study ??= {}));
