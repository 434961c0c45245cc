#include "zoo/diffusion/ode.h"

#include <cmath>
#include <numbers>
#include <utility>

#include "autograd/tape/tape.h"

namespace tarsier::zoo::diffusion {

namespace {

void check_steps(int64_t steps) {
  check(steps > 0, "ode", "steps=", steps, ": at least 1 is needed");
}

/// Σ over all but the first dimension.
Tensor sum_of_each(const Tensor& x) { return sum(flatten(x, 1), 1); }

/// The velocity, and eᵀ·(∂v/∂x)·e of each point (B).
std::pair<Tensor, Tensor> with_trace(const Field& field, const Tensor& x, double t,
                                     const Tensor& e) {
  const Tensor at = x.detach().requires_grad_();
  const Tensor v = field(at, t);
  const Tensor pulled = grad({v}, {at}, {e}).front();  // eᵀ·∂v/∂x
  return {v.detach(), sum_of_each(pulled * e)};
}

/// ±1, each as likely.
Tensor random_signs(const Tensor& like, RandomKey key) {
  Tensor out = Tensor::empty(like.shape(), like.dtype());
  const int64_t each = like.numel() / like.size(0);
  std::vector<double> signs;
  for (int64_t b = 0; b < like.size(0); ++b)
    for (int64_t i = 0; i < each; ++i) {
      const RandomKey own{key.seed, key.stream + static_cast<uint64_t>(b)};
      signs.push_back(uniform<double>(own, static_cast<uint64_t>(i)) < 0.5 ? -1 : 1);
    }
  return to(from_vector(signs, like.shape()), like.dtype());
}

}  // namespace

Tensor solved(const Field& field, Tensor x, double from, double to, int64_t steps, Method method,
              const std::function<void(const Tensor&, double)>& seen) {
  check_steps(steps);
  const NoGrad no_grad;
  const double h = (to - from) / static_cast<double>(steps);
  for (int64_t k = 0; k < steps; ++k) {
    const double t = from + h * static_cast<double>(k);
    if (seen) seen(x, t);
    const Tensor v = field(x, t);
    const Tensor ahead = x + v * h;
    x = method == Method::euler ? ahead : x + (v + field(ahead, t + h)) * (h / 2);
  }
  if (seen) seen(x, to);
  return x;
}

Tensor log_density(const Field& field, const Tensor& x, int64_t steps, RandomKey key) {
  check_steps(steps);
  const Tensor e = random_signs(x, key);
  Tensor point = x.detach(), trace = zeros({x.size(0)}, f64);
  const auto time = [&](int64_t k) {
    const double s = static_cast<double>(k) / static_cast<double>(steps);
    return 1 - s * s;
  };
  for (int64_t k = 0; k < steps; ++k) {
    const double h = time(k + 1) - time(k);  // negative: from t = 1 back to 0
    const auto [v, trace_here] = with_trace(field, point, time(k), e);
    const auto [v_ahead, trace_ahead] = with_trace(field, point + v * h, time(k + 1), e);
    point = point + (v + v_ahead) * (h / 2);
    trace = trace - to(trace_here + trace_ahead, f64) * (h / 2);
  }
  const auto each = static_cast<double>(x.numel() / x.size(0));
  const Tensor squares = sum_of_each(square(to(point, f64)));
  return squares * -0.5 - each / 2 * std::log(2 * std::numbers::pi) - trace;
}

}  // namespace tarsier::zoo::diffusion
