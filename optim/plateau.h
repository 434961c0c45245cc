#pragma once
// A learning rate that is lowered when the loss stops falling.

#include <cstdint>
#include <string>

#include "../autograd/tensor/tensor_dict.h"

namespace tarsier::optim {

struct PlateauOptions {
  double lr = 1e-3;          ///< at the beginning
  std::string mode = "min";  ///< "min": the metric should fall; "max": it should rise
  double factor = 0.1;
  int64_t patience = 10;
  double threshold = 1e-4;
  std::string threshold_mode = "rel";  ///< or "abs"
  int64_t cooldown = 0;
  double min_lr = 0;
  double eps = 1e-8;
};

/// Multiplies the learning rate by `factor` after more than `patience` metrics in a row that were
/// not better than the best one. Then it ignores `cooldown` metrics before it counts again. In mode
/// "min", better means
///   metric < best − threshold·|best|        with threshold_mode "rel"
///   metric < best − threshold               with threshold_mode "abs"
/// NaN is never better. The rate does not fall below min_lr, nor by eps or less.
/// PyTorch compares with best·(1 − threshold), which is on the wrong side of a negative best: a
/// metric that stays at −1, or gets slightly worse at every step, counts as better forever.
///   optimizer.set_lr(plateau.step(validation_loss));
/// For groups with different rates, with lr = 1:  optimizer.scale_lr(plateau.step(…)).
/// As https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html,
/// for one learning rate.
class ReduceLROnPlateau {
 public:
  /// Throws Error("plateau") for options that are NaN or out of range: lr, patience, threshold,
  /// cooldown, min_lr, eps ≥ 0; 0 ≤ factor < 1; modes as above.
  explicit ReduceLROnPlateau(PlateauOptions options);

  /// Takes the next metric and returns the new learning rate.
  double step(double metric);
  double lr() const { return lr_; }

  /// "lr", "best", "num_bad_epochs" and "cooldown_counter", all scalars.
  TensorDict state_dict() const;
  /// Restores such a state. Throws Error("plateau") if an entry is missing, has another dtype or is
  /// out of range; then nothing changes.
  void load_state_dict(const TensorDict& state);

 private:
  bool is_better(double metric) const;

  PlateauOptions options_;
  double lr_, best_;
  int64_t num_bad_epochs_ = 0, cooldown_counter_ = 0;
};

}  // namespace tarsier::optim
