#include "zoo/summarize/copying.h"

#include "zoo/data/tokenizer.h"

namespace tarsier::zoo::summarize {

namespace {

/// The logarithm of what cannot happen. Finite, because the gradient of logaddexp(−∞, −∞) is NaN.
constexpr double kImpossible = -1e9;

/// The ids one place to the right; kPad at the beginning, which is equal to no word.
Tensor shifted(const Tensor& ids) {
  const Tensor first = full_like(slice(ids, 1, 0, 1), kPad);
  return cat({first, slice(ids, 1, 0, ids.size(1) - 1)}, 1);
}

}  // namespace

std::vector<Tensor> phrase_evidence(const Tensor& source, const Tensor& target) {
  // (B, T, S): whether the places hold the words
  const auto equal = [](const Tensor& places, const Tensor& words) {
    return unsqueeze(places, 1) == unsqueeze(words, 2) && unsqueeze(words, 2) != kPad;
  };
  const Tensor before = shifted(source), last = shifted(target);
  const Tensor one = equal(before, target), two = one && equal(shifted(before), last);
  const Tensor written = cumsum(to(equal(source, target), f32), 1) > 0.0;
  return {to(one, f32), to(two, f32), to(written, f32)};
}

Tensor log_copied(const Tensor& log_attention, const Tensor& source, const Tensor& next) {
  const Tensor differs = unsqueeze(source, 1) != unsqueeze(next, 2);  // (B, T, S)
  return logsumexp(masked_fill(log_attention, differs, kImpossible), {-1});
}

Tensor log_mixture(const Tensor& gate_logit, const Tensor& log_generated,
                   const Tensor& log_copied) {
  return logaddexp(logsigmoid(gate_logit) + log_generated, logsigmoid(-gate_logit) + log_copied);
}

Tensor distribution(const Tensor& gate_logit, const Tensor& logits, const Tensor& log_attention,
                    const Tensor& source, int64_t size) {
  const Tensor u = unsqueeze(gate_logit, 1);
  const Tensor generated = pad(sigmoid(u) * softmax(logits, -1), {0, size - logits.size(1)});
  // Not 1 − σ(u), which is 0 for large u.
  return scatter_add(generated, 1, source, sigmoid(-u) * exp(log_attention));
}

Tensor coverage(const Tensor& attention) {
  const Tensor before = cumsum(attention, 1) - attention;
  return sum(minimum(attention, before), {-1});
}

}  // namespace tarsier::zoo::summarize
