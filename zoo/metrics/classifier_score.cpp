#include "zoo/metrics/classifier_score.h"

#include "autograd/autograd.h"

namespace tarsier::zoo {

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
  const auto percent = [](const std::string& name, double share) {
    return Metric{
        .name = name, .value = 100 * share, .digits = 2, .unit = "%", .higher_is_better = true};
  };
  return {percent("accuracy", confusion_.accuracy()),
          percent("macro_f1", confusion_.macro_f1()),
          {.name = loss_name, .value = loss_ / static_cast<double>(confusion_.total())}};
}

}  // namespace tarsier::zoo
