#include "zoo/gpt/generate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tarsier::zoo::gpt {

int64_t sample_index(const std::vector<double>& logits, const Sampling& sampling, double u) {
  check(!logits.empty(), "generate", "there are no logits to choose from");
  for (double logit : logits)
    check(std::isfinite(logit), "generate", "the model gives ", logit,
          " instead of a probability: its weights are damaged, or training diverged");

  if (sampling.temperature == 0) return std::ranges::max_element(logits) - logits.begin();

  std::vector<int64_t> order(logits.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto logit = [&](int64_t i) { return logits[static_cast<size_t>(i)]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return logit(a) > logit(b); });
  if (sampling.top_k > 0 && sampling.top_k < static_cast<int64_t>(order.size()))
    order.resize(static_cast<size_t>(sampling.top_k));
  // Weights relative to the likeliest, so that exp cannot overflow.
  std::vector<double> weight;
  for (int64_t i : order)
    weight.push_back(std::exp((logit(i) - logit(order[0])) / sampling.temperature));
  double total = std::accumulate(weight.begin(), weight.end(), 0.0);
  if (sampling.top_p < 1) {
    size_t kept = 0;
    double sum = 0;
    while (kept < weight.size() && (kept == 0 || sum < sampling.top_p * total))
      sum += weight[kept++];
    weight.resize(kept);
    total = sum;
  }
  double left = u * total;
  for (size_t i = 0; i < weight.size(); ++i) {
    left -= weight[i];
    if (left < 0) return order[i];
  }
  return order[weight.size() - 1];  // u·total was rounded up to total
}

void generate(Gpt& model, const std::vector<int32_t>& prompt, int64_t count,
              const Sampling& sampling, const std::function<void(int32_t)>& emit) {
  check(!prompt.empty(), "generate", "the prompt is empty: give at least one token");
  NoGrad no_grad;
  const bool was_training = model.is_training();
  model.eval();
  std::vector<int64_t> context(prompt.begin(), prompt.end());
  Cache cache;
  size_t cached = 0;
  for (int64_t i = 0; i < count; ++i) {
    const auto size = static_cast<int64_t>(context.size());
    Tensor logits;
    if (model.config.is_relative() || size <= model.config.block_size) {
      const std::vector<int64_t> added(context.begin() + static_cast<int64_t>(cached),
                                       context.end());
      logits =
          model.next_logits(from_vector(added, {1, static_cast<int64_t>(added.size())}), cache);
      cached = context.size();
    } else {
      // The window moves on: every token gets another position, so everything is recomputed.
      context.erase(context.begin(), context.end() - model.config.block_size);
      logits = model.next_logits(from_vector(context, {1, model.config.block_size}));
    }
    const double u = uniform<double>({sampling.seed, 0}, static_cast<uint64_t>(i));
    const int64_t next = sample_index(logits.to_vector(), sampling, u);
    context.push_back(next);
    emit(static_cast<int32_t>(next));
  }
  model.train(was_training);
}

}  // namespace tarsier::zoo::gpt
