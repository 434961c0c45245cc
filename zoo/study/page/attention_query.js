// One query followed: through all heads of a layer, or through all layers of the same kind.
(function(Study) {
"use strict";

const { h } = Study;
const MOST = 40;

/** What is followed: [{name, of, head, at}]; head is null for the mean of a layer's heads. */
function places(state) {
  const { attention } = Study.data, of = attention[state.at], { heads } = Study.attention.sizes(of);
  if (state.through === "heads")
    return Array.from({ length: heads }, (_, head) => ({ name: `head ${head}`, of, head, at: state.at }));
  return attention.flatMap(
      (other, at) =>
          (Study.attention.alike(of, other) ? [{
            name: Study.attention.layerName(other),
            of: other,
            head: state.through === "mean" ? null :
                                             Math.min(state.head, Study.attention.sizes(other).heads - 1),
            at
          }] :
                                              []));
}

/** The keys that have a column: all, or those that are looked at most. */
function columnsOf(rows, n) {
  const all = Array.from({ length: n }, (_, k) => k);
  if (n <= MOST) return all;
  const most = all.map((k) => Math.max(...rows.map((row) => Math.abs(row[k] ?? 0))));
  return all.sort((a, b) => most[b] - most[a]).slice(0, MOST).sort((a, b) => a - b);
}

/** A weight in percent; of a gradient only the sign. */
function written(value, isSigned) {
  if (isSigned) return value > 0 ? "+" : value < 0 ? "−" : "";
  return value >= 0.995 ? "100" : value >= 0.005 ? String(Math.round(100 * value)) : "";
}

function table(followed, rows, state, choose) {
  const { of } = followed[0], { columns } = Study.attention.sizes(of),
             names = Study.attention.names(of.keys, columns), isSigned = state.what === "grad";
  const shown = columnsOf(rows, columns);
  const body = followed.map(({ name, head, at }, i) => {
    const scale = isSigned ? Study.scaleOf(rows[i]) : 1;
    return h(
        "tr", { class: "followed" },
        h("th", { scope: "row" },
          h("button", {
            type: "button",
            class: "link",
            "data-focus": `follow ${i}`,
            onclick: () => choose({ at, head: head ?? state.head })
          },
            name)),
        shown.map((k) => {
          const value = rows[i][k];
          return h(
              "td", {
                title: `${names[k].long}: ${Study.attention.said(value)}`,
                style: `background:rgb(${Study.cellColour(value, scale).join(" ")});color:${
                    Study.attention.ink(value, scale)}`
              },
              written(value, isSigned));
        }));
  });
  return h(
      "div", { style: "overflow-x:auto" },
      h("table", { class: "query-table" },
        h("thead", null,
          h("tr", null, h("td"),
            shown.map((k) => h("th", { scope: "col", title: names[k].long }, Study.cut(names[k].short, 6))))),
        h("tbody", null, body)),
      shown.length < columns ?
          h("p", { class: "note" }, `The ${shown.length} of ${columns} keys that count most.`) :
          null);
}

function pictures(followed, rows, state) {
  return h(
      "div", { class: "side-by-side" },
      followed.map(
          ({ name, of }, i) =>
              h("div", { class: "followed" },
                Study.attentionPicture(
                    { set: of.keys, values: rows[i], query: state.query, title: name, size: 150 }))));
}

/** The part of the page below the matrices. */
Study.followedQuery = function(state, choose) {
  const of = Study.data.attention[state.at], sizes = Study.attention.sizes(of),
        queries = Study.attention.names(of.queries, sizes.rows);
  const hasGrad = of.grad >= 0, what = hasGrad ? state.what : "weights";
  const followed = places(state).filter((place) => place.of[what] >= 0);
  const rows = followed.map(
      (place) => Study.attention.row(
          place.of, place.of[what], { batch: state.batch, head: place.head }, state.query));
  const layers = Study.data.attention.filter((other) => Study.attention.alike(of, other)).length;
  const picker = Study.select(
      "query", queries.map(({ long }, q) => [q, `${q}: ${long}`]), state.query, (query) => choose({ query }));
  const isPicture = Boolean(Study.data.pictures?.[of.keys]);
  return [
    h("h2", null, "Follow one query"),
    h("div", { class: "row" }, picker,
      Study.choice(
          "Through heads or layers",
          [
            ["heads", "all heads of this layer"], ["layers", `head ${state.head} of all ${layers} layers`],
            ["mean", `mean of the heads, all ${layers} layers`]
          ],
          state.through, (through) => choose({ through })),
      hasGrad ?
          Study.choice(
              "Numbers", [["weights", "weights"], ["grad", "gradient"]], what, (to) => choose({ what: to })) :
          null),
    h("p", { class: "lead" }, `What does ${queries[state.query].long} look at? `,
      what === "weights" ?
          (isPicture ? "More orange is more attention; every picture has a scale of its own." :
                       "Percent of its attention.") :
          "Blue (−): the loss would fall if this weight were larger. Orange (+): it would grow.",
      state.through === "heads" ?
          "" :
          " The first layer is at the top: what it finds is what the next one reads."),
    isPicture ? pictures(followed, rows, state) : table(followed, rows, {...state, what }, choose)
  ];
};
})((globalThis.Study ??= {}));
