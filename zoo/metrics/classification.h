#pragma once
// How good a classifier is: accuracy, F1, and which classes it mistakes for which.

#include <cstdint>
#include <string>
#include <vector>

#include "../../autograd/io/json.h"

namespace tarsier::zoo {

/// Counts of (true class, predicted class), and the scores that follow from them.
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(int64_t classes);

  /// Counts one example. Throws Error("metric") for a class out of range.
  void add(int64_t truth, int64_t predicted);
  void add(const std::vector<int64_t>& truth, const std::vector<int64_t>& predicted);

  int64_t classes() const { return classes_; }
  int64_t at(int64_t truth, int64_t predicted) const {
    return counts_[static_cast<size_t>(truth * classes_ + predicted)];
  }
  int64_t total() const;

  /// The fraction of examples on the diagonal. Throws Error("metric") if nothing was counted.
  double accuracy() const;
  /// The fraction of the predictions `c` that are right; 0 if there are none.
  double precision(int64_t c) const;
  /// The fraction of the examples of `c` that are predicted as `c`; 0 if there are none.
  double recall(int64_t c) const;
  /// 2 · precision · recall / (precision + recall), or 0.
  double f1(int64_t c) const;
  /// The mean of f1 over the classes that occur, in truth or prediction. As scikit-learn's
  /// f1_score(average="macro"). Throws Error("metric") if nothing was counted.
  double macro_f1() const;

  /// Whether `c` was counted, as truth or prediction.
  bool occurs(int64_t c) const { return row_sum(c) + column_sum(c) > 0; }
  /// What truth and predictions of `c` share, as a fraction of both together (Jaccard index); 0 if
  /// there are none.
  double iou(int64_t c) const;
  /// The mean of iou over the classes that occur, in truth or prediction. As torchmetrics'
  /// JaccardIndex. Throws Error("metric") if nothing was counted.
  double mean_iou() const;
  /// The mean of recall over the classes that occur in the truth. As scikit-learn's
  /// balanced_accuracy_score. Throws Error("metric") if nothing was counted.
  double mean_recall() const;

  /// A table for people: a row for each true class with its counts, recall and F1, a column for
  /// each predicted one. From eleven classes on, rows without counts, and the most common
  /// mistakes. Throws Error("metric") if the number of `names` is not the number of classes.
  std::string describe(const std::vector<std::string>& names) const;
  /// [[count, …], …], a row for each true class.
  Json to_json() const;

 private:
  /// The mean of `score` over the classes that it `counts`.
  template <class Score, class Counts>
  double mean_over(const Score& score, const Counts& counts) const;
  int64_t row_sum(int64_t truth) const;
  int64_t column_sum(int64_t predicted) const;

  int64_t classes_;
  std::vector<int64_t> counts_;
};

}  // namespace tarsier::zoo
