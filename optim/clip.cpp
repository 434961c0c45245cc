#include "optim/clip.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>

#include "autograd/base/parallel.h"
#include "autograd/loops/reduce.kernel.h"
#include "autograd/ops.h"
#include "autograd/simd/dispatch.h"
#include "autograd/tensor/compute.h"

namespace tarsier::optim {
namespace {

std::vector<Tensor> grads_of(const std::vector<Tensor>& parameters) {
  std::vector<Tensor> grads;
  std::set<const TensorImpl*> seen;
  for (const Tensor& parameter : parameters)
    if (const Tensor grad = parameter.grad(); grad.defined() && seen.insert(grad.impl()).second)
      grads.push_back(grad);
  return grads;
}

/// Σ x². Chunks of a fixed size, added up in order.
double sum_of_squares(const Tensor& x) {
  constexpr int64_t grain = 32768;
  const Tensor row = contiguous(x);
  const int64_t n = row.numel();
  std::vector<double> sums(static_cast<size_t>((n + grain - 1) / grain));
  dispatch_floating(x.dtype(), "clip_grad_norm_", [&]<class T>() {
    const auto sum_squares = kernels::active<kernels::ReduceKernels<T>>()
                                 .reduce_rows[static_cast<int>(kernels::Reduce::sum_squares)];
    parallel_for(n, grain, [&](int64_t begin, int64_t end) {
      T sum;
      sum_squares(1, end - begin, row.data<T>() + begin, end - begin, &sum);
      sums[static_cast<size_t>(begin / grain)] = sum;
    });
  });
  double total = 0;
  for (double sum : sums) total += sum;
  return total;
}

/// (Σ |x|ᵖ)^{1/p} over all elements of all tensors: the norm of their norms.
double total_norm(const std::vector<Tensor>& tensors, double p) {
  if (p == 2) {
    double total = 0;
    for (const Tensor& x : tensors) total += sum_of_squares(x);
    if (total > 1e-30 && std::isfinite(total)) return std::sqrt(total);
    // Otherwise squares in f32 may have overflowed or underflowed. In f64 they do not, and norm()
    // handles x that is f64 itself.
  }
  std::vector<double> norms;
  for (const Tensor& x : tensors)
    if (x.numel() > 0) norms.push_back(norm(to(x, f64), p).item());
  const auto count = static_cast<int64_t>(norms.size());
  return count == 0 ? 0 : norm(from_vector(norms, {count}), p).item();
}

/// Scales the gradients; returns their norm before.
double clip(const std::vector<Tensor>& grads, double max_norm, double norm_type,
            bool error_if_nonfinite) {
  const NoGrad guard;
  const double norm = total_norm(grads, norm_type);
  check(!error_if_nonfinite || std::isfinite(norm), "clip_grad_norm_",
        "the norm of the gradients is ", norm,
        ": find its origin with AnomalyMode, or allow it with error_if_nonfinite = false");
  double scale = max_norm / (norm + 1e-6);
  if (scale >= 1) return norm;
  // In two steps if the factor alone would underflow in f32.
  constexpr double step = 0x1p-100;
  const bool two = scale != 0 && scale < step;
  if (two) scale /= step;
  for (const Tensor& grad : grads) {
    mul_(grad, scale);
    if (two) mul_(grad, step);
  }
  return norm;
}

}  // namespace

double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, double norm_type,
                       bool error_if_nonfinite) {
  check(max_norm >= 0, "clip_grad_norm_", "max_norm is ", max_norm, ": it must not be negative");
  check(norm_type > 0, "clip_grad_norm_", "norm_type is ", norm_type,
        ": use 1, 2, another positive number, or infinity");
  const auto norm = std::make_shared<double>();
  tarsier::detail::compute("clip_grad_norm_", [=, grads = grads_of(parameters)] {
    *norm = clip(grads, max_norm, norm_type, error_if_nonfinite);
  });
  return *norm;
}

void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value) {
  check(clip_value >= 0, "clip_grad_value_", "clip_value is ", clip_value,
        ": it must not be negative");
  tarsier::detail::compute("clip_grad_value_", [=, grads = grads_of(parameters)] {
    const NoGrad guard;
    for (const Tensor& grad : grads) copy_(grad, clamp(grad, -clip_value, clip_value));
  });
}

}  // namespace tarsier::optim
