#pragma once
// Adadelta.

#include <vector>

#include "optimizer.h"

namespace tarsier::optim {

struct AdadeltaOptions {
  double lr = 1;
  double rho = 0.9;
  double eps = 1e-6;
  double weight_decay = 0;
  bool maximize = false;
};

/// Steps of the size of recent steps, whatever the size of the gradients. With
/// g = gradient + weight_decay·w (maximize: −gradient + weight_decay·w):
///   v ← ρv + (1 − ρ)g²
///   δ = √(a + eps) / √(v + eps) · g
///   a ← ρa + (1 − ρ)δ²
///   w ← w − lr·δ
/// Throws Error("adadelta") for no parameters, a repeated parameter, and options that are NaN or
/// out of range (all ≥ 0, rho ≤ 1).
/// Source: Zeiler 2012, "ADADELTA: an adaptive learning rate method".
/// As https://pytorch.org/docs/stable/generated/torch.optim.Adadelta.html
class Adadelta : public OptimizerWith<AdadeltaOptions> {
 public:
  explicit Adadelta(const TensorDict& parameters, const AdadeltaOptions& options = {});
  explicit Adadelta(const std::vector<ParameterGroup<AdadeltaOptions>>& groups);

 protected:
  void check_group(const ParameterGroup<AdadeltaOptions>& group) const override;
  std::vector<Memory> memory(const Slot& slot) const override;
  void update(const Slot& slot, const Tensor& grad, int64_t begin, int64_t end) const override;
};

}  // namespace tarsier::optim
