// The rule of ctc_loss: all ways to align a short target with many frames, added up by two walks over
// its states. See autograd/ops/loss/ctc.cpp.
(function(Study) {
"use strict";

const { shapes } = Study;

/** ln(e^a + e^b + …). */
function logSum(...all) {
  const top = Math.max(...all);
  return top === -Infinity || Number.isNaN(top) ?
      top :
      top + Math.log(all.reduce((sum, x) => sum + Math.exp(x - top), 0));
}

/** A sequence: its states are the labels with a blank before, between and after them. */
function sequence(op, n) {
  const [, sequences, classes] = op.x[0], row = op.savedShape(1).at(-1);
  const frames = op.saved(2, n), states = 2 * op.saved(3, n) + 1;
  const labels = shapes.range(states).map((s) => op.saved(1, n * row + s));
  const at = (t, c) => (t * sequences + n) * classes + c;
  return {
    frames,
    states,
    labels,
    at,
    x: (t, s) => op.in(0, at(t, labels[s])),
    mayPass: (s) => labels[s] !== labels[0] && labels[s] !== labels[s - 2]
  };
}

/** α_t(s): ln of the probability of all that leads to state s at frame t; the loss. */
function forwardWalk({ frames, states, x, mayPass }) {
  const alpha = [];
  for (let t = 0; t < frames; ++t)
    alpha.push(shapes.range(states).map((s) => {
      if (t === 0) return s < 2 ? x(0, s) : -Infinity;
      const before = alpha[t - 1];
      return x(t, s) +
          logSum(before[s], s >= 1 ? before[s - 1] : -Infinity,
                 s >= 2 && mayPass(s) ? before[s - 2] : -Infinity);
    }));
  const last = alpha.at(-1);
  if (!last) return { alpha, loss: states === 1 ? 0 : Infinity };
  return { alpha, loss: -logSum(last[states - 1], states > 1 ? last[states - 2] : -Infinity) };
}

/** P(s at t): the share of the alignments, by their probability, that are in state s at frame t. */
function shares(q) {
  const { frames, states, x, mayPass } = q, { alpha, loss } = forwardWalk(q), share = [];
  let beta = shapes.range(states).map((s) => (s >= states - 2 ? 0 : -Infinity));
  for (let t = frames - 1; t >= 0; --t) {
    if (t < frames - 1) {
      const onward = beta.map((b, s) => b + x(t + 1, s));
      beta = onward.map(
          (b, s) => logSum(
              b, s + 1 < states ? onward[s + 1] : -Infinity,
              s + 2 < states && mayPass(s + 2) ? onward[s + 2] : -Infinity));
    }
    share[t] = beta.map((b, s) => Math.exp(alpha[t][s] + b + loss));
  }
  return { share, loss };
}
const walked = (op, n) => op.row(`ctc ${n}`, () => {
  const q = sequence(op, n);
  return {...q, ...shares(q) };
});

Study.rule("ctc_loss", {
  names: ["x"],
  forward: "y = −ln sum_{text{alignments } π} e^{sum_t x_{t,π_t}}",
  backward: ["dx_{t,c} = −dy · sum_{text{states } s text{ of } c} P(s text{ at } t)"],
  fits: (op) => [1, 2, 3].every((k) => op.hasSaved(k)),
  writes: (op, k, j) => [shapes.index(j, op.x[0])[1]],
  reads(op, k, n) {
    const { frames, labels, at } = sequence(op, n);
    return shapes.range(frames).flatMap((t) => [...new Set(labels)].map((c) => at(t, c)));
  },
  terms(op, k, j) {
    const [t, n, c] = shapes.index(j, op.x[0]), { share, loss, labels, frames } = walked(op, n);
    if (t >= frames) return [];
    // No alignment fits: the gradient is NaN, or 0 if zero_infinity was set.
    if (loss === Infinity)
      return op.edge(0, j) === 0 ? [] :
                                   [{ via: n, factors: [op.DY(n), op.number("text{no alignment}", NaN)] }];
    return labels.flatMap(
        (label, s) =>
            (label === c ? [{
              via: n,
              factors: [op.DY(n), op.number(`(−P(text{state ${s} at frame ${t}}))`, -share[t][s])]
            }] :
                           []));
  },
  value: (op, n) => [[op.number("(−ln P(text{target}))", walked(op, n).loss)]],
});
})((globalThis.Study ??= {}));
