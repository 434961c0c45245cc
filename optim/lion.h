#pragma once
// Lion.

#include <utility>
#include <vector>

#include "optimizer.h"

namespace tarsier::optim {

struct LionOptions {
  double lr = 1e-4;
  std::pair<double, double> betas{0.9, 0.99};
  double weight_decay = 0;
  bool maximize = false;
};

/// With g the gradient (maximize: −gradient):
///   w ← (1 − lr·weight_decay)·w − lr·sign(β₁m + (1 − β₁)g)
///   m ← β₂m + (1 − β₂)g
/// All elements move by lr, so lr should be about 3 to 10 times smaller than AdamW's, and
/// weight_decay larger by the same factor. Its state is half as large as Adam's.
/// Throws Error("lion") for no parameters, a repeated parameter, and options that are NaN or out of
/// range (lr, weight_decay ≥ 0; 0 ≤ β < 1).
/// Source: Chen et al. 2023, "Symbolic discovery of optimization algorithms", algorithm 2; options
/// as in https://github.com/google/automl/tree/master/lion (PyTorch has no Lion).
class Lion : public OptimizerWith<LionOptions> {
 public:
  explicit Lion(const TensorDict& parameters, const LionOptions& options = {});
  explicit Lion(const std::vector<ParameterGroup<LionOptions>>& groups);

 protected:
  void check_group(const ParameterGroup<LionOptions>& group) const override;
  std::vector<Memory> memory(const Slot& slot) const override;
  void update(const Slot& slot, const Tensor& grad, int64_t begin, int64_t end) const override;
};

}  // namespace tarsier::optim
