#pragma once
// The answers of a classifier over a whole split, batch by batch.

#include <cstdint>
#include <string>
#include <vector>

#include "../../autograd/tensor/tensor.h"
#include "classification.h"
#include "metric.h"

namespace tarsier::zoo {

/// What a classifier said of one example.
struct Answer {
  int64_t example = 0;  ///< its number in the split
  int64_t truth = 0, predicted = 0;
  double probability = 0;  ///< of what was predicted

  bool right() const { return truth == predicted; }
};

/// "7 (98.2 %), 1 (1.1 %)": the likeliest three of the classes, as far as they are worth a word.
/// `probabilities` has one for each of `names`.
std::string likeliest(const std::vector<double>& probabilities,
                      const std::vector<std::string>& names);

class ClassifierScore {
 public:
  explicit ClassifierScore(int64_t classes) : confusion_(classes) {}

  /// Counts a batch: logits (B, classes) and labels (B) i64 of the examples with these numbers.
  /// Throws Error("metric") where their counts differ.
  void add(const std::vector<int64_t>& examples, const Tensor& logits, const Tensor& labels);

  const ConfusionMatrix& confusion() const { return confusion_; }
  /// In the order in which they were added.
  const std::vector<Answer>& answers() const { return answers_; }

  /// Accuracy and macro F1 in percent, and the mean cross-entropy under the name `loss_name`.
  /// Throws Error("metric") where nothing was added.
  Metrics metrics(const std::string& loss_name) const;

 private:
  ConfusionMatrix confusion_;
  std::vector<Answer> answers_;
  double loss_ = 0;  // the sum
};

}  // namespace tarsier::zoo
