// Rules: how the gradient of one element follows from other numbers, and how its value does.
//
// A rule is a table about one op. It says which elements of y read an element of x and how steep y
// is there, and the chain rule does the rest:  dx_j = Σ_i dy_i · ∂y_i/∂x_j.
//
//   names             of the inputs, ["x", "W", "b"], or a function of k
//   forward, backward notation of maths.js: one formula, and one for each input; or functions of op
//   writes(op, k, j)  the elements i of y that depend on element j of input k
//   reads(op, k, i)   the elements j of input k that element i of y depends on
//   slope(op, k, j, i)  factors of ∂y_i/∂x_j; none: it is 1
//   value(op, i)      y_i as a list of terms, each a list of factors
//   terms(op, k, j)   instead of writes and slope: terms {factors, via, size}, where `via` is an i
//   fits(op)          false if an attribute of the op could not be found out
//   fixed             inputs that the op treats as constants
//
// Elements are numbers in row-major order. A tape keeps no attributes such as dim or eps: op.infer()
// looks for the candidate that reproduces the recorded y.
(function (Study) {
  "use strict";

  const rules = (Study.rules = {});

  /** Registers a rule for one op or several. */
  Study.rule = function (ops, rule) {
    for (const op of [].concat(ops)) rules[op] = rule;
  };

  // --------------------------------------------------------------------------------- shapes

  const shapes = (Study.shapes = {
    count: (shape) => shape.reduce((n, size) => n * size, 1),
    /** The index of an element: 7 in (2, 5) is [1, 2]. */
    index(flat, shape) {
      const index = new Array(shape.length);
      for (let d = shape.length - 1; d >= 0; --d) {
        index[d] = flat % shape[d];
        flat = Math.floor(flat / shape[d]);
      }
      return index;
    },
    flat: (index, shape) => index.reduce((flat, i, d) => flat * shape[d] + i, 0),
    range: (n, from = 0) => Array.from({ length: n }, (_, i) => from + i),
    same: (a, b) => a.length === b.length && a.every((size, d) => size === b[d]),
    /** The element of a broadcast operand that element i of the result reads. */
    source(i, result, operand) {
      const index = shapes.index(i, result).slice(result.length - operand.length);
      return shapes.flat(index.map((at, d) => (operand[d] === 1 ? 0 : at)), operand);
    },
    /** The elements of the result that read element j of a broadcast operand. */
    copies(j, result, operand) {
      const at = shapes.index(j, operand), lead = result.length - operand.length;
      let found = [0];
      for (let d = 0; d < result.length; ++d) {
        const own = d >= lead && operand[d - lead] === result[d];
        const places = own ? [at[d - lead]] : shapes.range(result[d]);
        found = found.flatMap((flat) => places.map((place) => flat * result[d] + place));
      }
      return found;
    },
    /** The elements of x along `dim` through element i, in order. */
    along(i, shape, dim) {
      const step = shapes.count(shape.slice(dim + 1)), n = shape[dim];
      const first = i - (Math.floor(i / step) % n) * step;
      return shapes.range(n).map((k) => first + k * step);
    },
    dim: (d, shape) => (d < 0 ? d + shape.length : d),
  });

  // --------------------------------------------------------------------------------- one op

  /** A node that is an op, as rules see it. */
  class Op {
    constructor(id) {
      this.id = id;
      this.node = Study.data.nodes[id];
      this.found = new Map();
      this.rows = new Map();
      this.isMissing = false;  // whether a number was asked for that did not travel
      this.y = this.shapeOf(this.node.value);
      this.x = this.node.inputs.map((input) =>
        input < 0 ? null : this.shapeOf(Study.data.nodes[input].value));
    }
    shapeOf(tensor) { return Study.data.tensors[tensor].shape; }
    savedShape(k) { return this.shapeOf(this.node.saved[k]); }
    has(k) { return this.node.inputs[k] !== undefined && this.node.inputs[k] >= 0; }
    hasSaved(k) { return this.node.saved[k] !== undefined && this.node.saved[k] >= 0; }

    /** A value that a rule looks up once, such as the dimension of a softmax. */
    once(name, find) {
      if (!this.found.has(name)) this.found.set(name, find());
      return this.found.get(name);
    }
    /** The same for something computed from values, such as a row of a softmax. */
    row(name, find) {
      if (!this.rows.has(name)) {
        if (this.rows.size > 4096) this.rows.clear();
        const before = this.isMissing;
        this.isMissing = false;
        this.rows.set(name, { value: find(), isMissing: this.isMissing });
        this.isMissing ||= before;
      }
      const { value, isMissing } = this.rows.get(name);
      this.isMissing ||= isMissing;
      return value;
    }
    /** Of candidates() the one whose value(candidate, i) is closest to y_i, for elements spread over
        y; the first of several that are as close. Undefined if none is near. Rules ask again for
        every term of a sum, so the candidates are made only once. */
    infer(name, candidates, value) {
      return this.once(name, () => {
        let best, least = 1e-4;
        for (const candidate of candidates()) {
          const error = this.error((i) => value(candidate, i));
          if (error <= 1e-6) return candidate;
          if (error < least) [best, least] = [candidate, error];
        }
        return best;
      });
    }
    /** How far value(i) is from y_i at most, relative to y_i. */
    error(value) {
      let most = 0;
      for (const i of spread(shapes.count(this.y))) {
        this.isMissing = false;
        const is = this.out(i), should = value(i);
        if (this.isMissing || is === undefined || should === undefined || Object.is(is, should)) continue;
        const error = Math.abs(is - should) / (Math.abs(is) + 0.1);
        if (is !== should) most = Math.max(most, Number.isNaN(error) ? Infinity : error);
        if (most > 1e-4) break;
      }
      return most;
    }
    // ---- numbers
    at(tensor, i) {
      const value = Study.at(tensor, i);
      if (value === undefined) this.isMissing = true;
      return value;
    }
    in(k, j) { return this.at(Study.data.nodes[this.node.inputs[k]].value, j); }
    out(i) { return this.at(this.node.value, i); }
    saved(k, i) { return this.at(this.node.saved[k], i); }
    /** What this op sent back to element j of input k, if it is known. */
    edge(k, j) {
      const own = this.node.edges[k] ?? -1, whole = Study.data.nodes[this.node.inputs[k]].grad ?? -1;
      return own >= 0 ? Study.at(own, j) : whole >= 0 ? Study.at(whole, j) : undefined;
    }
    upstream(i) {
      if (this.node.grad >= 0) return this.at(this.node.grad, i);
      return this.id === Study.data.loss ? 1 : undefined;
    }

    // ---- factors
    name(k) { return nameOf(rules[this.node.op], k); }
    X(k, j) { return factor(this.name(k), this.node.inputs[k], j, this.x[k], this.in(k, j)); }
    Y(i) { return factor("y", this.id, i, this.y, this.out(i)); }
    DY(i) { return { ...factor("dy", this.id, i, this.y, this.upstream(i)), grad: true }; }
    /** A number that is not an element: a scale, a sign. */
    number(notation, value) {
      return { name: Study.plain(notation), notation, node: -1, grad: false, flat: 0, value };
    }
    /** Something computed from element j of input k; @ in the notation is its index. */
    ofX(notation, k, j, value) { return derived(notation, this.X(k, j), value); }
    ofY(notation, i, value) { return derived(notation, this.Y(i), value); }
  }

  const nameOf = ({ names = (k) => `x${k}` }, k) =>
    (typeof names === "function" ? names(k) : names[k] ?? `x${k}`);

  function factor(name, node, flat, shape, value) {
    const index = shapes.index(flat, shape).join(",");
    return { name, node, grad: false, flat, value, index,
      notation: index === "" ? name : `${name}_{${index}}` };
  }
  function derived(notation, of, value) {
    const put = notation.replaceAll("_@", of.index === "" ? "" : `_{${of.index}}`);
    return { ...of, name: Study.plain(notation.replaceAll("_@", "")), notation: put, value };
  }

  /** A few elements out of n, spread evenly. */
  function spread(n, most = 24) {
    if (n <= most) return shapes.range(n);
    const step = n / most;
    return shapes.range(most).map((i) => Math.floor(i * step + (i * 7) % Math.ceil(step)))
      .filter((i) => i < n);
  }
  Study.spread = spread;

  const ops = new Map();
  Study.op = function (id) {
    if (!ops.has(id)) ops.set(id, new Op(id));
    return ops.get(id);
  };
  /** Forgets what was inferred: for another set of data. */
  Study.forgetRules = () => ops.clear();
  /** Forgets only what was computed from values. */
  Study.forgetRows = () => ops.forEach((op) => op.rows.clear());

  // --------------------------------------------------------------------------------- sums

  /** The label of a product: dy[3,5]·W[5,17]. Quicker than Study.plain, for thousands of terms. */
  const labelOf = (factors) => factors.map((f) => f.notation
    .replace(/_\{([^}]*)\}/g, "[$1]").replace(/\^2/g, "²").replace(/hat\{x\}/g, "x̂")).join(" · ");

  /** `size` is how large the parts of a term are that nearly cancel: rounding errors follow it. A
      factor may have one as well. */
  function finished({ isMissing }, factors, via, size = 0) {
    const known = factors.every((f) => f.value !== undefined && !(isMissing && Number.isNaN(f.value)));
    const value = known ? factors.reduce((product, f) => product * f.value, 1) : undefined;
    const whole = factors.reduce((product, f) => product * Math.abs(f.size ?? f.value), 1);
    return { factors, via, value, size: Math.max(size || 0, whole), get label() { return labelOf(factors); } };
  }

  /** All terms together. `left` is the name of what they add up to. */
  function summed(left, index, all, recorded) {
    const terms = all.filter((term) => term.value !== undefined);
    const omitted = all.length - terms.length;
    const sum = terms.reduce((total, term) => total + term.value, 0);
    const size = terms.reduce((total, term) => total + term.size, 0);
    const compared = recorded !== undefined && omitted === 0;
    return { element: index, terms, sum, recorded, omitted,
      agrees: compared ? alike(sum, recorded, size) : undefined,
      formula: Study.maths(`${left}${index.length ? `_{${index.join(",")}}` : ""} = ${right(terms, omitted)}`) };
  }

  /** f32 rounds every term, and the kernels add them in another order. */
  function alike(sum, recorded, size) {
    if (!Number.isFinite(sum) || !Number.isFinite(recorded))
      return Object.is(sum, recorded) || Number.isNaN(sum) || Number.isNaN(recorded);
    return Math.abs(sum - recorded) <= 3e-5 * Math.max(size, Math.abs(recorded)) + 1e-12;
  }

  function right(terms, omitted) {
    if (terms.length === 0) return omitted ? "…" : "0";
    const notation = (term) => term.factors.map((f) => f.notation).join(" · ") || "1";
    if (terms.length <= 3) return terms.map(notation).join(" + ") + (omitted ? " + …" : "");
    return `${notation(terms[0])} + ${notation(terms[1])} + … + ${notation(terms.at(-1))}`;
  }

  /** The rule of a node if it has one that fits, and how it sees the node. */
  function ruled(id) {
    const node = Study.data.nodes[id];
    const rule = node && node.kind === "op" ? rules[node.op] : undefined;
    if (!rule || !(rule.writes || rule.terms)) return null;
    const op = Study.op(id);
    if (rule.fits && !op.once("fits", () => rule.fits(op))) return null;
    return { rule, op };
  }
  Study.ruled = ruled;

  /** The terms {factors, via, value, label} of d(input k)_j. */
  function gradientTerms({ rule, op }, k, j) {
    op.isMissing = false;
    if (rule.terms) return rule.terms(op, k, j).map(({ factors, via, size }) => finished(op, factors, via, size));
    return rule.writes(op, k, j).map((i) => finished(op, [op.DY(i), ...(rule.slope ? rule.slope(op, k, j, i) : [])], i));
  }

  /** dx_j of input `k` as a sum of terms; null without a rule. See the head of this file. */
  Study.terms = function (id, k, flat) {
    const found = ruled(id);
    if (!found || !found.op.has(k)) return null;
    const { op } = found;
    if (op.node.grad < 0 && id !== Study.data.loss) return null;
    if ((rules[op.node.op].fixed || []).includes(k)) return null;
    return summed(`d${op.name(k)}`, shapes.index(flat, op.x[k]), gradientTerms(found, k, flat), op.edge(k, flat));
  };

  /** y_i as a sum of terms; null without a rule. */
  Study.forwardTerms = function (id, flat) {
    const found = ruled(id);
    if (!found || !found.rule.value) return null;
    const { rule, op } = found;
    op.isMissing = false;
    const terms = rule.value(op, flat).map((factors) => finished(op, factors, flat));
    return summed("y", shapes.index(flat, op.y), terms, op.out(flat));
  };

  /** The formulas of a node: {forward, backward: one for each input, text}. */
  Study.formula = function (id) {
    const node = Study.data.nodes[id], rule = rules[node.op] ?? {};
    const put = (what) => (typeof what === "function" ? what(Study.op(id)) : what);
    const names = node.inputs.map((_, k) => nameOf(rule, k));
    const forward = put(rule.forward) ?? `y = text{${node.op ?? node.kind}}(${names.join(", ")})`;
    const given = put(rule.backward) ?? [];
    const backward = node.inputs.map((_, k) => given[k] ??
      `d${names[k]}_j = sum_{i} dy_i · frac{∂y_i}{∂${names[k]}_j}`);
    return { forward: Study.maths(forward), backward: backward.map((text) => Study.maths(text)),
      text: [forward, ...backward].map(Study.plain).join("\n") };
  };
})((globalThis.Study ??= {}));
