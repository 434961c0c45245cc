#include "zoo/metrics/classifier_score.h"

#include <algorithm>
#include <numeric>

#include "autograd/autograd.h"
#include "zoo/base/format.h"

namespace tarsier::zoo {

std::string likeliest(const std::vector<double>& probabilities,
                      const std::vector<std::string>& names) {
  std::vector<size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return probabilities[a] > probabilities[b]; });
  std::string text;
  for (size_t i = 0; i < std::min<size_t>(3, order.size()); ++i) {
    const double p = 100 * probabilities[order[i]];
    if (i > 0 && p < 0.5) break;
    text += concat(i > 0 ? ", " : "", names[order[i]], " (", fixed(p, 1), " %)");
  }
  return text;
}

void ClassifierScore::add(const std::vector<int64_t>& examples, const Tensor& logits,
                          const Tensor& labels) {
  const NoGrad no_grad;
  const auto count = static_cast<int64_t>(examples.size());
  check(logits.dim() == 2 && logits.size(0) == count && labels.numel() == count, "metric", count,
        " examples with logits ", logits.shape(), " and labels ", labels.shape());
  loss_ += cross_entropy(logits, labels, {.reduction = Reduction::sum}).item();
  const Tensor best = argmax(logits, -1), truths = contiguous(labels);
  const std::vector<double> probabilities = amax(softmax(logits, -1), -1).to_vector();
  for (size_t i = 0; i < examples.size(); ++i) {
    const int64_t truth = truths.data<int64_t>()[i], predicted = best.data<int64_t>()[i];
    confusion_.add(truth, predicted);
    answers_.push_back({examples[i], truth, predicted, probabilities[i]});
  }
}

Metrics ClassifierScore::metrics(const std::string& loss_name) const {
  return {percent("accuracy", confusion_.accuracy()),
          percent("macro_f1", confusion_.macro_f1()),
          {.name = loss_name, .value = loss_ / static_cast<double>(confusion_.total())}};
}

}  // namespace tarsier::zoo
