#pragma once
// NAdam.

#include <utility>
#include <vector>

#include "optimizer.h"

namespace tarsier::optim {

struct NAdamOptions {
  double lr = 2e-3;
  std::pair<double, double> betas{0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum_decay = 4e-3;
  bool decoupled_weight_decay = false;  ///< as in AdamW
  bool maximize = false;
};

/// Adam with Nesterov's momentum: a step uses the average that the next step will have. With
/// g = gradient + weight_decay·w (maximize: −gradient + weight_decay·w), t the number of steps of
/// this parameter and ψ = momentum_decay:
///   μₜ = β₁·(1 − ½·0.96^{tψ})      M = μ₁ · … · μₜ
///   m ← β₁m + (1 − β₁)g
///   v ← β₂v + (1 − β₂)g²       v̂ = v / (1 − β₂ᵗ)
///   w ← w − lr·(μₜ₊₁·m / (1 − M·μₜ₊₁) + (1 − μₜ)·g / (1 − M)) / (√v̂ + eps)
/// With decoupled_weight_decay, g is the gradient alone, and first w ← w − lr·weight_decay·w.
/// Throws Error("nadam") for no parameters, a repeated parameter, and options that are NaN or out
/// of range (all ≥ 0, β < 1).
/// Source: Dozat 2016, "Incorporating Nesterov momentum into Adam".
/// As https://pytorch.org/docs/stable/generated/torch.optim.NAdam.html
class NAdam : public OptimizerWith<NAdamOptions> {
 public:
  explicit NAdam(const TensorDict& parameters, const NAdamOptions& options = {});
  explicit NAdam(const std::vector<ParameterGroup<NAdamOptions>>& groups);

 protected:
  void check_group(const ParameterGroup<NAdamOptions>& group) const override;
  std::vector<Memory> memory(const Slot& slot) const override;
  void begin_step(const Slot& slot) const override;
  void update(const Slot& slot, const Tensor& grad, int64_t begin, int64_t end) const override;
};

}  // namespace tarsier::optim
