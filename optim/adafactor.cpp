#include "optim/adafactor.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/ops.h"

namespace tarsier::optim {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// √mean x².
double rms(const Tensor& x) { return norm(x).item() / std::sqrt(static_cast<double>(x.numel())); }

/// a ← (1 − weight)·a + weight·x. A small weight keeps its digits, as it would not in 1 − weight.
void move(const Tensor& a, const Tensor& x, double weight) { copy_(a, lerp(a, x, weight)); }

}  // namespace

Adafactor::Adafactor(const TensorDict& parameters, const AdafactorOptions& options)
    : Adafactor({{parameters, options}}) {}
Adafactor::Adafactor(const std::vector<ParameterGroup<AdafactorOptions>>& groups)
    : OptimizerWith("adafactor") {
  add_groups(groups);
}

void Adafactor::check_group(const ParameterGroup<AdafactorOptions>& group) const {
  const auto& [parameters, options] = group;
  check(options.beta2_decay <= 0 && options.beta2_decay > -kInfinity, tag(), "beta2_decay is ",
        options.beta2_decay, ": it must be finite and not above 0");
  if (options.eps.first) check_option("eps.first", *options.eps.first);
  check_option("eps.second", options.eps.second);
  check_option("d", options.d, 1, kInfinity);
  check_option("weight_decay", options.weight_decay);
}

std::vector<Adafactor::Memory> Adafactor::memory(const Slot& slot) const {
  Shape rows = slot.parameter.shape(), columns = rows;
  const int dims = rows.size();
  if (dims < 2) return {{"variance", rows}};
  rows[dims - 1] = 1;
  columns[dims - 2] = 1;
  return {{"row_var", rows}, {"col_var", columns}};
}

void Adafactor::update(const std::vector<Change>& changes) const {
  for (const auto& [slot, grad] : changes) {
    if (grad.numel() == 0) continue;
    const AdafactorOptions& o = options(*slot);
    const Tensor& w = slot->parameter;
    const Tensor g = o.maximize ? -grad : grad;
    const double epsilon = w.dtype() == f64 ? std::numeric_limits<double>::epsilon()
                                            : std::numeric_limits<float>::epsilon();
    const double eps1 = o.eps.first.value_or(epsilon);
    const double rate = lr(slot->group), t = static_cast<double>(slot->steps);
    const double rho = std::pow(t, o.beta2_decay);
    const double alpha = std::max(o.eps.second, rms(w)) * std::min(rate, 1 / std::sqrt(t));

    Tensor variance = slot->state[0];
    if (w.dim() < 2) {
      move(variance, square(g), rho);
    } else {
      const Tensor row = slot->state[0], column = slot->state[1];
      move(row, mean(square(g), {-1}, true), rho);
      move(column, mean(square(g), {-2}, true), rho);
      variance = row * column / clamp(mean(row, {-2}, true), eps1);
    }
    const Tensor u = g * rsqrt(clamp(variance, eps1 * eps1));
    const Tensor step = u * (alpha / std::max(1.0, rms(u) / o.d));
    add_(w, o.weight_decay == 0 ? step : step + w * (rate * o.weight_decay), -1);
  }
}

}  // namespace tarsier::optim
