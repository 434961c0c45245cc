// The attention of two recordings side by side.
(function(Study) {
"use strict";

const { h, short } = Study;
const state = {
  at: 0,
  heads: [0, 0],
  cell: { q: 11, k: 0 },
  what: "weights"
};

/** The matrices of A and B, and their difference where both connect the same positions. */
function matrices(entries) {
  const all = entries.map(({ data, of }, i) => ({
                            data,
                            of,
                            ...Study.attention.sizes(of, data),
                            values: Study.attention.values(of, of[state.what], { head: state.heads[i] }, data)
                          }));
  const isSame = all[0].rows === all[1].rows && all[0].columns === all[1].columns;
  const scale = Study.scaleOf([...all[0].values, ...all[1].values]), made = [];
  const mark = (cell) => {
    state.cell = cell;
    made.forEach((matrix) => {
      const { rows, columns } = matrix.given;
      if (cell.q < rows && cell.k < columns) matrix.mark(cell);
    });
  };
  const one = (given, title, more = {}) => made.push(Study.attentionMatrix({
    query: state.cell.q,
    cell: state.cell,
    room: 400,
    narrow: 220,
    scale,
    title,
    name: title,
    onCell: mark,
    onFollow: mark,
    ...given,
    ...more
  }));
  one(all[0], `A, head ${state.heads[0]}`);
  one(all[1], `B, head ${state.heads[1]}`);
  if (isSame) {
    const difference = all[1].values.map(
        (x, i) => (x === undefined || all[0].values[i] === undefined ? undefined : x - all[0].values[i]));
    one({...all[0], values: difference }, "B − A", {
      scale: Study.scaleOf(difference),
      note: `Orange: larger in B. Blue: larger in A. The largest difference is ${
          short(difference.reduce((most, x) => Math.max(most, Math.abs(x ?? 0)), 0), 3)}.`
    });
  }
  return made.map((matrix) => matrix.element);
}

const layerOf = (of) => `${Study.attention.layerName(of)} (${of.kind})`;

/** The part of the page; null if there is no attention in both. */
Study.comparedAttention = function(a, b) {
  const pairs = Study.attentionPairs(a, b);
  if (pairs.length === 0) return null;
  const page = h("section", { class: "compared-attention" });
  function render() {
    const [i, j] = pairs[Math.min(state.at, pairs.length - 1)], of = [a.attention[i], b.attention[j]];
    const entries = [{ data: a, of: of[0] }, { data: b, of: of[1] }];
    const counts = entries.map(({ data, of: one }) => Study.attention.sizes(one, data).heads);
    state.heads = state.heads.map((head, side) => Math.min(head, counts[side] - 1));
    const { rows, columns } = Study.attention.sizes(of[0], a);
    state.cell = { q: Math.min(state.cell.q, rows - 1), k: Math.min(state.cell.k, columns - 1) };
    const heads = (side) => Study.select(
        `head of ${"AB"[side]}`, Array.from({ length: counts[side] }, (_, head) => [head, String(head)]),
        state.heads[side], (head) => {
          state.heads[side] = head;
          render();
        });
    const hasGrad = of.every(({ grad }) => grad >= 0);
    if (!hasGrad) state.what = "weights";
    Study.redrawn(
        page,
        () => page.replaceChildren(
            ...[h("h2", null, "Attention"),
                h("div", { class: "row" },
                  Study.select(
                      "layer", pairs.map(([side], at) => [at, layerOf(a.attention[side])]), state.at,
                      (at) => {
                        state.at = at;
                        render();
                      }),
                  heads(0), heads(1),
                  hasGrad ? Study.choice(
                                "Numbers", [["weights", "weights"], ["grad", "gradient"]], state.what,
                                (what) => {
                                  state.what = what;
                                  render();
                                }) :
                            null),
                h("div", { class: "side-by-side" }, matrices(entries))]));
  }
  render();
  return page;
};
})((globalThis.Study ??= {}));
