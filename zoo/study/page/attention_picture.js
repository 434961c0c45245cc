// Patches of a picture: as labels, and as the ground on which attention is drawn.
(function(Study) {
"use strict";

const { h, svg } = Study;
const drawn = new WeakMap();

/** The picture itself on a canvas, one pixel for each of its own. */
function imageOf(picture, data) {
  if (drawn.has(picture)) return drawn.get(picture);
  const { width, height, channels, tensor } = picture, plane = width * height;
  const image = Object.assign(document.createElement("canvas"), { width, height }),
        context = image.getContext("2d"), pixels = context.createImageData(width, height);
  const values = Study.values(tensor, data);
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  for (let i = 0; i < plane; ++i)
    for (let c = 0; c < 4; ++c)
      pixels.data[i * 4 + c] =
          c === 3 ? 255 : (255 * (values[(channels < 3 ? 0 : c) * plane + i] - low)) / (high - low || 1);
  context.putImageData(pixels, 0, 0);
  drawn.set(picture, image);
  return image;
}
const canvasOf = (width, height) => Object.assign(document.createElement("canvas"), { width, height });
const boxOf = ({ width, height, rows, columns }, patch) => {
  const w = width / columns, tall = height / rows;
  return { x: (patch % columns) * w, y: Math.floor(patch / columns) * tall, w, tall };
};

/** One patch as a label of a drawing; a class token, which is no patch, as a letter. */
Study.patchImage = function(set, patch, place, title, data = Study.data) {
  const picture = data.pictures[set];
  if (patch === undefined)
    return svg(
        "g", null, svg("title", null, title), svg("rect", { class: "token-label", ...place }),
        svg("text", {
          x: place.x + place.width / 2,
          y: place.y + place.height / 2 + 3,
          "text-anchor": "middle",
          style: "font-size:9px"
        },
            "c"));
  const { x, y, w, tall } = boxOf(picture, patch), own = canvasOf(Math.ceil(w), Math.ceil(tall));
  own.getContext("2d").drawImage(imageOf(picture, data), x, y, w, tall, 0, 0, own.width, own.height);
  return svg(
      "image", { href: own.toDataURL(), preserveAspectRatio: "none", ...place }, svg("title", null, title));
};

/** The whole picture, small, with a frame around the patch. */
Study.patchIcon = function(set, patch, data = Study.data, size = 44) {
  const picture = data.pictures[set],
        made = canvasOf(size, Math.round((size * picture.height) / picture.width)),
        draw = made.getContext("2d");
  made.className = "patch-icon";
  made.setAttribute("aria-hidden", "true");
  draw.imageSmoothingEnabled = false;
  draw.drawImage(imageOf(picture, data), 0, 0, made.width, made.height);
  if (patch !== undefined) frame(draw, boxOf(picture, patch), size / picture.width);
  return made;
};
function frame(draw, { x, y, w, tall }, by, colour = "#fff") {
  draw.lineWidth = 3.5;
  for (const style of ["#000", colour]) {
    draw.strokeStyle = style;
    draw.strokeRect(x * by + 1, y * by + 1, w * by - 2, tall * by - 2);
    draw.lineWidth = 1.8;
  }
}

/** The picture with numbers on its patches: orange above zero, blue below. given: {set, values (of
    all positions), query, title, size, onFollow, name}. */
Study.attentionPicture = function({ set, values, query, title, size = 260, onFollow, name }) {
  const picture = Study.data.pictures[set], { rows, columns } = picture, n = rows * columns,
        extra = values.length - n, names = Study.attention.names(set, values.length);
  const by = size / picture.width, shown = canvasOf(size, Math.round(picture.height * by)),
        draw = shown.getContext("2d"), scale = Study.scaleOf(values.slice(extra));
  let at = Math.max(0, query - extra);
  const read = h("output", { class: "reading" });
  function paint() {
    draw.imageSmoothingEnabled = false;
    draw.drawImage(imageOf(picture, Study.data), 0, 0, shown.width, shown.height);
    for (let p = 0; p < n; ++p) {
      const value = values[p + extra], { x, y, w, tall } = boxOf(picture, p),
            share = value === undefined ? 0 : Math.min(1, Math.abs(value) / scale);
      draw.fillStyle = value < 0 ? `rgb(60 140 255 / ${0.8 * share})` : `rgb(255 122 0 / ${0.8 * share})`;
      draw.fillRect(x * by, y * by, w * by, tall * by);
    }
    if (query >= extra) frame(draw, boxOf(picture, query - extra), by);
  }
  function say(p) {
    at = p;
    read.textContent = `${names[p + extra].long}: ${Study.attention.said(values[p + extra])}`;
  }
  paint();
  if (onFollow)
    follow(
        {
          shown,
          by,
          picture,
          extra,
          say,
          onFollow,
          get at() {
            return at;
          }
        },
        title, name);
  else
    Object.assign(shown, { title });
  return h(
      "figure", { class: "titled" }, h("figcaption", null, title), shown, onFollow ? h("br") : null,
      onFollow ? read : null);
};

/** Lets the reader choose a patch with the pointer or the arrow keys. */
function follow(of, title, name) {
  const { shown, by, picture: { rows, columns, width, height }, extra, say, onFollow } = of;
  const patchAt = (event) => Math.min(rows - 1, Math.floor(event.offsetY / by / (height / rows))) * columns +
      Math.min(columns - 1, Math.floor(event.offsetX / by / (width / columns)));
  Object.assign(shown, { tabIndex: 0 });
  shown.setAttribute("role", "application");
  shown.setAttribute("aria-label", `${title}. Arrow keys move from patch to patch, Enter follows one.`);
  shown.dataset.focus = name;
  shown.addEventListener("pointermove", (event) => say(patchAt(event)));
  shown.addEventListener("click", (event) => onFollow({ q: patchAt(event) + extra }));
  shown.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (event.key === "Enter") onFollow({ q: of.at + extra });
    if (!step) return;
    event.preventDefault();
    if (of.at + step >= 0 && of.at + step < rows * columns) say(of.at + step);
  });
  say(of.at);
}
})((globalThis.Study ??= {}));
