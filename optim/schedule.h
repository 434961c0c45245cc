#pragma once
// Learning rates as functions of the step. In the training loop:
//   optimizer.set_lr(schedule(step));

#include <cstdint>
#include <functional>

namespace tarsier::optim {

/// The learning rate of step 0, 1, 2, …
using Schedule = std::function<double(int64_t step)>;

/// Always `lr`.
Schedule constant(double lr);

struct WarmupCosineOptions {
  double lr = 1e-3;   ///< the highest
  double min_lr = 0;  ///< from decay_steps on
  int64_t warmup_steps = 0;
  int64_t decay_steps = 1;  ///< counted from step 0, so it includes the warm-up
};
/// Linear warm-up, then half a cosine down to min_lr:
///   lr·(step + 1) / (warmup_steps + 1)                        step < warmup_steps
///   min_lr + ½(1 + cos πr)(lr − min_lr)                       up to decay_steps
///   min_lr                                                    afterwards
/// with r = (step − warmup_steps) / (decay_steps − warmup_steps).
/// Throws Error("warmup_cosine") unless 0 ≤ min_lr ≤ lr and 0 ≤ warmup_steps < decay_steps.
/// Source: Loshchilov & Hutter 2017; get_lr of https://github.com/karpathy/nanoGPT.
Schedule warmup_cosine(const WarmupCosineOptions& options);

/// d_model^−½ · min(t^−½, t·warmup_steps^−3/2) with t = step + 1: up linearly, then down with the
/// root. Throws Error("inverse_square_root") unless both are positive.
/// Source: Vaswani et al. 2017, section 5.3.
Schedule inverse_square_root(int64_t d_model, int64_t warmup_steps, double factor = 1);

}  // namespace tarsier::optim
