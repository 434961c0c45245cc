#pragma once
// RAdam.

#include <utility>
#include <vector>

#include "optimizer.h"

namespace tarsier::optim {

struct RAdamOptions {
  double lr = 1e-3;
  std::pair<double, double> betas{0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  bool decoupled_weight_decay = false;  ///< as in AdamW
  bool maximize = false;
};

/// Adam that needs no warm-up: while v has seen too few gradients to be trusted, it is left out,
/// and then its steps are made smaller. With g = gradient + weight_decay·w (maximize: −gradient +
/// weight_decay·w) and t the number of steps of this parameter:
///   m ← β₁m + (1 − β₁)g        m̂ = m / (1 − β₁ᵗ)
///   v ← β₂v + (1 − β₂)g²
///   ρ∞ = 2/(1 − β₂) − 1        ρ = ρ∞ − 2t·β₂ᵗ / (1 − β₂ᵗ)
///   r² = (ρ − 4)(ρ − 2)ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)ρ)
///   w ← w − lr·m̂·r·√(1 − β₂ᵗ) / (√v + eps)  where ρ > 5,  otherwise w ← w − lr·m̂
/// With decoupled_weight_decay, g is the gradient alone, and first w ← w − lr·weight_decay·w.
/// Throws Error("radam") for no parameters, a repeated parameter, and options that are NaN or out
/// of range (all ≥ 0, β < 1).
/// Source: Liu et al. 2020, "On the variance of the adaptive learning rate and beyond".
/// As https://pytorch.org/docs/stable/generated/torch.optim.RAdam.html
class RAdam : public OptimizerWith<RAdamOptions> {
 public:
  explicit RAdam(const TensorDict& parameters, const RAdamOptions& options = {});
  explicit RAdam(const std::vector<ParameterGroup<RAdamOptions>>& groups);

 protected:
  void check_group(const ParameterGroup<RAdamOptions>& group) const override;
  std::vector<Memory> memory(const Slot& slot) const override;
  void update(const Slot& slot, const Tensor& grad, int64_t begin, int64_t end) const override;
};

}  // namespace tarsier::optim
