#pragma once
// The answers of a classifier over a whole split, batch by batch.

#include <cstdint>
#include <string>
#include <vector>

#include "../../autograd/tensor/tensor.h"
#include "classification.h"
#include "metric.h"

namespace tarsier::zoo {

/// A classifier's answer for one example.
struct Answer {
  int64_t example = 0;  ///< its index in the split
  int64_t truth = 0, predicted = 0;
  double probability = 0;  ///< of the predicted class

  bool right() const { return truth == predicted; }
};

/// "7 (98.2 %), 1 (1.1 %)": up to three of the likeliest classes, without negligible ones.
/// `probabilities` has one for each of `names`.
std::string likeliest(const std::vector<double>& probabilities,
                      const std::vector<std::string>& names);

class ClassifierScore {
 public:
  explicit ClassifierScore(int64_t classes) : confusion_(classes) {}

  /// Counts a batch: logits (B, classes) and labels (B) i64 of these `examples`.
  /// Throws Error("metric") if their counts differ.
  void add(const std::vector<int64_t>& examples, const Tensor& logits, const Tensor& labels);

  const ConfusionMatrix& confusion() const { return confusion_; }
  /// In the order in which they were added.
  const std::vector<Answer>& answers() const { return answers_; }

  /// Accuracy and macro F1 in percent, and the mean cross-entropy under the name `loss_name`.
  /// Throws Error("metric") if nothing was added.
  Metrics metrics(const std::string& loss_name) const;

 private:
  ConfusionMatrix confusion_;
  std::vector<Answer> answers_;
  double loss_ = 0;  // the sum
};

}  // namespace tarsier::zoo
