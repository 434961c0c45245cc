#pragma once
// Learning rates as functions of the step. In the training loop:
//   optimizer.set_lr(schedule(step));
// or, for parameter groups with rates of their own, with a schedule whose lr is 1:
//   optimizer.scale_lr(schedule(step));
// Step 0 is the first. What PyTorch changes from step to step stands here as a closed formula, so a
// resumed run needs nothing but its step. All throw Error(name) for arguments that are NaN or out
// of range, and where they are asked for a negative step. For rates that follow a measured loss see
// plateau.h.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tarsier::optim {

/// The learning rate of step t = 0, 1, 2, …
using Schedule = std::function<double(int64_t step)>;

// ------------------------------------------------------------------- as torch.optim.lr_scheduler
// `lr` is the optimiser's own there.

/// Always `lr`.
Schedule constant(double lr);

/// lr·factor for t < total_iters, then lr. 0 ≤ factor ≤ 1, total_iters ≥ 0. As ConstantLR, but for
/// two ends: with total_iters = 0 PyTorch stays at lr·factor for ever, and with factor = 0 it
/// divides by zero at total_iters.
Schedule constant_lr(double lr, double factor = 1.0 / 3, int64_t total_iters = 5);

/// lr·(start_factor + (end_factor − start_factor)·min(t / total_iters, 1)).
/// 0 < start_factor ≤ 1, 0 ≤ end_factor ≤ 1, total_iters > 0. As LinearLR.
Schedule linear_lr(double lr, double start_factor = 1.0 / 3, double end_factor = 1,
                   int64_t total_iters = 5);

/// lr·gamma^⌊t / step_size⌋. step_size > 0, gamma ≥ 0. As StepLR.
Schedule step_lr(double lr, int64_t step_size, double gamma = 0.1);

/// lr·gammaᵏ where k milestones are ≤ t; one that is given twice counts twice. gamma ≥ 0, no
/// milestone is negative. As MultiStepLR.
Schedule multi_step_lr(double lr, std::vector<int64_t> milestones, double gamma = 0.1);

/// lr·gammaᵗ. gamma ≥ 0. As ExponentialLR.
Schedule exponential_lr(double lr, double gamma);

/// eta_min + ½(lr − eta_min)(1 + cos(π t / T_max)): down to eta_min at T_max, up again afterwards.
/// T_max > 0, eta_min ≥ 0. As CosineAnnealingLR; Loshchilov & Hutter 2017.
Schedule cosine_annealing_lr(double lr, int64_t T_max, double eta_min = 0);

/// Falls as a cosine from lr towards eta_min, in periods of T_0, T_0·T_mult, T_0·T_mult², … steps:
///   eta_min + ½(lr − eta_min)(1 + cos(π s / T)),   s the step in its period, T the period's length
/// T_0 > 0, T_mult ≥ 1, eta_min ≥ 0. As CosineAnnealingWarmRestarts; Loshchilov & Hutter 2017.
Schedule cosine_annealing_warm_restarts(double lr, int64_t T_0, int64_t T_mult = 1,
                                        double eta_min = 0);

struct OneCycleOptions {
  double max_lr = 1e-2;
  int64_t total_steps = 0;
  double pct_start = 0.3;               ///< the part of all steps in which the rate rises
  std::string anneal_strategy = "cos";  ///< or "linear"
  double div_factor = 25;
  double final_div_factor = 1e4;
  bool three_phase = false;
};
/// From initial = max_lr / div_factor up to max_lr at step pct_start·total_steps − 1, then down to
/// initial / final_div_factor at total_steps − 1; with three_phase first down to initial, as long
/// as it went up, then to the last. Each way is half a cosine or a straight line. The last rate
/// stays (PyTorch's turns back at step total_steps, with straight lines to below 0, and throws at
/// the next). Momentum is left alone: cycle_momentum = False in PyTorch.
/// max_lr ≥ 0, total_steps > 0, 0 ≤ pct_start ≤ 1 (three_phase: ≤ ½), div_factor > 0,
/// final_div_factor > 0. As OneCycleLR; Smith & Topin 2018, "Super-convergence".
Schedule one_cycle_lr(const OneCycleOptions& options);

/// lr·Π factorᵢ(t), factors being schedules whose lr is 1:
///   chained(0.1, {linear_lr(1, 0.1, 1, 20), exponential_lr(1, 0.99)})
/// Throws Error("chained") for no factors. As ChainedScheduler for schedules that multiply the rate
/// from step to step. PyTorch's others set or add to it, and its chain is no product: with
/// cosine_annealing_lr it is one up to T_max and for eta_min = 0 only; with
/// cosine_annealing_warm_restarts, one_cycle_lr and LambdaLR (inverse_square_root) all that came
/// before in the chain is overwritten at every step.
Schedule chained(double lr, std::vector<Schedule> factors);

/// One schedule after another: schedules[i] begins at milestones[i − 1], with its own step 0.
///   sequential({linear_lr(0.1, 0.01, 1, 20), cosine_annealing_lr(0.1, 80)}, {20})
/// Throws Error("sequential") unless there is one milestone less than there are schedules, and the
/// milestones are positive and rise. As SequentialLR.
Schedule sequential(std::vector<Schedule> schedules, std::vector<int64_t> milestones);

// ----------------------------------------------------------------------------- for Transformers

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
/// 0 ≤ min_lr ≤ lr and 0 ≤ warmup_steps < decay_steps.
/// Source: Loshchilov & Hutter 2017; get_lr of https://github.com/karpathy/nanoGPT.
Schedule warmup_cosine(const WarmupCosineOptions& options);

/// factor·d_model^−½ · min(t^−½, t·warmup_steps^−3/2) with t = step + 1: up linearly, then down
/// with the root. Often named after Noam Shazeer. All must be positive (factor may be 0).
/// Source: Vaswani et al. 2017, section 5.3.
Schedule inverse_square_root(int64_t d_model, int64_t warmup_steps, double factor = 1);

}  // namespace tarsier::optim
