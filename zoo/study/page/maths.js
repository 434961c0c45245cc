// Mathematics: a short notation, turned into MathML or into plain text.
//
//   x_i  x_{i,j}  x^2  frac{a}{b}  sqrt{a}  sum_{j}  text{…}  hat{x}
//
// Names are runs of letters, everything else is an operator. Browsers draw MathML themselves.
(function (Study) {
  "use strict";

  const SPACE = "http://www.w3.org/1998/Math/MathML";
  const WORDS = { frac: 2, sqrt: 1, text: 0, hat: 1 };

  // --------------------------------------------------------------------------------- parsing

  /** The tree of a notation: rows of {kind, …}. */
  function parse(source) {
    const characters = Array.from(source);
    let at = 0;

    const isLetter = (c) => c !== undefined && /[\p{L}\p{M}′∞]/u.test(c);
    /** Two words with a space between them are words, and keep it. */
    const isWord = (node) => node !== undefined && (node.kind === "name" || (node.kind === "scripts" && node.base.kind === "name"));
    const isDigit = (c) => c !== undefined && /[0-9.]/.test(c);
    function run(belongs) {
      let word = "";
      while (belongs(characters[at])) word += characters[at++];
      return word;
    }
    /** The raw text of a {…}. */
    function braces() {
      let depth = 0, inside = "";
      do {
        const c = characters[at++];
        if (c === undefined) break;
        if (c === "{") depth += 1;
        if (c === "}") depth -= 1;
        if (depth > 0 && !(c === "{" && depth === 1)) inside += c;
      } while (depth > 0);
      return inside;
    }
    /** {…}, or the next atom. */
    function argument() {
      return characters[at] === "{" ? parse(braces()) : [atom()];
    }
    function atom() {
      const c = characters[at];
      if (isDigit(c)) return { kind: "number", text: run(isDigit) };
      if (isLetter(c)) {
        const word = run(isLetter);
        if (word === "sum") return { kind: "sum" };
        if (!(word in WORDS) || characters[at] !== "{") return { kind: "name", text: word };
        if (word === "text") return { kind: "text", text: braces() };
        const parts = [];
        for (let i = 0; i < WORDS[word]; ++i) parts.push(argument());
        return { kind: word, parts };
      }
      at += 1;
      return { kind: "operator", text: c };
    }

    const row = [];
    let isSpaced = false;
    while (at < characters.length) {
      if (/\s/.test(characters[at])) { at += 1; isSpaced = true; continue; }
      const base = atom();
      if (isSpaced && isWord(base) && isWord(row.at(-1))) row.push({ kind: "space" });
      isSpaced = false;
      let sub = null, sup = null;
      while (characters[at] === "_" || characters[at] === "^") {
        if (characters[at++] === "_") sub = argument();
        else sup = argument();
      }
      row.push(sub || sup ? { kind: "scripts", base, sub, sup } : base);
    }
    return row;
  }

  // --------------------------------------------------------------------------------- MathML

  function element(name, ...children) {
    const made = document.createElementNS(SPACE, name);
    made.append(...children);
    return made;
  }

  /** A minus that has nothing on its left is a sign, and stands close to its number. */
  const isSign = (node, before) => node.kind === "operator" && "−±".includes(node.text) &&
    (before === undefined || (before.kind === "operator" && "(,=·+−".includes(before.text)));

  function drawRow(row) {
    const drawn = row.map(draw);
    row.forEach((node, i) => { if (isSign(node, row[i - 1])) drawn[i].setAttribute("form", "prefix"); });
    return drawn.length === 1 ? drawn[0] : element("mrow", ...drawn);
  }

  function draw(node) {
    switch (node.kind) {
      case "number": return element("mn", node.text);
      case "name": return element("mi", node.text);
      // Browsers drop ordinary spaces at the ends.
      case "text": return element("mtext", node.text.replace(/^ | $/g, "\u00a0"));
      case "space": return element("mtext", "\u00a0");
      case "sum": return element("mo", "∑");
      case "frac": return element("mfrac", drawRow(node.parts[0]), drawRow(node.parts[1]));
      case "sqrt": return element("msqrt", drawRow(node.parts[0]));
      case "hat": return element("mover", drawRow(node.parts[0]), element("mo", "^"));
      case "scripts": return drawScripts(node);
      default: return drawOperator(node.text);
    }
  }

  function drawOperator(text) {
    const made = element("mo", text);
    if ("()[]|".includes(text)) made.setAttribute("stretchy", "false");
    if (text === "," ) made.setAttribute("separator", "true");
    return made;
  }

  function drawScripts({ base, sub, sup }) {
    const parts = [draw(base)];
    if (sub) parts.push(drawRow(sub));
    if (sup) parts.push(drawRow(sup));
    if (base.kind === "sum") return element(sub && sup ? "munderover" : sub ? "munder" : "mover", ...parts);
    return element(sub && sup ? "msubsup" : sub ? "msub" : "msup", ...parts);
  }

  // --------------------------------------------------------------------------------- plain text

  function write(node) {
    switch (node.kind) {
      case "frac": return `${wrapped(node.parts[0])} / ${wrapped(node.parts[1])}`;
      case "sqrt": return `√${wrapped(node.parts[0])}`;
      case "hat": return `${writeRow(node.parts[0])}\u0302`;
      case "space": return " ";
      case "sum": return "Σ";
      case "scripts": return write(node.base) + below(node.sub) + above(node.sup) + (node.base.kind === "sum" ? " " : "");
      default: return "=+−·∘".includes(node.text) ? ` ${node.text} ` : node.text === "," ? ", " : node.text;
    }
  }
  const writeRow = (row) => row.map((node, i) => (isSign(node, row[i - 1]) ? node.text : write(node)))
    .join("").replace(/\s+/g, " ").trim();
  const isShort = (row) => row.length === 1 && row[0].kind !== "frac";
  const wrapped = (row) => (isShort(row) ? writeRow(row) : `(${writeRow(row)})`);

  function below(row) {
    if (!row) return "";
    const text = writeRow(row);
    return /^[0-9]/.test(text) ? `[${text}]` : `_${isShort(row) ? text : `{${text}}`}`;
  }
  function above(row) {
    if (!row) return "";
    const text = writeRow(row);
    return text === "2" ? "²" : `^${isShort(row) ? text : `(${text})`}`;
  }

  // --------------------------------------------------------------------------------- public

  /** The notation as a <math> element; `display` as a line of its own. It can be read aloud: its
      label is the plain text. */
  Study.maths = function (notation, display = true) {
    const math = element("math", drawRow(parse(notation)));
    math.setAttribute("display", display ? "block" : "inline");
    math.setAttribute("aria-label", Study.plain(notation));
    return math;
  };

  /** The notation as plain text: frac{a}{b} is a / b, and an index that is a number is in brackets. */
  Study.plain = (notation) => writeRow(parse(notation));
})((globalThis.Study ??= {}));
