#pragma once
// Differential equations dx/dt = v(x, t): solved in steps, and the density that they carry.

#include <functional>

#include "../../autograd/base/random.h"
#include "../../autograd/ops.h"

namespace tarsier::zoo::diffusion {

/// v(x, t): the velocity of each point of a batch (B, …) at one time.
using Field = std::function<Tensor(const Tensor& x, double t)>;

enum class Method {
  euler,  ///< x + h·v(x, t): errors shrink with h
  heun,   ///< by the mean of the velocities at both ends of the step: with h², for twice the work
};

/// x at time `to`, given x at time `from`, in so many steps of equal length. `seen`, if given, gets
/// every x on the way, with its time, the first and the last included.
/// Throws Error("ode") unless steps are positive.
Tensor solved(const Field& field, Tensor x, double from, double to, int64_t steps, Method method,
              const std::function<void(const Tensor& x, double t)>& seen = nullptr);

/// log p₁(x) of points x (B, …) at t = 1, for a field that carries N(0, 1) at t = 0 to p₁: (B), f64.
///
/// Along a path the density changes by d log p/dt = −tr(∂v/∂x) (Chen et al. 2018, "Neural ordinary
/// differential equations"), so that with the path that ends in x, from x₀ at t = 0,
///   log p₁(x) = log N(x₀; 0, 1) − ∫₀¹ tr(∂v/∂x) dt
/// The trace is estimated without bias by eᵀ·(∂v/∂x)·e, with random signs e, for one backward in
/// place of one per number (Hutchinson 1990; Grathwohl et al. 2019, "FFJORD"); a point keeps its e
/// on the whole way. Steps (Heun's) become shorter towards t = 1, where velocities change
/// fastest: t = 1 − (k/steps)². Point b gets the signs of key.stream + b.
/// Throws Error("ode") unless steps are positive.
Tensor log_density(const Field& field, const Tensor& x, int64_t steps, RandomKey key);

}  // namespace tarsier::zoo::diffusion
