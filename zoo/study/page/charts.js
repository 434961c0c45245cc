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

function axes(low, high, x0, x1, place, log) {
  const made = [];
  const across = log ? decades(low, high) : ticks(low, high, 5);
  for (const t of across)
    made.push(
        svg("line", { class: "grid", x1: LEFT, x2: W - RIGHT, y1: place.y(t), y2: place.y(t) }),
        svg("text", { x: LEFT - 6, y: place.y(t) + 4, "text-anchor": "end" }, short(t, 3)));
  for (const t of ticks(x0, x1, 6))
    made.push(svg("text", { x: place.x(t), y: H - 5, "text-anchor": "middle" }, short(t, 4)));
  return made;
}

/** chart: {title, series: [{name, x, y}], log}. */
Study.lineChart = function({ title, series, log }) {
  const fits = (y) => y !== null && Number.isFinite(y) && (!log || y > 0);
  const xs = series.flatMap((s) => s.x), ys = series.flatMap((s) => s.y).filter(fits);
  if (ys.length === 0)
    return h(
        "figure", { class: "titled" }, h("figcaption", null, title),
        h("p", { class: "note" }, "No numbers."));
  const x0 = Math.min(...xs), x1 = Math.max(...xs);
  let low = Math.min(...ys), high = Math.max(...ys);
  if (low === high) {
    low = log ? low / 2 : low - 1;
    high = log ? high * 2 : high + 1;
  }
  const scale = log ? Math.log10 : (y) => y;
  const place = {
    x: (x) => LEFT + ((x - x0) / (x1 - x0 || 1)) * (W - LEFT - RIGHT),
    y: (y) => TOP + (1 - (scale(y) - scale(low)) / (scale(high) - scale(low))) * (H - TOP - BOTTOM)
  };
  const lines = series.map((s, i) => {
    let path = "", pen = "M";
    s.x.forEach((x, k) => {
      if (!fits(s.y[k])) {
        pen = "M";
        return;
      }
      path += `${pen}${place.x(x).toFixed(1)} ${place.y(s.y[k]).toFixed(1)}`;
      pen = "L";
    });
    return svg(
        "path", { d: path, style: `stroke:var(--c${i % 6})`, "stroke-dasharray": i >= 6 ? "5 3" : null },
        svg("title", null, s.name));
  });
  const keys =
      h("p", { class: "keys" },
        series.map((s, i) => h("span", null, h("i", { style: `background:var(--c${i % 6})` }), s.name)));
  return h(
      "figure", { class: "titled" },
      h("figcaption", null, title, log ? h("span", { class: "muted" }, " (logarithmic)") : null),
      svg("svg", { class: "chart", viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": title },
          axes(low, high, x0, x1, place, log), lines),
      series.length > 1 || series[0].name !== title ? keys : null);
};

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
          ticks(low, high, 6)
              .map((t) => svg("text", { x: x(t), y: height - 5, "text-anchor": "middle" }, short(t, 3))),
          svg("path", { d: outline(then), style: "stroke:var(--muted)", "stroke-dasharray": "4 3" }),
          svg("path", { d: outline(now), style: "stroke:var(--c1)" })));
};
})((globalThis.Study ??= {}));
