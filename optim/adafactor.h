#pragma once
// Adafactor.

#include <optional>
#include <utility>
#include <vector>

#include "optimizer.h"

namespace tarsier::optim {

struct AdafactorOptions {
  double lr = 1e-2;
  double beta2_decay = -0.8;
  /// The default of the first is the machine epsilon of the parameter's dtype.
  std::pair<std::optional<double>, double> eps{std::nullopt, 1e-3};
  double d = 1;
  double weight_decay = 0;
  bool maximize = false;
};

/// Adam's second moments, stored as one row and one column per matrix. With G the gradient
/// (maximize: −gradient), t the number of steps of this parameter, rms(X) = √mean X² and
/// ρ = t^beta2_decay:
///   α = max(eps₂, rms(W))·min(lr, 1/√t)
///   W ← (1 − lr·weight_decay)·W
///   r ← (1 − ρ)r + ρ·(mean of G² along rows)           (…, n, 1)
///   c ← (1 − ρ)c + ρ·(mean of G² along columns)        (…, 1, m)
///   V = r·c / max(mean r, eps₁)                        (…, n, m), of rank one
///   U = G / √max(V, eps₁²)
///   W ← W − α·U / max(1, rms(U)/d)
/// The last two dimensions are factored. For vectors and scalars, V ← (1 − ρ)V + ρ·G² is stored.
/// Throws Error("adafactor") for no parameters, a repeated parameter, and options that are NaN or
/// out of range (lr, eps, weight_decay ≥ 0; beta2_decay ≤ 0; d ≥ 1).
/// Source: Shazeer & Stern 2018, "Adafactor: adaptive learning rates with sublinear memory cost".
/// As https://pytorch.org/docs/stable/generated/torch.optim.Adafactor.html
class Adafactor : public OptimizerWith<AdafactorOptions, Optimizer> {
 public:
  explicit Adafactor(const TensorDict& parameters, const AdafactorOptions& options = {});
  explicit Adafactor(const std::vector<ParameterGroup<AdafactorOptions>>& groups);

 protected:
  void check_group(const ParameterGroup<AdafactorOptions>& group) const override;
  std::vector<Memory> memory(const Slot& slot) const override;
  void update(const std::vector<Change>& changes) const override;
};

}  // namespace tarsier::optim
