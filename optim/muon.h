#pragma once
// Muon.

#include <array>
#include <string>
#include <vector>

#include "optimizer.h"

namespace tarsier::optim {

struct MuonOptions {
  double lr = 1e-3;
  double weight_decay = 0.1;
  double momentum = 0.95;
  bool nesterov = true;
  std::array<double, 3> ns_coefficients{3.4445, -4.7750, 2.0315};
  double eps = 1e-7;
  int64_t ns_steps = 5;
  std::string adjust_lr_fn = "original";
};

/// For weights that are matrices (n, m): momentum steps whose singular values are all brought close
/// to 1, so that rare directions move as much as frequent ones. With G the gradient:
///   B ← momentum·B + (1 − momentum)·G
///   M = nesterov ? momentum·B + (1 − momentum)·G : B
///   W ← (1 − lr·weight_decay)·W − lr·ratio·orthogonalize(M)
/// ratio is, by adjust_lr_fn:
///   "original"            √max(1, n/m)
///   "match_rms_adamw"     0.2·√max(n, m): steps as large as AdamW's, so its lr and decay fit
///   "spectral_unclamped"  √(n/m)
/// orthogonalize(M) is ns_steps times
///   X ← aX + (b·A + c·A²)X,   A = XXᵀ,   from X = M / max(‖M‖, eps),  (a, b, c) = ns_coefficients
/// (of Mᵀ if n > m): an odd polynomial of the singular values, which maps (0, 1] close to 1.
/// It is computed in the parameter's dtype; PyTorch rounds to bfloat16 there.
/// Train biases, gains and embeddings with another optimiser, such as AdamW.
/// Throws Error("muon") for parameters that are not matrices, no parameters, a repeated parameter,
/// options that are NaN or out of range (lr, weight_decay, eps ≥ 0; 0 ≤ momentum < 1;
/// 0 ≤ ns_steps < 100), and an unknown adjust_lr_fn.
/// Source: Jordan 2024, https://kellerjordan.github.io/posts/muon.
/// As https://pytorch.org/docs/stable/generated/torch.optim.Muon.html
class Muon : public OptimizerWith<MuonOptions, Optimizer> {
 public:
  explicit Muon(const TensorDict& parameters, const MuonOptions& options = {});
  explicit Muon(const std::vector<ParameterGroup<MuonOptions>>& groups);

 protected:
  void check_group(const ParameterGroup<MuonOptions>& group) const override;
  std::vector<Memory> memory(const Slot& slot) const override;
  void update(const std::vector<Change>& changes) const override;
};

}  // namespace tarsier::optim
