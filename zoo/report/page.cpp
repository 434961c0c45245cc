#include "zoo/report/page.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "zoo/report/draw.h"

namespace tarsier::zoo {

namespace {

constexpr const char* kStyle = R"css(
:root { color-scheme: light dark;
  --back: #fff; --card: #f6f7f9; --ink: #1b1f24; --muted: #5d6672; --rule: #d9dde3;
  --heat: #0b5fc0; --over: #fff; --glow: #ff7a00; --bad: #c0182b;
  --c0: #1f6feb; --c1: #d9480f; --c2: #2b8a3e; --c3: #9c36b5; --c4: #c2255c; --c5: #0b7285; }
@media (prefers-color-scheme: dark) { :root {
  --back: #14171b; --card: #1c2127; --ink: #e6e9ed; --muted: #9aa4b0; --rule: #333a43;
  --heat: #6cb2ff; --over: #10131a; --glow: #ff8a1f; --bad: #ff7b85;
  --c0: #74a9ff; --c1: #ff9d57; --c2: #69db7c; --c3: #da8ff2; --c4: #f78fb3; --c5: #4ecbdc; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 75rem; background: var(--back); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; margin: .5rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .6rem; padding-top: .8rem; border-top: 1px solid var(--rule); }
p { margin: .5rem 0; max-width: 46rem; }
pre { padding: .7rem .9rem; background: var(--card); border-radius: 6px; white-space: pre-wrap;
  overflow-wrap: anywhere; font: .875rem/1.45 ui-monospace, monospace; margin: .6rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; margin: .6rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .9rem .3rem 0;
  border-bottom: 1px solid var(--rule); }
th { color: var(--muted); font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
dl { columns: 17rem; column-gap: 2.5rem; margin: .6rem 0; font-size: .9rem; }
dl div { display: flex; justify-content: space-between; gap: 1rem; break-inside: avoid;
  border-bottom: 1px solid var(--rule); padding: .2rem 0; }
dt { color: var(--muted); }
dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
figure { margin: 0; break-inside: avoid; min-width: 0; }
figcaption { font-size: .85rem; color: var(--muted); }
.wrong { color: var(--bad); }
.charts { display: grid; gap: 1.4rem 2rem; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); }
.charts figure { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.charts figcaption { color: var(--ink); font-weight: 600; }
.figures { display: flex; flex-wrap: wrap; gap: 1.2rem 1.6rem; margin: .8rem 0; }
.figures figure { max-width: 100%; }
.figures figcaption { max-width: 30rem; }
.words { margin: 0 0 .2rem; max-width: 60rem; }
.words span { border-radius: 3px; }
.quote { margin: 0 0 1rem; }
.scale { margin: 0; font-size: .8rem; color: var(--muted); }
.ramp { display: inline-block; width: 6rem; height: .7em; margin: 0 .4rem;
  background: linear-gradient(90deg, transparent, rgba(255,122,0,.65)); }
summary { cursor: pointer; color: var(--muted); font-size: .85rem; }
svg { display: block; font: 12px system-ui, sans-serif; }
svg text { fill: var(--ink); }
svg .muted { fill: var(--muted); } svg .over { fill: var(--over); }
svg .middle { text-anchor: middle; } svg .end { text-anchor: end; }
.chart { width: 100%; height: auto; }
.line { fill: none; stroke-width: 1.7; stroke-linejoin: round; stroke-linecap: round; }
.mark { stroke: var(--muted); stroke-dasharray: 5 4; fill: none; }
.grid { stroke: var(--rule); fill: none; }
.heat { fill: var(--heat); } .glow { fill: var(--glow); }
.clear { fill: transparent; }
.frame { fill: none; stroke: var(--rule); }
.pixels { image-rendering: pixelated; }
.s0 { stroke: var(--c0); } .s1 { stroke: var(--c1); } .s2 { stroke: var(--c2); }
.s3 { stroke: var(--c3); } .s4 { stroke: var(--c4); } .s5 { stroke: var(--c5); }
circle.s0 { fill: var(--c0); } circle.s1 { fill: var(--c1); } circle.s2 { fill: var(--c2); }
circle.s3 { fill: var(--c3); } circle.s4 { fill: var(--c4); } circle.s5 { fill: var(--c5); }
.faint { opacity: .38; stroke-width: 1; }
@media print { body { max-width: none; padding: 0; font-size: 11pt; } .scroll { overflow: visible; }
  .figures svg { max-width: 100%; height: auto; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
)css";

/// Whether a text is a number, with or without a unit ("-1,234", "77.86 %", "0:07", "1e-05"), or
/// empty. A date is not.
bool is_number(std::string_view text) {
  if (text == "–") return true;
  if (text.starts_with("-")) text.remove_prefix(1);
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text[0])) == 0) return false;
  const std::string_view digits = text.substr(0, text.find_first_of(" e"));
  return digits.find_first_not_of("0123456789.,:") == digits.npos &&
         std::ranges::count(digits, '.') <= 1;
}

std::string element(const std::string& name, std::string_view text, const std::string& kind = "") {
  return "<" + name + (kind.empty() ? "" : " class=\"" + kind + "\"") + ">" + escape(text) + "</" +
         name + ">";
}

}  // namespace

void Page::section(std::string_view heading) { body_ += element("h2", heading) + "\n"; }

void Page::paragraph(std::string_view text) { body_ += element("p", text) + "\n"; }

void Page::preformatted(std::string_view text) { body_ += element("pre", text) + "\n"; }

void Page::table(const std::vector<std::string>& head,
                 const std::vector<std::vector<std::string>>& rows) {
  body_ += "<div class=\"scroll\">";
  add_table(head, rows);
  body_ += "</div>\n";
}

void Page::collapsed_table(std::string_view summary, const std::vector<std::string>& head,
                           const std::vector<std::vector<std::string>>& rows) {
  body_ += "<details>" + element("summary", summary) + "<div class=\"scroll\">";
  add_table(head, rows);
  body_ += "</div></details>\n";
}

void Page::add_table(const std::vector<std::string>& head,
                     const std::vector<std::vector<std::string>>& rows) {
  std::vector<bool> numbers(head.size(), !rows.empty());
  for (const auto& row : rows) {
    check(row.size() == head.size(), "report", "a row of ", row.size(), " cells in a table of ",
          head.size(), " columns");
    for (size_t i = 0; i < row.size(); ++i) numbers[i] = numbers[i] && is_number(row[i]);
  }
  const auto line = [&](const std::vector<std::string>& cells, const std::string& kind) {
    std::string out = "<tr>";
    for (size_t i = 0; i < cells.size(); ++i)
      out += element(kind, cells[i], numbers[i] ? "number" : "");
    return out + "</tr>\n";
  };
  body_ += "<table>\n<thead>" + line(head, "th") + "</thead>\n<tbody>\n";
  for (const auto& row : rows) body_ += line(row, "td");
  body_ += "</tbody></table>";
}

void Page::pairs(const std::vector<std::pair<std::string, std::string>>& rows) {
  if (rows.empty()) return;
  body_ += "<dl>\n";
  for (const auto& [name, value] : rows)
    body_ += "<div>" + element("dt", name) + element("dd", value) + "</div>\n";
  body_ += "</dl>\n";
}

void Page::add_figures(const std::vector<Figure>& figures, std::string_view kind) {
  if (figures.empty()) return;
  body_ += "<div class=\"" + std::string(kind) + "\">\n";
  for (const Figure& figure : figures)
    body_ += "<figure><div class=\"scroll\">" + figure.drawing.markup + "</div>" +
             element("figcaption", figure.caption, figure.wrong ? "wrong" : "") + "</figure>\n";
  body_ += "</div>\n";
}

void Page::charts(const std::vector<Figure>& figures) { add_figures(figures, "charts"); }

void Page::figures(const std::vector<Figure>& figures) { add_figures(figures, "figures"); }

void Page::weighted_text(const Figure& caption, const std::vector<std::string>& words,
                         const std::vector<double>& weights) {
  check(words.size() == weights.size(), "report", words.size(), " words with ", weights.size(),
        " weights");
  double high = 0;
  for (const double w : weights)
    if (std::isfinite(w)) high = std::max(high, w);
  body_ += "<div class=\"quote\"><p class=\"words\">";
  for (size_t i = 0; i < words.size(); ++i) {
    const double w = std::isfinite(weights[i]) ? std::max(0.0, weights[i]) : 0;
    const bool apart = words[i].starts_with(' ');
    body_ += (apart ? " " : "") + std::string("<span style=\"background:rgba(255,122,0,") +
             fixed(high > 0 ? 0.65 * w / high : 0, 2) + ")\" title=\"" + fixed(100 * w, 1) +
             " %\">" + escape(std::string_view(words[i]).substr(apart ? 1 : 0)) + "</span>";
  }
  body_ += "</p>" + element("figcaption", caption.caption, caption.wrong ? "wrong" : "") +
           "<p class=\"scale\">0 %<span class=\"ramp\"></span>" + fixed(100 * high, 1) +
           " %</p></div>\n";
}

std::string Page::html() const {
  const std::string title = escape(title_);
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>" +
         title + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n<h1>" + title +
         "</h1>\n" + body_ + "</body>\n</html>\n";
}

}  // namespace tarsier::zoo
