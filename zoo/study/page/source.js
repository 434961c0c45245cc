// The right: the line that called the op, and the op's own definition with its backward under it.
(function(Study) {
"use strict";

const { h } = Study;
const KEYWORDS = new Set(
    ("auto bool break case class const constexpr continue double else enum false float for if inline int int64_t namespace new " +
     "operator private public return size_t static struct switch template this true typename using void while nullptr std")
        .split(" "));
const TOKEN =
    /(\/\/.*$)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\b(\d[\w.']*)\b|\b([A-Za-z_]\w*)\b(?=(\s*\()?)/gu;

/** A line of C++ as text in light colours. */
Study.code = function(line) {
  const out = [];
  let at = 0;
  for (const match of line.matchAll(TOKEN)) {
    const [text, comment, string, number, word, call] = match;
    const kind = comment            ? "comment" :
        string                      ? "string" :
        number                      ? "digits" :
        KEYWORDS.has(word)          ? "keyword" :
        call                        ? "call" :
        /^[A-Z]\w*[a-z]/.test(word) ? "type" :
                                      null;
    if (!kind) continue;
    out.push(line.slice(at, match.index), h("span", { class: kind }, text));
    at = match.index + text.length;
  }
  out.push(line.slice(at));
  return out;
};

function listing(excerpt, mark, from, to, isStrong) {
  const rows = [];
  for (let number = Math.max(excerpt.first, from);
       number <= Math.min(to, excerpt.first + excerpt.lines.length - 1); ++number)
    rows.push(
        h("div", {
          class:
              `code-line${number === mark ? " marked" : ""}${isStrong && isStrong(number) ? " strong" : ""}`
        },
          h("span", { class: "line-number", "aria-hidden": "true" }, String(number)),
          h("code", null, Study.code(excerpt.lines[number - excerpt.first]))));
  return h("div", { class: "listing" }, rows);
}

function callPart(node) {
  if (!node.file) return h("p", { class: "note" }, "Nothing was called for it: it was given.");
  const excerpt = Study.data.calls?.[node.file],
        title = h("h3", null, "Called in ", h("code", null, `${node.file}:${node.line}`));
  if (!excerpt) return [title, h("p", { class: "note" }, "The text of this file is not on the page.")];
  return [title, listing(excerpt, node.line, node.line - 4, node.line + 4)];
}

function definitionPart(node, phase) {
  const excerpt = node.source === null || node.source === undefined ? null : Study.data.sources[node.source];
  if (!excerpt) return null;
  const last = excerpt.first + excerpt.lines.length - 1;
  return [
    h("h3", null, phase === "backward" ? "Its forward and backward in " : "Defined in ",
      h("code", null, `${excerpt.file}:${excerpt.mark}`)),
    listing(excerpt, excerpt.mark, excerpt.first, last)
  ];
}

Study.sourcePane = function() {
  const pane = h("section", { class: "pane source", "aria-label": "Source" });
  Study.on("node", (id) => {
    const node = Study.node(id),
          user = node.kind === "op" ? id :
                                      Study.users()[id].map((u) => u.id).find((u) => Study.node(u).group < 0);
    const of = user === undefined ? node : Study.node(user);
    pane.replaceChildren(
        ...[node.kind === "op" ? null :
                                 h("p", { class: "note" },
                                   user === undefined ? "No op used it." : `Used by ${Study.nameOf(user)}:`),
            callPart(of), definitionPart(of, Study.current.phase)]
            .flat()
            .filter(Boolean));
    pane.scrollTop = 0;
  });
  Study.showFacts = (content) => pane.replaceChildren(content);
  return pane;
};
})((globalThis.Study ??= {}));
