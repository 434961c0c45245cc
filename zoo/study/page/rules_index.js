// Rules of the ops that pick elements by an index, which they save.
(function (Study) {
  "use strict";

  const { shapes } = Study;

  /** Entry i of the saved index, counted from the front; undefined if it did not travel. */
  function entry(op, i, size) {
    const at = op.saved(0, i);
    return at === undefined ? undefined : at < 0 ? at + size : at;
  }

  // --------------------------------------------------------------------------------- rows

  Study.rule("embedding", {
    names: ["W"],
    forward: "y_{t,c} = W_{text{index}_t, c}",
    backward: ["dW_{r,c} = sum_{t: text{index}_t = r} dy_{t,c}"],
    writes(op, k, j) {
      const [rows, width] = op.x[0], row = Math.floor(j / width), count = shapes.count(op.savedShape(0));
      return shapes.range(count).filter((t) => entry(op, t, rows) === row).map((t) => t * width + (j % width));
    },
    reads(op, k, i) {
      const [rows, width] = op.x[0], row = entry(op, Math.floor(i / width), rows);
      return row === undefined ? [] : [row * width + (i % width)];
    },
    value(op, i) { return this.reads(op, 0, i).map((j) => [op.X(0, j)]); },
  });

  /** The dimension along which an op picks: the one that explains y. */
  const dimOf = (op, candidates, map) => op.infer("dim", candidates, (dim, i) => {
    const j = map(op, dim, i);
    return j === undefined ? undefined : op.in(0, j);
  });

  /** A rule from map(op, dim, i), the element of x that y_i is. */
  function picking(forward, backward, dims, map, saved) {
    const chosen = (op) => dimOf(op, () => dims(op), map);
    const table = (op) => op.once("table", () => {
      const found = new Map();
      for (let i = 0; i < shapes.count(op.y); ++i) {
        const j = map(op, chosen(op), i);
        if (j !== undefined) found.set(j, [...(found.get(j) ?? []), i]);
      }
      return found;
    });
    return {
      names: ["x"], forward, backward: [backward],
      fits: (op) => op.hasSaved(saved) && chosen(op) !== undefined,
      writes: (op, k, j) => table(op).get(j) ?? [],
      reads: (op, k, i) => [map(op, chosen(op), i)].filter((j) => j !== undefined),
      value(op, i) { return this.reads(op, 0, i).map((j) => [op.X(0, j)]); },
    };
  }

  Study.rule("index_select", picking("y_{…,i,…} = x_{…,text{index}_i,…}",
    "dx_r = sum_{i: text{index}_i = r} dy_i",
    (op) => shapes.range(op.y.length).filter((d) => op.y[d] === shapes.count(op.savedShape(0)) &&
      op.y.every((size, other) => other === d || size === op.x[0][other])),
    (op, dim, i) => {
      const index = shapes.index(i, op.y);
      index[dim] = entry(op, index[dim], op.x[0][dim]);
      return index[dim] === undefined ? undefined : shapes.flat(index, op.x[0]);
    }, 0));

  Study.rule("gather", picking("y_{i,j} = x_{i, text{index}_{i,j}}", "dx = 0 text{ with } dy text{ added at the index}",
    (op) => shapes.range(op.y.length).reverse(),
    (op, dim, i) => {
      const index = shapes.index(i, op.y);
      index[dim] = entry(op, i, op.x[0][dim]);
      return index[dim] === undefined ? undefined : shapes.flat(index, op.x[0]);
    }, 0));

  // index_sum is the other way round: y has a place for every entry, and rows of x are added there.
  const place = (op, dim, j) => {
    const index = shapes.index(j, op.x[0]);
    index[dim] = entry(op, index[dim], op.y[dim]);
    return index[dim] === undefined || index[dim] >= op.y[dim] ? undefined : shapes.flat(index, op.y);
  };
  const addedTo = (op, dim, i) => shapes.range(shapes.count(op.x[0])).filter((j) => place(op, dim, j) === i);
  const sumDim = (op) => op.infer("dim", () => shapes.range(op.y.length).filter((d) => op.x[0][d] === shapes.count(op.savedShape(0)) &&
    op.y.every((size, other) => other === d || size === op.x[0][other])),
    (dim, i) => addedTo(op, dim, i).reduce((sum, j) => sum + op.in(0, j), 0));
  Study.rule("index_sum", {
    names: ["x"],
    forward: "y_r = sum_{i: text{index}_i = r} x_i", backward: ["dx_i = dy_{text{index}_i}"],
    fits: (op) => op.hasSaved(0) && sumDim(op) !== undefined,
    writes: (op, k, j) => [place(op, sumDim(op), j)].filter((i) => i !== undefined),
    reads: (op, k, i) => addedTo(op, sumDim(op), i),
    value(op, i) { return this.reads(op, 0, i).map((j) => [op.X(0, j)]); },
  });

  // --------------------------------------------------------------------------------- the best of a row

  /** y without a dimension, or with size 1 there. */
  function without(op, dim) {
    const dropped = op.x[0].filter((_, d) => d !== dim), kept = op.x[0].map((size, d) => (d === dim ? 1 : size));
    return shapes.same(op.y, dropped) || shapes.same(op.y, kept);
  }
  const withIndex = picking("y = text{the chosen element of a row of } x", "dx = dy text{ at that element, 0 elsewhere}",
    (op) => shapes.range(op.x[0].length).filter((dim) => without(op, dim)),
    (op, dim, i) => {
      const index = shapes.index(i, op.x[0].filter((_, d) => d !== dim));
      const at = entry(op, i, op.x[0][dim]);
      index.splice(dim, 0, at);
      return at === undefined ? undefined : shapes.flat(index, op.x[0]);
    }, 0);
  Study.rule(["max", "min"], withIndex);

  // median of all elements saves x and y instead: equal elements share the gradient.
  const middle = (op) => op.once("middle", () => shapes.range(shapes.count(op.x[0])).filter((j) => op.in(0, j) === op.out(0)));
  const isOfAll = (op) => op.hasSaved(1);
  Study.rule("median", {
    ...withIndex,
    fits: (op) => isOfAll(op) || withIndex.fits(op),
    writes: (op, k, j) => (isOfAll(op) ? [0] : withIndex.writes(op, k, j)),
    reads: (op, k, i) => (isOfAll(op) ? middle(op) : withIndex.reads(op, k, i)),
    slope: (op, k, j) => (isOfAll(op) ? [op.number("[x = y]/n", middle(op).includes(j) ? 1 / middle(op).length : 0)] : []),
    value: (op, i) => (isOfAll(op) ? [[op.X(0, middle(op)[0])]] : withIndex.reads(op, 0, i).map((j) => [op.X(0, j)])),
  });

  // --------------------------------------------------------------------------------- written to

  /** Where entry i of the source goes. */
  function target(op, dim, i) {
    const index = shapes.index(i, op.x[1]), at = entry(op, i, op.x[0][dim]);
    index[dim] = at;
    return at === undefined ? undefined : shapes.flat(index, op.x[0]);
  }
  const writtenDim = (op, combine) => op.infer("dim", () => shapes.range(op.y.length).reverse(), (dim, i) => {
    const from = shapes.range(shapes.count(op.x[1])).filter((s) => target(op, dim, s) === i);
    return combine(op.in(0, i), from.map((s) => op.in(1, s)));
  });
  function writing(forward, backward, combine, own, kept) {
    const dim = (op) => writtenDim(op, combine);
    const sources = (op, i) => kept(shapes.range(shapes.count(op.x[1])).filter((s) => target(op, dim(op), s) === i));
    return {
      names: ["x", "source"], forward, backward,
      fits: (op) => op.hasSaved(0) && op.has(1) && dim(op) !== undefined,
      writes(op, k, j) {
        if (k === 0) return own || sources(op, j).length === 0 ? [j] : [];
        const i = target(op, dim(op), j);
        return i !== undefined && sources(op, i).includes(j) ? [i] : [];
      },
      reads(op, k, i) { return k === 1 ? sources(op, i) : own || sources(op, i).length === 0 ? [i] : []; },
      value(op, i) { return [0, 1].flatMap((k) => this.reads(op, k, i).map((j) => [op.X(k, j)])); },
    };
  }
  Study.rule("scatter_add", writing("y = x; text{then } y_{text{index}_i} text{ += source}_i", ["dx = dy", "dsource_i = dy_{text{index}_i}"],
    (x, from) => from.reduce((sum, value) => sum + value, x), true, (all) => all));
  Study.rule("scatter", writing("y = x; text{then } y_{text{index}_i} = text{source}_i",
    ["dx = dy text{, 0 where it was overwritten}", "dsource_i = dy_{text{index}_i}"],
    (x, from) => (from.length ? from.at(-1) : x), false, (all) => all.slice(-1)));
})((globalThis.Study ??= {}));
