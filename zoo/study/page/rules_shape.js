// Rules of the ops that only move elements: each element of y is one of x, or a constant. So the
// backward moves the gradients back, and adds them where an element was used several times.
(function (Study) {
  "use strict";

  const { shapes } = Study;

  /** A rule from `map`: op, i → the element of input 0 that y_i is, or −1. `back` lists the y_i of
      an element; without it the map is turned around once. */
  function moving(forward, backward, map, back, more = {}) {
    const turned = (op) => op.once("turned around", () => {
      const found = new Map(), n = shapes.count(op.y);
      for (let i = 0; i < n; ++i) {
        const j = map(op, i);
        if (j < 0) continue;
        if (found.has(j)) found.get(j).push(i);
        else found.set(j, [i]);
      }
      return found;
    });
    return {
      names: ["x"], forward, backward: [backward],
      writes: (op, k, j) => (back ? back(op, j) : turned(op).get(j) ?? []),
      reads: (op, k, i) => [map(op, i)].filter((j) => j >= 0),
      value: (op, i) => [[map(op, i) >= 0 ? op.X(0, map(op, i)) : op.number("0", op.out(i))]],
      ...more,
    };
  }

  // --------------------------------------------------------------------------------- as they are

  const same = (op, i) => i, alone = (op, j) => [j];
  Study.rule(["reshape", "view", "squeeze", "unsqueeze"],
    moving("y = x text{ in another shape}", "dx = dy text{ in the shape of } x", same, alone));
  Study.rule(["contiguous", "clone", "to", "alias", "module_output"], moving("y = x", "dx = dy", same, alone));

  Study.rule("expand", moving("y = x text{, repeated}", "dx = sum_{text{copies}} dy",
    (op, i) => shapes.source(i, op.y, op.x[0]), (op, j) => shapes.copies(j, op.y, op.x[0])));

  // --------------------------------------------------------------------------------- dimensions

  /** order[d] is the dimension of x that became dimension d of y. */
  function orderOf(op) {
    return op.once("order", () => {
      const { view } = op.node, n = op.y.length, dims = shapes.range(n);
      const fits = (d, from) => op.x[0][from] === op.y[d] &&
        (!view || op.y[d] === 1 || view.base[from] === view.strides[d]);
      if (op.node.op === "transpose") {
        const swapped = dims.flatMap((a) => dims.slice(a + 1).map((b) =>
          dims.map((d) => (d === a ? b : d === b ? a : d)))).filter((order) => order.every((from, d) => fits(d, from)));
        // Of several that look the same the one whose numbers agree.
        return op.infer("swapped", () => swapped, (order, i) => op.in(0, permuted(op, order, i))) ?? swapped[0] ?? dims;
      }
      const left = new Set(dims);
      return dims.map((d) => {
        const from = [...left].find((candidate) => fits(d, candidate)) ?? [...left][0];
        left.delete(from);
        return from;
      });
    });
  }
  function permuted(op, order, i) {
    const at = shapes.index(i, op.y), index = [];
    order.forEach((from, d) => { index[from] = at[d]; });
    return shapes.flat(index, op.x[0]);
  }
  Study.rule(["transpose", "permute"], moving("y = x text{ with its dimensions in another order}",
    "dx = dy text{ with its dimensions back in order}", (op, i) => permuted(op, orderOf(op), i),
    (op, j) => {
      const at = shapes.index(j, op.x[0]);
      return [shapes.flat(orderOf(op).map((from) => at[from]), op.y)];
    }));

  // --------------------------------------------------------------------------------- parts

  /** The element of x at a place in memory, counted from x's first element. */
  function placed(op, place) {
    const { base } = op.node.view, index = new Array(op.x[0].length).fill(0);
    const dims = shapes.range(base.length).filter((d) => base[d] !== 0 && op.x[0][d] > 1)
      .sort((a, b) => base[b] - base[a]);
    for (const d of dims) {
      index[d] = Math.floor(place / base[d]);
      place -= index[d] * base[d];
    }
    return shapes.flat(index, op.x[0]);
  }
  const part = (op, i) => placed(op, shapes.index(i, op.y)
    .reduce((place, at, d) => place + at * op.node.view.strides[d], op.node.view.offset));
  const isView = (op) => op.node.view !== undefined;
  Study.rule(["slice", "select", "split", "unbind", "diagonal", "unfold_dim"], moving("y = text{a part of } x",
    "dx = dy text{ at the elements of that part, 0 elsewhere}", part, null, { fits: isView }));

  // --------------------------------------------------------------------------------- joined

  const starts = (op) => op.once("starts", () => {
    const differs = op.y.findIndex((size, d) => size !== op.x[0][d]);
    const dim = differs < 0 ? 0 : differs;
    let at = 0;
    return { dim, at: op.x.map((shape) => { const start = at; at += shape[dim]; return start; }) };
  });
  Study.rule("cat", {
    names: (k) => `x_${k}`,
    forward: "y = text{the inputs, one after the other}",
    backward: (op) => op.x.map((_, k) => `dx_${k} = text{its part of } dy`),
    writes(op, k, j) {
      const { dim, at } = starts(op), index = shapes.index(j, op.x[k]);
      index[dim] += at[k];
      return [shapes.flat(index, op.y)];
    },
    reads(op, k, i) {
      const { dim, at } = starts(op), index = shapes.index(i, op.y);
      index[dim] -= at[k];
      return index[dim] >= 0 && index[dim] < op.x[k][dim] ? [shapes.flat(index, op.x[k])] : [];
    },
    value(op, i) {
      const k = op.x.findIndex((_, candidate) => this.reads(op, candidate, i).length);
      return [[op.X(k, this.reads(op, k, i)[0])]];
    },
  });

  // --------------------------------------------------------------------------------- searched for

  /** A rule whose map has parameters: the first of candidates(op) that reproduces y. */
  function searched(forward, backward, candidates, map) {
    const found = (op) => op.infer("parameters", () => candidates(op), (p, i) => {
      const j = map(op, p, i);
      return j < 0 ? undefined : op.in(0, j);
    });
    return moving(forward, backward, (op, i) => map(op, found(op), i), null, { fits: (op) => found(op) !== undefined });
  }

  /** All ways to take one of each list. */
  const product = (lists) => lists.reduce((all, list) => all.flatMap((head) => list.map((x) => [...head, x])), [[]]);

  function padCandidates(op) {
    // The padding on the left of each dimension; usually nothing, or what makes both sides equal.
    const choices = op.y.map((size, d) => {
      const more = size - op.x[0][d];
      if (more === 0) return shapes.same(op.y, op.x[0]) ? [0, -1, 1] : [0];
      const all = more > 0 ? shapes.range(more + 1) : shapes.range(1 - more).map((i) => -i);
      return [...new Set([0, Math.trunc(more / 2), ...all, -1, 1])].slice(0, 16);
    });
    return product(choices);
  }
  Study.rule("pad", searched("y = x text{ with a margin}", "dx = dy text{ without the margin}", padCandidates,
    (op, left, i) => {
      const index = shapes.index(i, op.y).map((at, d) => at - left[d]);
      return index.every((at, d) => at >= 0 && at < op.x[0][d]) ? shapes.flat(index, op.x[0]) : -1;
    }));
  Study.rule("unslice", searched("y = text{zeros with } x text{ in a part}", "dx = text{that part of } dy", padCandidates,
    (op, left, i) => {
      const index = shapes.index(i, op.y).map((at, d) => at - left[d]);
      return index.every((at, d) => at >= 0 && at < op.x[0][d]) ? shapes.flat(index, op.x[0]) : -1;
    }));

  Study.rule("flip", searched("y = x text{, reversed}", "dx = dy text{, reversed}",
    (op) => product(op.y.map(() => [false, true])).sort((a, b) => a.filter(Boolean).length - b.filter(Boolean).length).slice(1),
    (op, reversed, i) => shapes.flat(shapes.index(i, op.y).map((at, d) => (reversed[d] ? op.y[d] - 1 - at : at)), op.y)));

  Study.rule("roll", searched("y = x text{, moved round}", "dx = dy text{, moved back}",
    (op) => op.y.flatMap((size, d) => shapes.range(Math.min(size, 256)).map((by) => ({ d, by }))),
    (op, { d, by }, i) => {
      const index = shapes.index(i, op.y);
      index[d] = (index[d] - by + op.y[d]) % op.y[d];
      return shapes.flat(index, op.y);
    }));

  function triangle(name, keeps) {
    const diagonal = (op) => op.once("diagonal", () => {
      const [rows, columns] = op.y.slice(-2);
      const candidates = [0, ...shapes.range(rows + columns + 1, -rows)];
      return candidates.find((d) => shapes.range(Math.min(shapes.count(op.y), 4096)).every((i) => {
        const [r, c] = shapes.index(i, op.y).slice(-2);
        return op.out(i) === undefined || op.out(i) === (keeps(c - r, d) ? op.in(0, i) : 0);
      }));
    });
    Study.rule(name, moving(`y = text{the ${name === "tril" ? "lower" : "upper"} triangle of } x`, "dx = text{the same triangle of } dy",
      (op, i) => {
        const [r, c] = shapes.index(i, op.y).slice(-2);
        return keeps(c - r, diagonal(op)) ? i : -1;
      }, null, { fits: (op) => diagonal(op) !== undefined }));
  }
  triangle("tril", (offset, diagonal) => offset <= diagonal);
  triangle("triu", (offset, diagonal) => offset >= diagonal);

  Study.rule(["diag", "undiagonal"], searched("y = text{zeros with } x text{ on a diagonal}", "dx = text{that diagonal of } dy",
    (op) => shapes.range(2 * op.y.at(-1) + 1, -op.y.at(-1)).sort((a, b) => Math.abs(a) - Math.abs(b)),
    (op, diagonal, i) => {
      const index = shapes.index(i, op.y), [r, c] = index.splice(-2);
      const at = c - Math.max(diagonal, 0);
      return c - r === diagonal && at < op.x[0].at(-1) ? shapes.flat([...index, at], op.x[0]) : -1;
    }));
})((globalThis.Study ??= {}));
