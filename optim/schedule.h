#pragma once
// Learning rates as functions of the step. In the training loop:
//   optimizer.set_lr(schedule(step));
// or, for parameter groups with different rates, with a schedule whose lr is 1:
//   optimizer.scale_lr(schedule(step));
// The first step is 0. PyTorch updates its rates from step to step. These are closed formulas, so a
// resumed run needs only its step. All throw Error(name) for arguments that are NaN or out of
// range, and for a negative step. For rates that depend on a measured loss, see plateau.h.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tarsier::optim {

/// The learning rate of step t = 0, 1, 2, …
using Schedule = std::function<double(int64_t step)>;

// ------------------------------------------------------------------- as torch.optim.lr_scheduler
// There, `lr` is the rate of the optimiser.

/// Always `lr`.
Schedule constant(double lr);

/// lr·factor for t < total_iters, then lr. 0 ≤ factor ≤ 1, total_iters ≥ 0. As ConstantLR, except
/// for two edge cases: with total_iters = 0 PyTorch stays at lr·factor forever, and with factor = 0
/// it divides by zero at total_iters.
Schedule constant_lr(double lr, double factor = 1.0 / 3, int64_t total_iters = 5);

/// lr·(start_factor + (end_factor − start_factor)·min(t / total_iters, 1)).
/// 0 < start_factor ≤ 1, 0 ≤ end_factor ≤ 1, total_iters > 0. As LinearLR.
Schedule linear_lr(double lr, double start_factor = 1.0 / 3, double end_factor = 1,
                   int64_t total_iters = 5);

/// lr·gamma^⌊t / step_size⌋. step_size > 0, gamma ≥ 0. As StepLR.
Schedule step_lr(double lr, int64_t step_size, double gamma = 0.1);

/// lr·gammaᵏ, where k is the number of milestones ≤ t, with repetitions. gamma ≥ 0, no milestone is
/// negative. As MultiStepLR.
Schedule multi_step_lr(double lr, std::vector<int64_t> milestones, double gamma = 0.1);

/// lr·gammaᵗ. gamma ≥ 0. As ExponentialLR.
Schedule exponential_lr(double lr, double gamma);

/// eta_min + ½(lr − eta_min)(1 + cos(π t / T_max)): falls to eta_min at T_max, then rises again.
/// T_max > 0, eta_min ≥ 0. As CosineAnnealingLR; Loshchilov & Hutter 2017.
Schedule cosine_annealing_lr(double lr, int64_t T_max, double eta_min = 0);

/// Half a cosine from lr towards eta_min, in periods of T_0, T_0·T_mult, T_0·T_mult², … steps:
///   eta_min + ½(lr − eta_min)(1 + cos(π s / T)),   s the step in its period, T the period's length
/// T_0 > 0, T_mult ≥ 1, eta_min ≥ 0. As CosineAnnealingWarmRestarts; Loshchilov & Hutter 2017.
Schedule cosine_annealing_warm_restarts(double lr, int64_t T_0, int64_t T_mult = 1,
                                        double eta_min = 0);

struct OneCycleOptions {
  double max_lr = 1e-2;
  int64_t total_steps = 0;
  double pct_start = 0.3;               ///< the fraction of the steps in which the rate rises
  std::string anneal_strategy = "cos";  ///< or "linear"
  double div_factor = 25;
  double final_div_factor = 1e4;
  bool three_phase = false;
};
/// Rises from initial = max_lr / div_factor to max_lr at step pct_start·total_steps − 1, then falls
/// to initial / final_div_factor at total_steps − 1. With three_phase it first falls to initial, in
/// as many steps as it rose, then to the final rate. Each phase is half a cosine or a straight
/// line. Afterwards the final rate stays. (PyTorch's rate rises again at step total_steps, or with
/// straight lines falls below 0, and the next step throws.) Momentum does not change, as with
/// cycle_momentum = False in PyTorch.
/// max_lr ≥ 0, total_steps > 0, 0 ≤ pct_start ≤ 1 (three_phase: ≤ ½), div_factor > 0,
/// final_div_factor > 0. As OneCycleLR; Smith & Topin 2018, "Super-convergence".
Schedule one_cycle_lr(const OneCycleOptions& options);

/// lr·Π factorᵢ(t), where the factors are schedules whose lr is 1:
///   chained(0.1, {linear_lr(1, 0.1, 1, 20), exponential_lr(1, 0.99)})
/// Throws Error("chained") for no factors. As ChainedScheduler for schedules that multiply the rate
/// from step to step. PyTorch's other schedules set the rate or add to it, so its chain is not a
/// product: with cosine_annealing_lr it is one only up to T_max and for eta_min = 0, and
/// cosine_annealing_warm_restarts, one_cycle_lr and LambdaLR (inverse_square_root) overwrite the
/// schedules before them in the chain.
Schedule chained(double lr, std::vector<Schedule> factors);

/// One schedule after another: schedules[i] starts at milestones[i − 1], with its step 0.
///   sequential({linear_lr(0.1, 0.01, 1, 20), cosine_annealing_lr(0.1, 80)}, {20})
/// Throws Error("sequential") unless there is one milestone less than schedules, and the milestones
/// are positive and increasing. As SequentialLR.
Schedule sequential(std::vector<Schedule> schedules, std::vector<int64_t> milestones);

// ----------------------------------------------------------------------------- for Transformers

// The first four rise in a straight line for warmup_steps: lr·(step + 1) / (warmup_steps + 1).

struct WarmupOptions {
  double lr = 1e-3;   ///< the highest
  double min_lr = 0;  ///< from decay_steps on
  int64_t warmup_steps = 0;
  int64_t decay_steps = 1;  ///< from step 0, so it includes the warm-up
};
/// Warm-up, then half a cosine down to min_lr at decay_steps, which stays:
///   min_lr + ½(1 + cos πr)(lr − min_lr),   r = (step − warmup_steps) / (decay_steps − warmup_steps)
/// 0 ≤ min_lr ≤ lr and 0 ≤ warmup_steps < decay_steps.
/// Source: Loshchilov & Hutter 2017; get_lr of https://github.com/karpathy/nanoGPT.
Schedule warmup_cosine(const WarmupOptions& options);

/// Warm-up, then a straight line down to min_lr: lr + (min_lr − lr)·r, r as above. With min_lr = 0
/// as get_linear_schedule_with_warmup in transformers, whose warm-up begins at 0.
Schedule warmup_linear(const WarmupOptions& options);

/// Warm-up, then lr·√((warmup_steps + 1) / (step + 1)): down with the root, without an end.
/// lr ≥ 0, warmup_steps ≥ 0. Source: Vaswani et al. 2017, section 5.3.
Schedule warmup_inverse_square_root(double lr, int64_t warmup_steps);

/// Warm-up, then lr. lr ≥ 0, warmup_steps ≥ 0.
Schedule warmup_constant(double lr, int64_t warmup_steps);

/// factor·d_model^−½ · min(t^−½, t·warmup_steps^−3/2) with t = step + 1: a linear warm-up, then a
/// decay with the inverse square root. Also known as the Noam schedule. d_model and warmup_steps
/// must be positive, factor ≥ 0.
/// Source: Vaswani et al. 2017, section 5.3.
Schedule inverse_square_root(int64_t d_model, int64_t warmup_steps, double factor = 1);

}  // namespace tarsier::optim
