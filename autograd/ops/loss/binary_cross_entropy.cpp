// Binary cross-entropy of probabilities.
// Source: https://pytorch.org/docs/stable/generated/torch.nn.BCELoss.html
#include "autograd/ops/loss/checks.h"

namespace tarsier {

namespace {

/// PyTorch's guard against 0 / 0, a float there.
constexpr double kEpsilon = 1e-12f;

/// max(log x, −100), with the slope 0 where x = 0 (that of log is infinite, and ∞ · 0 is NaN).
Tensor log_above_minus_100(const Tensor& x) {
  const Tensor zero = x == 0;
  return where(zero, -100, clamp(log(where(zero, 1, x)), -100));
}

/// y = −(t · log p + (1 − t) · log(1 − p)), logarithms no less than −100.
///   dp = dy · (p − t) / max(p(1 − p), 10⁻¹²), dt = dy · (log(1 − p) − log p)     saved: p, t
Tensor binary_cross_entropy_elements(const Arg& input, const Arg& target) {
  const Tensor y = no_grad([&] {
    return -(target * log_above_minus_100(input) + (1 - target) * log_above_minus_100(1 - input));
  });
  return record("binary_cross_entropy", {input, target}, y, Save{input, target},
                [](const Saved& saved, const Tensor& dy) -> Grads {
                  const Tensor p = saved[0], t = saved[1];
                  Grads grads(2);
                  if (saved.needs(0)) grads[0] = dy * (p - t) / clamp(p * (1 - p), kEpsilon);
                  if (saved.needs(1))
                    grads[1] = dy * (log_above_minus_100(1 - p) - log_above_minus_100(p));
                  return grads;
                });
}

}  // namespace

/// −w · (t · log p + (1 − t) · log(1 − p)) for probabilities p = input, with both logarithms no
/// less than −100. target (…) as input, usually in [0, 1]; weight broadcasts to it, or is
/// undefined.
///   dp = dy · w · (p − t) / max(p(1 − p), 10⁻¹²)
/// Throws if an element of input is not in [0, 1].
/// As https://pytorch.org/docs/stable/generated/torch.nn.BCELoss.html
Tensor binary_cross_entropy(const Arg& input, const Arg& target, const Tensor& weight,
                            Reduction reduction) {
  const char* op = "binary_cross_entropy";
  detail::check_alike(op, "input", input, "target", target);
  detail::check_weight(op, "weight", weight, input);
  const std::vector<double> p = input.to_vector();
  for (size_t i = 0; i < p.size(); ++i)
    check(p[i] >= 0 && p[i] <= 1, op, "input ", i, " is ", p[i],
          ", which is not a probability: apply sigmoid, or use binary_cross_entropy_with_logits");
  const Tensor loss = binary_cross_entropy_elements(input, target);
  return detail::reduce(weight.defined() ? loss * weight : loss, reduction);
}

}  // namespace tarsier
