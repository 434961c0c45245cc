#pragma once
// Stochastic gradient descent.

#include <vector>

#include "optimizer.h"

namespace tarsier::optim {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
  bool maximize = false;
};

/// With g = gradient + weight_decay·w (maximize: −gradient + weight_decay·w):
///   b ← momentum·b + (1 − dampening)·g    (b ← g in the first step)
///   w ← w − lr·b,  or with nesterov  w ← w − lr·(g + momentum·b)
/// Without momentum w ← w − lr·g, and there is no state.
/// Throws Error("sgd") for no parameters, a repeated parameter, options that are NaN or negative,
/// and nesterov without momentum or with dampening.
/// Sources: Robbins & Monro 1951; Polyak 1964; Nesterov 1983 in the form of Sutskever et al. 2013.
/// As https://pytorch.org/docs/stable/generated/torch.optim.SGD.html
class SGD : public OptimizerWith<SGDOptions> {
 public:
  explicit SGD(const TensorDict& parameters, const SGDOptions& options = {});
  explicit SGD(const std::vector<ParameterGroup<SGDOptions>>& groups);

 protected:
  void check_group(const ParameterGroup<SGDOptions>& group) const override;
  std::vector<Memory> memory(const Slot& slot) const override;
  void update(const Slot& slot, const Tensor& grad, int64_t begin, int64_t end) const override;
};

}  // namespace tarsier::optim
