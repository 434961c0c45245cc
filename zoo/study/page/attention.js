// Attention: every layer and head, their gradient or another head next to them, and one query followed.
(function(Study) {
"use strict";

const { h, short } = Study;
const state = {
  at: 0,
  head: 0,
  query: null,
  batch: 0,
  cell: null,        // where the arrow keys stand
  view: "gradient",  // stands next to the weights: their gradient, or another head
  other: null,       // that head: {at, head}
  through: "heads",  // how one query is followed: see attention_query.js
  what: "weights"
};
let page, matrices = [];

const entry = (at = state.at) => Study.data.attention[at];
const sizes = (of) => Study.attention.sizes(of);

/** Changes the state and draws again; the focus stays where it was. */
function choose(change) {
  const { scrollTop } = page.parentElement;
  Object.assign(state, change);
  const { rows, columns, heads } = sizes(entry());
  state.query = Math.min(state.query, rows - 1);
  state.head = Math.min(state.head, heads - 1);
  if (state.cell && (state.cell.q >= rows || state.cell.k >= columns)) state.cell = null;
  Study.redrawn(page, () => page.replaceChildren(...parts()));
  page.parentElement.scrollTop = scrollTop;
}
const follow = ({ q, k }) => choose({ query: q, cell: k === undefined ? null : { q, k } });
function moveTo(cell) {
  state.cell = cell;
  matrices.forEach((matrix) => matrix.mark(cell));
}

// --------------------------------------------------------------------------------- overview

function thumbnail(of, head) {
  const { rows, columns } = sizes(of), values = Study.attention.values(of, of.weights, {...state, head });
  return Study.pixels(values, rows, columns, Study.scaleOf(values));
}
const isOther = (at, head) =>
    state.view === "heads" && state.other && state.other.at === at && state.other.head === head;

/** All layers and heads as small matrices. */
function overview() {
  const press = (event, at, head) => {
    if (event.shiftKey && Study.attention.alike(entry(), entry(at)))
      choose({ view: "heads", other: { at, head } });
    else
      choose({ at, head, other: Study.attention.alike(entry(), entry(at)) ? state.other : null });
  };
  return h(
      "div", { class: "heads", role: "group", "aria-label": "Layers and heads" },
      Study.data.attention.map(
          (of, at) =>
              h("div", { class: "heads-row" },
                h("span", { title: of.path }, Study.attention.layerName(of), h("br"),
                  h("small", { class: "muted" }, of.kind)),
                Array.from(
                    { length: sizes(of).heads },
                    (_, head) =>
                        h("button", {
                          type: "button",
                          class: isOther(at, head) ? "other" : null,
                          "data-focus": `head ${at} ${head}`,
                          "aria-pressed": String(at === state.at && head === state.head),
                          "aria-label": `${Study.attention.headName(of, head)}, ${of.kind}${
                              isOther(at, head) ? ": B" : ""}`,
                          title: `${of.path}, head ${head}${
                              Study.attention.alike(entry(), of) ?
                                  "\nShift and click: compare it with the chosen head" :
                                  ""}`,
                          onclick: (event) => press(event, at, head)
                        },
                          thumbnail(of, head))))));
}

// --------------------------------------------------------------------------------- matrices

/** A matrix of this page: all of them mark the same cell. */
function matrix(given) {
  const { rows, columns } = sizes(given.of);
  const made = Study.attentionMatrix({
    rows,
    columns,
    query: state.query,
    cell: state.cell,
    onCell: moveTo,
    onFollow: follow,
    scale: Study.scaleOf(given.values),
    ...given
  });
  matrices.push(made);
  return made.element;
}
const valuesOf = ({ at, head }, what = "weights") =>
    Study.attention.values(entry(at), entry(at)[what], { batch: state.batch, head });
const sampled = (values) =>
    (values.includes(undefined) ? " This page holds only some of the rows: the others are grey." : "");

function withGradient() {
  const of = entry(), weights = valuesOf(state), name = Study.attention.headName(of, state.head);
  const grad = of.grad >= 0 ? valuesOf(state, "grad") : null;
  return [
    matrix({
      of,
      values: weights,
      name: "weights",
      title: `Weights of ${name}`,
      note:
          `Each row is a query; without dropout it sums to 1. More orange is more attention. Click a row to follow it.${
              sampled(weights)}`
    }),
    grad ? matrix({
      of,
      values: grad,
      faded: weights,
      name: "gradient",
      title: "Gradient of these weights",
      note:
          `Blue: the loss would fall if this connection were stronger. Orange: it would grow. Pale: the weight is 0, as behind a mask, and the gradient ends here.${
              sampled(grad)}`
    }) :
           h("p", { class: "note" }, "The gradient of these weights was not recorded.")
  ];
}

/** The heads that can stand next to the chosen one. */
const candidates = () => Study.data.attention.flatMap(
    (of, at) =>
        (Study.attention.alike(entry(), of) ?
             Array.from({ length: sizes(of).heads }, (_, head) => ({ at, head })) :
             []));

/** ½ Σ |a − b| of each row: the share of a query's attention that is in another place. */
function apart(a, b, columns) {
  let sum = 0, rows = 0;
  for (let at = 0; at < a.length; at += columns) {
    const row = a.slice(at, at + columns).map((x, k) => Math.abs(x - b[at + k]) / 2).filter(Number.isFinite);
    if (row.length === 0) continue;
    sum += row.reduce((total, x) => total + x, 0);
    rows += 1;
  }
  return rows ? sum / rows : NaN;
}

/** The head that is compared with: the next one, until the reader chooses another. */
function settleOther() {
  const all = candidates();
  if (!state.other || !all.some(({ at, head }) => isOther(at, head)))
    state.other = all.find(({ at, head }) => at === state.at && head > state.head) ?? all[0];
}

function withOther() {
  const of = entry();
  const a = valuesOf(state), b = valuesOf(state.other), scale = Study.scaleOf([...a, ...b]);
  const difference = a.map((x, i) => (x === undefined || b[i] === undefined ? undefined : x - b[i]));
  const one = (values, title, name, more = {}) =>
      matrix({ of, values, title, name, room: 296, narrow: 200, scale, ...more });
  return [
    one(a, `A: head ${state.head}, ${Study.attention.layerName(of)}`, "weights"),
    one(b, `B: head ${state.other.head}, ${Study.attention.layerName(entry(state.other.at))}`, "other",
        { of: entry(state.other.at) }),
    one(difference, "A − B", "difference", {
      scale: Study.scaleOf(difference),
      note: `Orange: A looks there more. Blue: B does. On average a query puts ${
          short(100 * apart(a, b, sizes(of).columns), 3)} % of its attention in another place.`
    })
  ];
}

function otherPicker() {
  const key = ({ at, head }) => `${at} ${head}`, all = new Map(candidates().map((each) => [key(each), each]));
  return Study.select(
      "B:", [...all].map(([name, { at, head }]) => [name, Study.attention.headName(entry(at), head)]),
      key(state.other), (name) => choose({ other: all.get(name) }));
}

// --------------------------------------------------------------------------------- pictures

function pictured(isPair) {
  const of = entry(), queries = Study.attention.names(of.queries, sizes(of).rows),
        classes = queries.findIndex(({ patch }) => patch === undefined);
  const one = (from, head, what, title) => Study.attentionPicture({
    set: of.keys,
    values: Study.attention.row(from, from[what], { batch: state.batch, head }, state.query),
    query: state.query,
    title,
    name: `picture ${title.slice(0, 2)} ${what}`,
    onFollow: follow
  });
  const looks = `What ${queries[state.query].long} looks at`;
  const shown = isPair ?
      [
        one(of, state.head, "weights", `A: ${looks}`),
        one(entry(state.other.at), state.other.head, "weights", `B: ${looks}`)
      ] :
      [
        one(of, state.head, "weights", looks),
        of.grad >= 0 ? one(of, state.head, "grad", "Gradient of these weights") : null
      ];
  return h(
      "div", null,
      h("div", { class: "side-by-side pictured" }, shown,
        h("div", { class: "aside" },
          h("p", { class: "note" },
            "The framed patch is the query. Orange lies on the patches that it takes most from; in the gradient, blue says that the loss would fall if it took more. Click a patch to make it the query."),
          classes >= 0 ? h("button", {
            type: "button",
            "data-focus": "class",
            "aria-pressed": String(state.query === classes),
            onclick: () => choose({ query: classes, cell: null })
          },
                           "Follow the class token") :
                         null)));
}

const itemPicker = (batches) => Study.select(
    "item", Array.from({ length: batches }, (_, b) => [b, String(b)]), state.batch,
    (batch) => choose({ batch }));

/** What the positions are called. */
function positions(of) {
  if (!Study.data.pictures?.[of.queries]) return "token";
  return Study.attention.names(of.queries, sizes(of).rows).some(({ patch }) => patch === undefined) ?
      "patch, and the class token," :
      "patch";
}

function parts() {
  matrices = [];
  const of = entry(), { batches } = sizes(of), isPair = state.view === "heads" && candidates().length > 1;
  if (isPair) settleOther();
  return [
    h("h2", null, "Who looks at whom"),
    h("p", { class: "lead" },
      `Every ${
          positions(
              of)} asks a question (its query) and compares it with what every other one offers (its key). The comparison gives shares that sum to 1: the weights. With these shares it takes over the others' values. Choose a layer and a head:`),
    h("div", { class: "side-by-side" },
      h("div", null, overview(),
        h("button", { type: "button", onclick: () => Study.visit(of.node) }, "Go to this op in the walk")),
      h("div", { class: "beside" },
        h("div", { class: "row" },
          candidates().length > 1 ?
              Study.choice(
                  "What stands beside the weights",
                  [["gradient", "Weights and gradient"], ["heads", "Compare two heads"]], state.view,
                  (view) => choose({ view })) :
              null,
          isPair ? otherPicker() : null, batches > 1 ? itemPicker(batches) : null),
        Study.data.pictures?.[of.keys] ? pictured(isPair) : null,
        h("div", { class: "side-by-side" }, isPair ? withOther() : withGradient()))),
    ...Study.followedQuery(state, choose)
  ];
}

(Study.pages ??= {}).attention = function() {
  page = h("div");
  const { rows } = sizes(entry()), isPicture = Boolean(Study.data.pictures?.[entry().queries]);
  state.query ??= Math.floor(rows * (isPicture ? 0.5 : 0.7));  // one that has something to look at
  page.append(...parts());
  return page;
};
/** Chooses a layer, head and query. */
Study.followQuery = (at, head, query) => {
  Study.showTab("attention");
  choose({ at, head, query, cell: null });
};
Study.attentionState = state;
Study.chooseAttention = (change) => choose(change);
})((globalThis.Study ??= {}));
