#include "optim/muon.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"

namespace tarsier::optim {
namespace {

/// M with its singular values made about 1, by the Newton–Schulz iteration.
Tensor orthogonalize(const Tensor& m, const MuonOptions& o) {
  const auto [a, b, c] = o.ns_coefficients;
  // A = XXᵀ is smaller for the wider of M and Mᵀ.
  const bool tall = m.size(0) > m.size(1);
  Tensor x = tall ? transpose(m, 0, 1) : m;
  x = x / std::max(norm(m).item(), o.eps);
  for (int64_t i = 0; i < o.ns_steps; ++i) {
    const Tensor gram = matmul(x, transpose(x, 0, 1));
    x = a * x + matmul(b * gram + c * matmul(gram, gram), x);
  }
  return tall ? transpose(x, 0, 1) : x;
}

double lr_ratio(const std::string& kind, double n, double m) {
  if (kind == "match_rms_adamw") return 0.2 * std::sqrt(std::max(n, m));
  if (kind == "spectral_unclamped") return std::sqrt(n / m);
  return std::sqrt(std::max(1.0, n / m));
}

}  // namespace

Muon::Muon(const TensorDict& parameters, const MuonOptions& options)
    : Muon({{parameters, options}}) {}
Muon::Muon(const std::vector<ParameterGroup<MuonOptions>>& groups) : OptimizerWith("muon") {
  add_groups(groups);
}

void Muon::check_group(const ParameterGroup<MuonOptions>& group) const {
  const auto& [parameters, options] = group;
  for (const auto& [name, parameter] : parameters)
    check(parameter.dim() == 2, tag(), "'", name, "' has shape ", parameter.shape(),
          ", and Muon is for matrices: give it to another optimiser, such as AdamW");
  check_option("weight_decay", options.weight_decay);
  check_option("momentum", options.momentum, 0, 1);
  for (const double coefficient : options.ns_coefficients)
    check(std::isfinite(coefficient), tag(), "a coefficient of ns_coefficients is ", coefficient);
  check_option("eps", options.eps);
  check(options.ns_steps >= 0 && options.ns_steps < 100, tag(), "ns_steps is ", options.ns_steps,
        ": it must be 0 or more, and less than 100");
  const std::string& kind = options.adjust_lr_fn;
  check(kind == "original" || kind == "match_rms_adamw" || kind == "spectral_unclamped", tag(),
        "adjust_lr_fn is '", kind, "': use 'original', 'match_rms_adamw' or 'spectral_unclamped'");
}

std::vector<Muon::Memory> Muon::memory(const Slot& slot) const {
  return {{"momentum_buffer", slot.parameter.shape()}};
}

void Muon::update(const std::vector<Change>& changes) const {
  for (const auto& [slot, grad] : changes) {
    if (grad.numel() == 0) continue;
    const MuonOptions& o = options(*slot);
    const Tensor& w = slot->parameter;
    const Tensor& buffer = slot->state[0];
    copy_(buffer, lerp(buffer, grad, 1 - o.momentum));
    const Tensor direction = o.nesterov ? lerp(grad, buffer, o.momentum) : buffer;
    const double rate = lr(slot->group);
    const double ratio =
        lr_ratio(o.adjust_lr_fn, static_cast<double>(w.size(0)), static_cast<double>(w.size(1)));
    add_(w, orthogonalize(direction, o) * ratio + w * o.weight_decay, -rate);
  }
}

}  // namespace tarsier::optim
