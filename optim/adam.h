#pragma once
// Adam and AdamW.

#include <utility>
#include <vector>

#include "optimizer.h"

namespace tarsier::optim {

struct AdamOptions {
  double lr = 1e-3;
  std::pair<double, double> betas{0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  bool amsgrad = false;
  bool maximize = false;
};

struct AdamWOptions {
  double lr = 1e-3;
  std::pair<double, double> betas{0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 1e-2;
  bool amsgrad = false;
  bool maximize = false;
};

/// With g = gradient + weight_decay·w (maximize: −gradient + weight_decay·w) and t the number of
/// steps of this parameter:
///   m ← β₁m + (1 − β₁)g        m̂ = m / (1 − β₁ᵗ)
///   v ← β₂v + (1 − β₂)g²       v̂ = v / (1 − β₂ᵗ)
///   w ← w − lr·m̂ / (√v̂ + eps)
/// AMSGrad (option amsgrad) keeps v_max ← max(v_max, v) and uses v̂ = v_max / (1 − β₂ᵗ).
/// Throws Error("adam") for no parameters, a repeated parameter, and options that are NaN or out of
/// range (lr, eps, weight_decay ≥ 0; 0 ≤ β < 1).
/// Sources: Kingma & Ba 2015; Reddi, Kale & Kumar 2018 (AMSGrad).
/// As https://pytorch.org/docs/stable/generated/torch.optim.Adam.html
class Adam : public OptimizerWith<AdamOptions> {
 public:
  explicit Adam(const TensorDict& parameters, const AdamOptions& options = {});
  explicit Adam(const std::vector<ParameterGroup<AdamOptions>>& groups);

 protected:
  /// `decoupled`: weight decay as in AdamW.
  Adam(const char* tag, const std::vector<ParameterGroup<AdamOptions>>& groups, bool decoupled);
  void check_group(const ParameterGroup<AdamOptions>& group) const override;
  std::vector<Memory> memory(const Slot& slot) const override;
  void update(const Slot& slot, const Tensor& grad, int64_t begin, int64_t end) const override;

 private:
  bool decoupled_;
};

/// Adam with weight decay that does not enter the moments: first w ← w − lr·weight_decay·w, then a
/// step of Adam without decay. Throws Error("adamw") in the same cases as Adam.
/// Source: Loshchilov & Hutter 2019, "Decoupled weight decay regularization".
/// As https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html
class AdamW : public Adam {
 public:
  explicit AdamW(const TensorDict& parameters, const AdamWOptions& options = {});
  explicit AdamW(const std::vector<ParameterGroup<AdamWOptions>>& groups);
  void add_param_group(const ParameterGroup<AdamWOptions>& group);
  void add_param_group(const TensorDict& parameters) { Adam::add_param_group(parameters); }
};

}  // namespace tarsier::optim
