#include "zoo/gpt/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "autograd/base/error.h"

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

void SamplingOptions::add_to(Settings& options, const std::string& what) {
  options.add("temperature", sampling.temperature,
              "below 1: safer, above 1: bolder; 0: always the likeliest", 0, 1000);
  options.add("top-k", sampling.top_k, "choose among the K likeliest only; 0: among all", 0,
              std::numeric_limits<int64_t>::max());
  options.add("top-p", sampling.top_p,
              "choose among the likeliest that together have this probability", 0, 1);
  options.add("seed", seed, "seed of the choices: the same seed writes the same " + what, 0,
              std::numeric_limits<int64_t>::max());
}

Sampling SamplingOptions::chosen() const {
  Sampling chosen = sampling;
  chosen.seed = static_cast<uint64_t>(seed);
  return chosen;
}

}  // namespace tarsier::zoo::gpt
