// Line charts and pairs of histograms as SVG.
(function(Study) {
"use strict";

const { h, svg, short } = Study;
const W = 420, H = 190, LEFT = 52, BOTTOM = 22, TOP = 8, RIGHT = 8;

/** Round numbers for an axis: at most about `most` of them between low and high. */
function ticks(low, high, most) {
  const raw = (high - low) / most || 1, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10), all = [];
  for (let t = Math.ceil(low / step) * step; t <= high + step * 1e-9; t += step)
    all.push(Math.abs(t) < step * 1e-9 ? 0 : t);
  return all;
}

/** The same for a logarithmic axis: 1, 2 and 5 of every power of ten, or powers alone. */
function decades(low, high) {
  const all = [], first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  for (let power = first; power <= last; power += Math.max(1, Math.round((last - first) / 6)))
    for (const factor of last - first > 3 ? [1] : [1, 2, 5]) all.push(factor * 10 ** power);
  return all.filter((t) => t >= low && t <= high);
}

/** The label at the end of an axis stands left of its tick: it would be cut off at the rim. */
const anchorOf = (x, text) => (x + 3.2 * text.length > W - 2 ? "end" : "middle");
const bottomLabel = (x, text, y) =>
    svg("text", { x: anchorOf(x, text) === "end" ? W - 2 : x, y, "text-anchor": anchorOf(x, text) }, text);

function axes({ low, high, x0, x1, place, log }) {
  const across = log ? decades(low, high) : ticks(low, high, 5);
  return [
    across.map(
        (t) =>
            [svg("line", { class: "grid", x1: LEFT, x2: W - RIGHT, y1: place.y(t), y2: place.y(t) }),
             svg("text", { x: LEFT - 6, y: place.y(t) + 4, "text-anchor": "end" }, short(t, 3))]),
    ticks(x0, x1, 6).map((t) => bottomLabel(place.x(t), short(t, 4), H - 5))
  ];
}

const colourOf = (i) => `var(--c${i % 6})`;

/** A chart of curves: the pointer, or the arrow keys, read them out. */
class LineChart {
  constructor({ title, series, log }) {
    Object.assign(this, { title, series, log: Boolean(log), pinned: -1, at: -1, near: 0 });
    this.xs = [...new Set(series.flatMap((s) => s.x))].sort((a, b) => a - b);
    this.values = series.map((s) => new Map(s.x.map((x, k) => [x, s.y[k]])));
    const ys = series.flatMap((s) => s.y).filter((y) => Number.isFinite(y));
    this.isEmpty = ys.length === 0;
    this.isPositive = ys.length > 0 && ys.every((y) => y > 0);
    this.element = h("figure", { class: "titled" });
    this.read = h("output", { class: "reading" });
    this.draw();
  }
  fits(y) {
    return y !== null && Number.isFinite(y) && (!this.log || y > 0);
  }

  /** Where numbers are on the picture. */
  frame() {
    const ys = this.series.flatMap((s) => s.y).filter((y) => this.fits(y)), x0 = this.xs[0],
          x1 = this.xs.at(-1);
    let low = Math.min(...ys), high = Math.max(...ys);
    if (low === high) [low, high] = this.log ? [low / 2, high * 2] : [low - 1, high + 1];
    const scale = this.log ? Math.log10 : (y) => y;
    const place = {
      x: (x) => LEFT + ((x - x0) / (x1 - x0 || 1)) * (W - LEFT - RIGHT),
      y: (y) => TOP + (1 - (scale(y) - scale(low)) / (scale(high) - scale(low))) * (H - TOP - BOTTOM)
    };
    return { low, high, x0, x1, place, log: this.log };
  }
  /** A curve, with gaps where there is no number, and dots where it has no neighbours. */
  curve({ name, x, y }, i) {
    const { place } = this.now;
    let path = "", pen = "M";
    const dots = [];
    x.forEach((at, k) => {
      if (!this.fits(y[k])) {
        pen = "M";
        return;
      }
      path += `${pen}${place.x(at).toFixed(1)} ${place.y(y[k]).toFixed(1)}`;
      if (pen === "M" && !this.fits(y[k + 1]))
        dots.push(svg("circle", { cx: place.x(at), cy: place.y(y[k]), r: 3, fill: colourOf(i) }));
      pen = "L";
    });
    return svg(
        "g", { class: "curve", "data-series": i },
        svg("path", { d: path, style: `stroke:${colourOf(i)}`, "stroke-dasharray": i >= 6 ? "5 3" : null },
            svg("title", null, name)),
        dots);
  }
  draw() {
    const { title, series } = this;
    if (this.isEmpty)
      return this.element.replaceChildren(
          h("figcaption", null, title), h("p", { class: "note" }, "No numbers."));
    this.now = this.frame();
    this.over = svg("g", { class: "over" });
    this.picture =
        svg("svg", {
          class: "chart",
          viewBox: `0 0 ${W} ${H}`,
          tabindex: 0,
          role: "application",
          "aria-roledescription": "chart",
          "aria-label": `${title}. Left and right arrows read out steps, up and down choose a curve.`
        },
            axes(this.now), series.map((s, i) => this.curve(s, i)), this.over);
    this.listen();
    const scales = this.isPositive ? Study.choice(
                                         `Scale of ${title}`, [[false, "linear"], [true, "log"]], this.log,
                                         (log) => {
                                           this.log = log;
                                           this.draw();
                                         }) :
                                     null;
    this.element.replaceChildren(
        h("figcaption", { class: "row" }, title, scales), this.picture, this.read,
        ...(series.length > 1 ? [this.keys()] : []));
    this.say();
  }
  /** The names of the curves; a click holds one out. */
  keys() {
    return h(
        "p", { class: "keys" },
        this.series.map(
            ({ name }, i) =>
                h("button", {
                  type: "button",
                  "aria-pressed": String(this.pinned === i),
                  title: "Hold out this curve",
                  onpointerenter: () => this.light(i),
                  onpointerleave: () => this.light(this.pinned),
                  onclick: () => {
                    this.pinned = this.pinned === i ? -1 : i;
                    this.draw();
                  }
                },
                  h("i", { style: `background:${colourOf(i)}` }), name)));
  }
  /** Makes all curves pale but one; −1 makes none pale. */
  light(which) {
    this.picture.querySelectorAll(".curve").forEach(
        (curve) => curve.classList.toggle("pale", which >= 0 && Number(curve.dataset.series) !== which));
  }
  listen() {
    this.picture.addEventListener("pointermove", (event) => {
      const { left, top, width, height } = this.picture.getBoundingClientRect();
      this.point(((event.clientX - left) / width) * W, ((event.clientY - top) / height) * H);
    });
    this.picture.addEventListener("pointerleave", () => {
      this.at = -1;
      this.say();
    });
    this.picture.addEventListener("keydown", (event) => {
      const n = this.xs.length, count = this.series.length;
      const run = {
        ArrowLeft: () => {
          this.at = Math.max(0, (this.at < 0 ? n : this.at) - 1);
        },
        ArrowRight: () => {
          this.at = Math.min(n - 1, this.at + 1);
        },
        ArrowUp: () => {
          this.near = (this.near + count - 1) % count;
        },
        ArrowDown: () => {
          this.near = (this.near + 1) % count;
        }
      }[event.key];
      if (!run) return;
      event.preventDefault();
      run();
      if (this.at < 0) this.at = n - 1;
      this.say();
    });
  }
  /** The step and the curve that are nearest to a place. */
  point(x, y) {
    const { place } = this.now, distance = (at) => Math.abs(place.x(this.xs[at]) - x);
    this.at = this.xs.reduce((best, _, i) => (distance(i) < distance(best) ? i : best), 0);
    let least = Infinity;
    this.values.forEach((values, i) => {
      const value = values.get(this.xs[this.at]);
      if (!this.fits(value) || (this.pinned >= 0 && this.pinned !== i)) return;
      if (Math.abs(place.y(value) - y) < least) [least, this.near] = [Math.abs(place.y(value) - y), i];
    });
    this.say();
  }
  /** Says and marks what is pointed at. */
  say() {
    const x = this.xs[this.at], value = x === undefined ? undefined : this.values[this.near].get(x);
    this.light(x === undefined || this.series.length < 4 ? this.pinned : this.near);
    if (x === undefined) {
      this.over.replaceChildren();
      this.read.textContent = "";
      return;
    }
    const { place } = this.now;
    this.over.replaceChildren(
        svg("line", { class: "rule", x1: place.x(x), x2: place.x(x), y1: TOP, y2: H - BOTTOM }),
        ...(this.fits(value) ?
                [svg("circle", { cx: place.x(x), cy: place.y(value), r: 4, fill: colourOf(this.near) })] :
                []));
    this.read.textContent = `step ${x}: ${this.series[this.near].name} ${
        value === undefined ? "has no number" : short(value, 5)}`;
  }
}

/** chart: {title, series: [{name, x, y}], log}. */
Study.lineChart = (chart) => new LineChart(chart).element;

/** What a bin holds, on a pointer that rests on it. */
function spans(then, now, low, high, height) {
  const wide = (W - LEFT - RIGHT) / now.length, step = (high - low) / now.length;
  return now.map(
      (count, i) =>
          svg("rect", { class: "bin", x: LEFT + i * wide, y: 0, width: wide, height: height - 20 },
              svg("title", null,
                  `${short(low + i * step, 3)} to ${short(low + (i + 1) * step, 3)}: ${then[i]} then, ${
                      count} now`)));
}

/** histogram: {name, low, high, then, now}: counts of equal bins. */
Study.histogram = function({ name, low, high, then, now }) {
  const most = Math.max(1, ...then, ...now), bins = now.length || 1, height = 110;
  const outline = (counts) =>
      counts
          .map((n, i) => {
            const x = LEFT + (i / bins) * (W - LEFT - RIGHT),
                  end = LEFT + ((i + 1) / bins) * (W - LEFT - RIGHT), y = 4 + (1 - n / most) * (height - 24);
            return `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}L${end.toFixed(1)} ${y.toFixed(1)}`;
          })
          .join("");
  const x = (v) => LEFT + ((v - low) / (high - low || 1)) * (W - LEFT - RIGHT);
  return h(
      "figure", { class: "titled" }, h("figcaption", null, name),
      svg("svg", {
        class: "chart",
        viewBox: `0 0 ${W} ${height}`,
        role: "img",
        "aria-label": `Histogram of ${name}`
      },
          svg("line", { class: "grid", x1: LEFT, x2: W - RIGHT, y1: height - 20, y2: height - 20 }),
          ticks(low, high, 6).map((t) => bottomLabel(x(t), short(t, 3), height - 5)),
          svg("path", { d: outline(then), style: "stroke:var(--muted)", "stroke-dasharray": "4 3" }),
          svg("path", { d: outline(now), style: "stroke:var(--c1)" }), spans(then, now, low, high, height)));
};
})((globalThis.Study ??= {}));
