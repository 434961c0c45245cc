#pragma once
// The results of an evaluation.

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "../base/format.h"

namespace tarsier::zoo {

/// One number with its name, as `tarsier eval` prints it: "accuracy 77.86 %".
struct Metric {
  std::string name;  ///< "val_loss", "accuracy", "BLEU"
  double value = 0;
  int digits = 4;  ///< shown after the point
  std::string unit = "";
  bool higher_is_better = false;
  /// What the number measures, if the name does not tell: "references in lower case".
  std::string note = "";
  bool same_line = false;  ///< printed in the line of the metric before it
  bool bare = false;       ///< printed without its name, after one of its kind: "ROUGE 40 22 37"

  std::string text() const { return fixed(value, digits) + (unit.empty() ? "" : " " + unit); }
  /// "accuracy 77.86 %", followed by the note in brackets, if any.
  std::string line() const {
    return (bare ? "" : name + " ") + text() + (note.empty() ? "" : "  (" + note + ")");
  }
  /// "val" for "val_loss", as progress shows it.
  std::string label() const { return name == "val_loss" ? "val" : name; }
  bool better_than(double other) const { return higher_is_better ? value > other : value < other; }
};

/// "accuracy 77.86 %" for 0.7786.
inline Metric percent(std::string name, double share) {
  return {std::move(name), 100 * share, 2, "%", true};
}

/// Never empty. The first decides which weights are kept; if equal, the loss.
using Metrics = std::vector<Metric>;

/// The lines of all metrics, each with its end.
inline std::string lines_of(const Metrics& metrics) {
  std::string text;
  for (const Metric& metric : metrics) {
    if (!text.empty()) text += metric.same_line ? ' ' : '\n';
    text += metric.line();
  }
  text += '\n';
  return text;
}

/// The value of the metric "val_loss", or NaN if it was not measured.
inline double loss_of(const Metrics& metrics) {
  for (const Metric& metric : metrics)
    if (metric.name == "val_loss") return metric.value;
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace tarsier::zoo
