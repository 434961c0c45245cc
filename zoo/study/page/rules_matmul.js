// Rules of products with matrices: linear, matmul and the convolutions.
(function (Study) {
  "use strict";

  const { shapes } = Study;

  // --------------------------------------------------------------------------------- linear

  const width = (shape) => shape.at(-1);
  const rowsOf = (shape) => (width(shape) === 0 ? 0 : shapes.count(shape) / width(shape));

  Study.rule("linear", {
    names: ["x", "W", "b"],
    forward: (op) => `y_{r,o} = sum_c x_{r,c} · W_{o,c}${op.has(2) ? " + b_o" : ""}`,
    backward: ["dx_{r,c} = sum_o dy_{r,o} · W_{o,c}", "dW_{o,c} = sum_r dy_{r,o} · x_{r,c}", "db_o = sum_r dy_{r,o}"],
    writes(op, k, j) {
      const out = op.x[1][0], inside = op.x[1][1];
      if (k === 0) return shapes.range(out).map((o) => Math.floor(j / inside) * out + o);
      const o = k === 1 ? Math.floor(j / inside) : j;
      return shapes.range(rowsOf(op.y)).map((r) => r * out + o);
    },
    reads(op, k, i) {
      const [out, inside] = op.x[1], r = Math.floor(i / out), o = i % out;
      return k === 2 ? [o] : shapes.range(inside, (k === 0 ? r : o) * inside);
    },
    slope(op, k, j, i) {
      const [out, inside] = op.x[1], r = Math.floor(i / out), o = i % out;
      if (k === 0) return [op.X(1, o * inside + (j % inside))];
      return k === 1 ? [op.X(0, r * inside + (j % inside))] : [];
    },
    value(op, i) {
      const [out, inside] = op.x[1], r = Math.floor(i / out), o = i % out;
      const products = shapes.range(inside).map((c) => [op.X(0, r * inside + c), op.X(1, o * inside + c)]);
      return op.has(2) ? [...products, [op.X(2, o)]] : products;
    },
  });

  // --------------------------------------------------------------------------------- matmul

  const leading = (shape) => shape.slice(0, -2);
  /** y as (batch s, row m, column n); the matrix of operand k that batch s multiplies. */
  function place(op, i) {
    const [rows, columns] = op.y.slice(-2), s = Math.floor(i / (rows * columns));
    return { s, m: Math.floor(i / columns) % rows, n: i % columns };
  }
  const matrix = (op, k, s) => (shapes.count(leading(op.x[k])) === 1 ? 0
    : shapes.source(s, leading(op.y), leading(op.x[k])));
  const A = (op, s, m, p) => (matrix(op, 0, s) * op.x[0].at(-2) + m) * width(op.x[0]) + p;
  const B = (op, s, p, n) => (matrix(op, 1, s) * op.x[1].at(-2) + p) * width(op.x[1]) + n;

  Study.rule("matmul", {
    names: ["a", "b"],
    forward: "y_{i,j} = sum_p a_{i,p} · b_{p,j}",
    backward: ["da_{i,p} = sum_j dy_{i,j} · b_{p,j}", "db_{p,j} = sum_i a_{i,p} · dy_{i,j}"],
    writes(op, k, j) {
      const own = op.x[k].slice(-2), [r, c] = shapes.index(j % (own[0] * own[1]), own);
      const mine = Math.floor(j / (own[0] * own[1])), [rows, columns] = op.y.slice(-2);
      const batches = shapes.copies(mine, leading(op.y), leading(op.x[k]));
      return batches.flatMap((s) => (k === 0
        ? shapes.range(columns).map((n) => (s * rows + r) * columns + n)
        : shapes.range(rows).map((m) => (s * rows + m) * columns + c)));
    },
    reads(op, k, i) {
      const { s, m, n } = place(op, i);
      return shapes.range(width(op.x[0])).map((p) => (k === 0 ? A(op, s, m, p) : B(op, s, p, n)));
    },
    slope(op, k, j, i) {
      const { s, m, n } = place(op, i), own = op.x[k].slice(-2), [r, c] = shapes.index(j % (own[0] * own[1]), own);
      return [k === 0 ? op.X(1, B(op, s, c, n)) : op.X(0, A(op, s, m, r))];
    },
    value(op, i) {
      const { s, m, n } = place(op, i);
      return shapes.range(width(op.x[0])).map((p) => [op.X(0, A(op, s, m, p)), op.X(1, B(op, s, p, n))]);
    },
  });

  // --------------------------------------------------------------------------------- convolution

  // Every convolution is a sum over triples (image, weight, map): map[n,o,i,j] += weight[o,c,p,q] ·
  // image[n,c,h,w] with h = i·s + p·d − pad. Each of the three ops sums for one of the three.
  const ROLES = {
    conv2d: { result: "map", inputs: ["image", "weight", "bias"] },
    conv_transpose2d: { result: "image", inputs: ["map", "weight", "bias"] },
    conv2d_weight: { result: "weight", inputs: ["image", "map"] },
  };
  const shapeOf = (op, role) => {
    const { result, inputs } = ROLES[op.node.op];
    return result === role ? op.y : op.x[inputs.indexOf(role)];
  };

  /** Strides, paddings and dilations that fit one dimension of image, kernel and map. */
  function windows(image, kernel, map) {
    const found = [];
    for (const dilation of [1, 2, 3])
      for (let stride = 1; stride <= Math.max(8, kernel); ++stride)
        for (let padding = 0; padding <= kernel * dilation; ++padding)
          if (Math.floor((image + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1 === map)
            found.push({ stride, padding, dilation });
    return found.sort((a, b) => a.dilation - b.dilation || a.padding - b.padding || b.stride - a.stride);
  }
  function settings(op) {
    const image = shapeOf(op, "image"), weight = shapeOf(op, "weight"), map = shapeOf(op, "map");
    const candidates = () => {
      const at = [2, 3].map((d) => windows(image[d], weight[d], map[d]));
      return at[0].flatMap((h) => at[1].map((w) => ({ h, w })));
    };
    return op.infer("settings", candidates, (s, i) => {
      const products = triples(op, s, ROLES[op.node.op].result, i).map((t) =>
        ROLES[op.node.op].inputs.slice(0, 2).reduce((product, role, k) => product * op.in(k, t[role]), 1));
      return products.reduce((sum, x) => sum + x, 0) + (op.has(2) ? op.in(2, shapes.index(i, op.y)[1]) : 0);
    });
  }

  /** All triples in which the element `flat` of `role` takes part: {image, weight, map}. */
  function triples(op, { h, w }, role, flat) {
    const image = shapeOf(op, "image"), weight = shapeOf(op, "weight"), map = shapeOf(op, "map");
    const [O, C, P, Q] = weight, groups = image[1] / C, per = O / groups;
    const found = [], at = shapes.index(flat, shapeOf(op, role));
    const put = (n, o, c, p, q, i, j) => {
      const y = i * h.stride + p * h.dilation - h.padding, x = j * w.stride + q * w.dilation - w.padding;
      if (y < 0 || x < 0 || y >= image[2] || x >= image[3]) return;
      const channel = Math.floor(o / per) * C + c;
      found.push({ image: shapes.flat([n, channel, y, x], image), weight: shapes.flat([o, c, p, q], weight),
        map: shapes.flat([n, o, i, j], map) });
    };
    const window = (take) => { for (let p = 0; p < P; ++p) for (let q = 0; q < Q; ++q) take(p, q); };
    if (role === "map") {
      const [n, o, i, j] = at;
      for (let c = 0; c < C; ++c) window((p, q) => put(n, o, c, p, q, i, j));
    } else if (role === "image") {
      const [n, channel, y, x] = at, group = Math.floor(channel / C);
      for (let o = group * per; o < (group + 1) * per; ++o) window((p, q) => {
        const i = (y + h.padding - p * h.dilation) / h.stride, j = (x + w.padding - q * w.dilation) / w.stride;
        if (Number.isInteger(i) && Number.isInteger(j) && i >= 0 && j >= 0 && i < map[2] && j < map[3])
          put(n, o, channel % C, p, q, i, j);
      });
    } else {
      const [o, c, p, q] = at;
      for (let n = 0; n < image[0]; ++n)
        for (let i = 0; i < map[2]; ++i) for (let j = 0; j < map[3]; ++j) put(n, o, c, p, q, i, j);
    }
    return found;
  }

  for (const [name, { result, inputs }] of Object.entries(ROLES)) {
    const other = (k) => inputs[1 - k];
    const channel = (op, i) => shapes.index(i, op.y)[1];
    Study.rule(name, {
      names: { conv2d: ["x", "W", "b"], conv_transpose2d: ["x", "W", "b"], conv2d_weight: ["x", "z"] }[name],
      forward: { conv2d: "y_{o,i,j} = b_o + sum_{c,p,q} W_{o,c,p,q} · x_{c, i·s + p, j·s + q}",
        conv_transpose2d: "y_{c,h,w} = b_c + sum_{o,i,j: i·s + p = h, j·s + q = w} W_{o,c,p,q} · x_{o,i,j}",
        conv2d_weight: "y_{o,c,p,q} = sum_{i,j} z_{o,i,j} · x_{c, i·s + p, j·s + q}" }[name],
      backward: { conv2d: ["dx_{c,h,w} = sum_{o,i,j: i·s + p = h, j·s + q = w} dy_{o,i,j} · W_{o,c,p,q}",
        "dW_{o,c,p,q} = sum_{i,j} dy_{o,i,j} · x_{c, i·s + p, j·s + q}", "db_o = sum_{i,j} dy_{o,i,j}"] }[name],
      fits: (op) => settings(op) !== undefined,
      terms(op, k, j) {
        if (k === 2) return shapes.range(shapes.count(op.y)).filter((i) => channel(op, i) === j)
          .map((i) => ({ factors: [op.DY(i)], via: i }));
        return triples(op, settings(op), inputs[k], j).map((t) => ({
          factors: [op.DY(t[result]), op.X(1 - k, t[other(k)])], via: t[result] }));
      },
      reads: (op, k, i) => (k === 2 ? [channel(op, i)]
        : [...new Set(triples(op, settings(op), result, i).map((t) => t[inputs[k]]))]),
      value(op, i) {
        const products = triples(op, settings(op), result, i).map((t) => [op.X(0, t[inputs[0]]), op.X(1, t[inputs[1]])]);
        return op.has(2) ? [...products, [op.X(2, channel(op, i))]] : products;
      },
    });
  }

  // --------------------------------------------------------------------------------- windows as columns

  /** unfold: column (c, p, q), (i, j) is one element of the image; fold adds the columns back up. */
  function columns(op, image, table) {
    const channels = image[1], places = table[1] / channels;
    const kernels = shapes.range(places, 1).filter((p) => places % p === 0).map((p) => [p, places / p])
      .sort((a, b) => Math.abs(a[0] - a[1]) - Math.abs(b[0] - b[1]));
    return kernels.flatMap(([kh, kw]) => shapes.range(table[2], 1).filter((out) => table[2] % out === 0).flatMap((out) =>
      windows(image[2], kh, out).flatMap((h) => windows(image[3], kw, table[2] / out).map((w) =>
        ({ kh, kw, h, w, outW: table[2] / out })))));
  }
  function pixel(s, image, table, flat) {
    const [n, row, column] = shapes.index(flat, table), places = s.kh * s.kw;
    const p = Math.floor((row % places) / s.kw), q = row % s.kw;
    const y = Math.floor(column / s.outW) * s.h.stride + p * s.h.dilation - s.h.padding;
    const x = (column % s.outW) * s.w.stride + q * s.w.dilation - s.w.padding;
    if (y < 0 || x < 0 || y >= image[2] || x >= image[3]) return -1;
    return shapes.flat([n, Math.floor(row / places), y, x], image);
  }
  function placesOf(s, image, table) {
    const found = new Map();
    for (let i = 0; i < shapes.count(table); ++i) {
      const j = pixel(s, image, table, i);
      if (j >= 0) found.set(j, [...(found.get(j) ?? []), i]);
    }
    return found;
  }
  const unfolded = (op) => op.infer("windows", () => columns(op, op.x[0], op.y), (s, i) => {
    const j = pixel(s, op.x[0], op.y, i);
    return j < 0 ? 0 : op.in(0, j);
  });
  const unfoldPlaces = (op) => op.once("places", () => placesOf(unfolded(op), op.x[0], op.y));
  Study.rule("unfold", {
    names: ["x"], forward: "y_{(c,p,q),(i,j)} = x_{c, i·s + p, j·s + q}", backward: ["dx = sum dy text{ over all places that the element was copied to}"],
    fits: (op) => unfolded(op) !== undefined,
    writes: (op, k, j) => unfoldPlaces(op).get(j) ?? [],
    reads: (op, k, i) => [pixel(unfolded(op), op.x[0], op.y, i)].filter((j) => j >= 0),
    value(op, i) { const [j] = this.reads(op, 0, i); return j === undefined ? [] : [[op.X(0, j)]]; },
  });
  const folded = (op) => op.infer("windows", () => columns(op, op.y, op.x[0]), (s, i) =>
    (op.once(s, () => placesOf(s, op.y, op.x[0])).get(i) ?? []).reduce((sum, j) => sum + op.in(0, j), 0));
  const foldPlaces = (op) => op.once("places", () => placesOf(folded(op), op.y, op.x[0]));
  Study.rule("fold", {
    names: ["x"], forward: "y = sum x text{ over the columns that hold the pixel}", backward: ["dx_{(c,p,q),(i,j)} = dy_{c, i·s + p, j·s + q}"],
    fits: (op) => folded(op) !== undefined,
    writes: (op, k, j) => [pixel(folded(op), op.y, op.x[0], j)].filter((i) => i >= 0),
    reads: (op, k, i) => foldPlaces(op).get(i) ?? [],
    value: (op, i) => (foldPlaces(op).get(i) ?? []).map((j) => [op.X(0, j)]),
  });
})((globalThis.Study ??= {}));
