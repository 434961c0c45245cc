#pragma once
// RMSprop.

#include <vector>

#include "optimizer.h"

namespace tarsier::optim {

struct RMSpropOptions {
  double lr = 1e-2;
  double alpha = 0.99;
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum = 0;
  bool centered = false;
  bool maximize = false;
};

/// With g = gradient + weight_decay·w (maximize: −gradient + weight_decay·w):
///   v ← αv + (1 − α)g²
///   a ← αa + (1 − α)g              with centered; otherwise a = 0
///   u = g / (√(v − a²) + eps)
///   b ← momentum·b + u,  w ← w − lr·b;  without momentum w ← w − lr·u
/// v − a² is a variance. If rounding makes it negative it counts as 0; PyTorch gets NaN there.
/// Throws Error("rmsprop") for no parameters, a repeated parameter, and options that are NaN or out
/// of range (all ≥ 0, alpha < 1).
/// Sources: Hinton 2012, lecture 6e of "Neural networks for machine learning"; Graves 2013
/// (centered). As https://pytorch.org/docs/stable/generated/torch.optim.RMSprop.html
class RMSprop : public OptimizerWith<RMSpropOptions> {
 public:
  explicit RMSprop(const TensorDict& parameters, const RMSpropOptions& options = {});
  explicit RMSprop(const std::vector<ParameterGroup<RMSpropOptions>>& groups);

 protected:
  void check_group(const ParameterGroup<RMSpropOptions>& group) const override;
  std::vector<Memory> memory(const Slot& slot) const override;
  void update(const Slot& slot, const Tensor& grad, int64_t begin, int64_t end) const override;
};

}  // namespace tarsier::optim
