#pragma once
// Adagrad.

#include <vector>

#include "optimizer.h"

namespace tarsier::optim {

struct AdagradOptions {
  double lr = 1e-2;
  double lr_decay = 0;
  double weight_decay = 0;
  double initial_accumulator_value = 0;
  double eps = 1e-10;
  bool maximize = false;
};

/// With g = gradient + weight_decay·w (maximize: −gradient + weight_decay·w) and t = 1, 2, … the
/// number of steps of this parameter:
///   s ← s + g²    (s starts with initial_accumulator_value)
///   w ← w − lr / (1 + (t − 1)·lr_decay) · g / (√s + eps)
/// Throws Error("adagrad") for no parameters, a repeated parameter, and options that are NaN or
/// negative.
/// Source: Duchi, Hazan & Singer 2011.
/// As https://pytorch.org/docs/stable/generated/torch.optim.Adagrad.html
class Adagrad : public OptimizerWith<AdagradOptions> {
 public:
  explicit Adagrad(const TensorDict& parameters, const AdagradOptions& options = {});
  explicit Adagrad(const std::vector<ParameterGroup<AdagradOptions>>& groups);

 protected:
  void check_group(const ParameterGroup<AdagradOptions>& group) const override;
  std::vector<Memory> memory(const Slot& slot) const override;
  void update(const Slot& slot, const Tensor& grad, int64_t begin, int64_t end) const override;
};

}  // namespace tarsier::optim
