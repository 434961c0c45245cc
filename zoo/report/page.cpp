#include "autograd/base/error.h"
#include "zoo/report/page.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "zoo/report/draw.h"
#include "zoo/report/files.h"

namespace tarsier::zoo {

namespace {

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
         title + "</title>\n<style>\n" + page_file("zoo/report/colors.css") +
         page_file("zoo/report/style.css") + "</style>\n</head>\n<body>\n<h1>" + title + "</h1>\n" +
         body_ + "</body>\n</html>\n";
}

}  // namespace tarsier::zoo
