#pragma once
// The results of a comparison: in a folder, as a table, and as a page.

#include <string>
#include <utility>
#include <vector>

#include "compare.h"

namespace tarsier::zoo::compare {

/// A folder with results.json, the outcomes of all finished runs, and report.html, a page about
/// them. A run that is in it is not done again.
class Results {
 public:
  /// Reads the folder if it has results. Throws Error("compare") if they are of another recipe, and
  /// Error("json") if the file is damaged.
  Results(std::string folder, const Recipe& recipe);

  const std::vector<Outcome>& outcomes() const { return outcomes_; }
  /// The outcome of a run, or a null pointer.
  const Outcome* find(const Run& run) const;
  /// Adds an outcome, and writes both files; each is written whole or not at all.
  void add(const Outcome& outcome);
  void write() const;

 private:
  std::string folder_;
  Recipe recipe_;
  std::vector<Outcome> outcomes_;
};

/// Names and numbers in columns.
struct Table {
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
};
/// Accuracy in % against distance: a line for each task and model, a column for each distance.
Table accuracy_table(const std::vector<Outcome>& outcomes);
/// Tokens per second and memory in training, against distance: the best of all tasks.
Table cost_table(const std::vector<Outcome>& outcomes);
/// Accuracy on few sequences: those of the training, and new ones.
Table few_table(const std::vector<Outcome>& outcomes);

/// The page: what is claimed, what was measured, curves and tables.
std::string report_page(const Recipe& recipe, const std::vector<Outcome>& outcomes);

}  // namespace tarsier::zoo::compare
