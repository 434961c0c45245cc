#pragma once
// Page: one self-contained HTML file. No network, no script; dark or light like the reader's
// system, readable on a phone and on paper.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "svg.h"

namespace tarsier::zoo {

/// A drawing and its caption.
struct Figure {
  Svg drawing;
  std::string caption = "";
  bool wrong = false;  ///< a mistake of the model: the caption is red
};

/// Text is always escaped; parts appear in the order in which they are added.
class Page {
 public:
  explicit Page(std::string title) : title_(std::move(title)) {}

  void section(std::string_view heading);
  void paragraph(std::string_view text);
  /// Rows of cells. Columns of numbers are right-aligned. Throws Error("report") for a row that is
  /// not as long as the head.
  void table(const std::vector<std::string>& head,
             const std::vector<std::vector<std::string>>& rows);
  /// The same, collapsed under `summary` until it is opened.
  void collapsed_table(std::string_view summary, const std::vector<std::string>& head,
                       const std::vector<std::vector<std::string>>& rows);
  /// Names and values side by side, in as many columns as fit.
  void pairs(const std::vector<std::pair<std::string, std::string>>& rows);
  void preformatted(std::string_view text);
  /// Curves, each as wide as the page allows, with the caption as its title.
  void charts(const std::vector<Figure>& figures);
  /// Drawings of their own size, as many next to each other as fit.
  void figures(const std::vector<Figure>& figures);
  void figure(const Figure& one) { figures({one}); }
  /// A text whose words are coloured by their weights, with the scale of the colours. Words that
  /// begin with a space stand apart from the one before. Throws Error("report") unless there is a
  /// weight for each.
  void weighted_text(const Figure& caption, const std::vector<std::string>& words,
                     const std::vector<double>& weights);

  std::string html() const;

 private:
  void add_table(const std::vector<std::string>& head,
                 const std::vector<std::vector<std::string>>& rows);
  void add_figures(const std::vector<Figure>& figures, std::string_view kind);

  std::string title_, body_;
};

}  // namespace tarsier::zoo
