// The search box over the graph: ops, modules and parameters by name.
(function(Study) {
"use strict";

const { h } = Study;

/** Ids of nodes whose name or path holds all words, at most `most`. */
Study.find = function(text, most = 12) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean), found = [];
  if (words.length === 0) return found;
  Study.data.nodes.forEach((node, id) => {
    if (found.length >= most || node.kind === "constant") return;
    const all = `${node.op ?? ""} ${node.name ?? ""} ${node.path}`.toLowerCase();
    if (words.every((word) => all.includes(word))) found.push(id);
  });
  return found;
};

Study.searchBox = function() {
  const list = h("ul", { class: "found", role: "listbox", hidden: true });
  const field = h("input", {
    type: "search",
    class: "search",
    placeholder: "Search ops and parameters  ( / )",
    "aria-label": "Search ops, modules and parameters"
  });
  const choose = (id) => {
    list.hidden = true;
    field.blur();
    Study.visit(id);
  };
  function update() {
    const found = Study.find(field.value);
    list.hidden = field.value.trim() === "";
    list.replaceChildren(...found.map(
        (id) =>
            h("li", { role: "option", onmousedown: () => choose(id) }, h("b", null, Study.nameOf(id)),
              h("span", { class: "muted" }, ` ${Study.node(id).path}`))));
    if (found.length === 0) list.append(h("li", { class: "muted" }, "Nothing has that name."));
  }
  field.addEventListener("input", update);
  field.addEventListener("blur", () => {
    list.hidden = true;
  });
  field.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter") {
      const [first] = Study.find(field.value, 1);
      if (first !== undefined) choose(first);
    }
    if (event.key === "Escape") {
      field.value = "";
      update();
      field.blur();
    }
  });
  Study.focusSearch = () => {
    Study.showTab("walk");
    field.focus();
    field.select();
  };
  return h("div", { class: "search-box" }, field, list);
};
})((globalThis.Study ??= {}));
