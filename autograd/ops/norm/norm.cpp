// layer_norm and rms_norm over the last dimension: fused, and the reference forms.
#include <cmath>

#include "autograd/base/parallel.h"
#include "autograd/loops/checks.h"
#include "autograd/loops/copy.h"
#include "autograd/loops/reduce.h"
#include "autograd/ops.h"
#include "autograd/ops/norm/norm.kernel.h"
#include "autograd/ops/record.h"
#include "autograd/simd/dispatch.h"
#include "autograd/tensor/compute.h"

namespace tarsier {
namespace {

/// x, as the kernels see it: `rows` rows of n.
struct Rows {
  int64_t rows, n;
};

Rows rows_of(const Tensor& x) {
  const int64_t n = x.shape().back();
  return {n == 0 ? 0 : x.numel() / n, n};
}

void check_norm(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  detail::check_floating(x, op);
  check(x.dim() > 0, op, "a scalar has no last dimension to normalise over");
  const auto check_parameter = [&](const char* name, const Tensor& p) {
    if (!p.defined()) return;
    check(p.shape() == Shape{x.shape().back()}, op, name, " of shape ", p.shape(),
          " for an input of shape ", x.shape(), ": it must be (", x.shape().back(), ",)");
    check(p.dtype() == x.dtype(), op, name, " is ", p.dtype(), ", but the input is ", x.dtype());
  };
  check_parameter("weight", weight);
  check_parameter("bias", bias);
}

/// The elements of a contiguous tensor, or null if it is undefined.
template <class T>
T* data_or_null(const Tensor& x) {
  return x.defined() ? x.data<T>() : nullptr;
}
Tensor contiguous_or_none(const Tensor& x) {
  return x.defined() ? contiguous_elements(x) : Tensor();
}

/// Memory for a NormRow of each row (norm.kernel.h).
Tensor empty_stats(const Rows& size, DType dtype) { return Tensor::empty({size.rows, 4}, dtype); }
template <class T>
kernels::NormRow<T>* rows_stats(const Tensor& stats) {
  static_assert(sizeof(kernels::NormRow<T>) == 4 * sizeof(T));
  return reinterpret_cast<kernels::NormRow<T>*>(stats.data<T>());
}

/// The gradients of weight and bias are sums over all rows: every chunk of rows makes a partial
/// sum, (chunks, n), and these are added in order. So the number of threads does not matter.
struct PartialSums {
  PartialSums(bool wanted, int64_t chunks, int64_t n, DType dtype)
      : parts(wanted ? Tensor::empty({chunks, n}, dtype) : Tensor()) {}
  template <class T>
  T* chunk(int64_t i) const {
    return parts.defined() ? parts.data<T>() + i * parts.size(1) : nullptr;
  }
  Tensor total() const { return parts.defined() ? sum(parts, 0) : Tensor(); }
  Tensor parts;
};

Grads layer_norm_grad(const Saved& saved, const Tensor& dy_any);
Grads rms_norm_grad(const Saved& saved, const Tensor& dy_any);

/// √(mean(x²) + eps) over the last dimension, as ‖(x / √n, √eps)‖: norm() handles squares that
/// overflow or underflow.
Tensor root_mean_square(const Arg& x, double eps) {
  const Tensor part = x / std::sqrt(static_cast<double>(x.shape().back()));
  return norm(pad(part, {0, 1}, std::sqrt(eps)), 2, -1, true);
}

}  // namespace

/// x̂ = (x − mean) · rstd, rstd = 1 / √(var + eps), y = x̂ · weight + bias.
///   With g = dy · weight:   dx = rstd · (g − mean(g) − x̂ · mean(g · x̂))
///   dweight = Σ dy · x̂,  dbias = Σ dy, over all rows
///   saved: x, weight, bias, and the statistics of each row
Tensor layer_norm(const Arg& x, const Tensor& weight, const Tensor& bias, double eps) {
  const CallScope here(x.at);
  check_norm("layer_norm", x, weight, bias);
  const Rows size = rows_of(x);
  const Tensor in = contiguous_elements(x), w = contiguous_or_none(weight),
               b = contiguous_or_none(bias);
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  const Tensor stats = empty_stats(size, x.dtype());
  detail::compute("layer_norm", [=] {
    dispatch_floating(x.dtype(), "layer_norm", [&]<class T>() {
      const auto kernel = kernels::active<kernels::NormKernels<T>>().layer_norm;
      detail::for_rows(size.rows, size.n, detail::kMiddleGrain, [&](int64_t begin, int64_t end) {
        const int64_t at = begin * size.n;
        kernel(end - begin, size.n, in.data<T>() + at, data_or_null<T>(w), data_or_null<T>(b),
               static_cast<T>(eps), y.data<T>() + at, rows_stats<T>(stats) + begin);
      });
    });
  });
  return detail::record_fused("layer_norm", {x, weight, bias}, y, Save{x, weight, bias, stats},
                              layer_norm_grad, [eps](const Saved&, const auto& in) {
                                return layer_norm_reference(in[0], in[1], in[2], eps);
                              });
}

namespace {

/// dx, dweight, dbias of layer norm, as far as they are needed.
Grads layer_norm_grad(const Saved& saved, const Tensor& dy_any) {
  const Tensor x = contiguous_elements(saved[0]), weight = contiguous_or_none(saved[1]),
               stats = saved[3], dy = contiguous_elements(dy_any);
  const Rows size = rows_of(x);
  const int64_t n = size.n, chunk = detail::rows_per_chunk(n, detail::kMiddleGrain);
  const int64_t chunks = (size.rows + chunk - 1) / chunk;
  const Tensor dx = saved.needs(0) ? Tensor::empty(x.shape(), x.dtype()) : Tensor();
  const PartialSums dw(saved.needs(1), chunks, n, x.dtype());
  const PartialSums db(saved.needs(2), chunks, n, x.dtype());
  detail::compute("layer_norm", [=] {
    dispatch_floating(x.dtype(), "layer_norm", [&]<class T>() {
      const auto kernel = kernels::active<kernels::NormKernels<T>>().layer_norm_grad;
      parallel_for(size.rows, chunk, [&](int64_t begin, int64_t end) {
        const int64_t at = begin * n, part = begin / chunk;
        kernel(end - begin, n, x.data<T>() + at, data_or_null<T>(weight),
               rows_stats<T>(stats) + begin, dy.data<T>() + at,
               dx.defined() ? dx.data<T>() + at : nullptr, dw.chunk<T>(part), db.chunk<T>(part));
      });
    });
  });
  return {dx, dw.total(), db.total()};
}

}  // namespace

Tensor layer_norm_reference(const Arg& x, const Tensor& weight, const Tensor& bias, double eps) {
  Tensor centred = x - mean(x, -1, true);
  centred = centred - mean(centred, -1, true);  // the rounding error of the mean
  Tensor y = centred / root_mean_square(centred, eps);
  if (weight.defined()) y = y * weight;
  if (bias.defined()) y = y + bias;
  return y;
}

/// x̂ = x · rstd, rstd = 1 / √(mean(x²) + eps), y = x̂ · weight.
///   With g = dy · weight:   dx = rstd · (g − x̂ · mean(g · x̂))
///   dweight = Σ dy · x̂, over all rows
///   saved: x, weight, and the statistics of each row
Tensor rms_norm(const Arg& x, const Tensor& weight, double eps) {
  const CallScope here(x.at);
  check_norm("rms_norm", x, weight, {});
  const Rows size = rows_of(x);
  const Tensor in = contiguous_elements(x), w = contiguous_or_none(weight);
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  const Tensor stats = empty_stats(size, x.dtype());
  detail::compute("rms_norm", [=] {
    dispatch_floating(x.dtype(), "rms_norm", [&]<class T>() {
      const auto kernel = kernels::active<kernels::NormKernels<T>>().rms_norm;
      detail::for_rows(size.rows, size.n, detail::kMiddleGrain, [&](int64_t begin, int64_t end) {
        const int64_t at = begin * size.n;
        kernel(end - begin, size.n, in.data<T>() + at, data_or_null<T>(w), static_cast<T>(eps),
               y.data<T>() + at, rows_stats<T>(stats) + begin);
      });
    });
  });
  return detail::record_fused(
      "rms_norm", {x, weight}, y, Save{x, weight, stats}, rms_norm_grad,
      [eps](const Saved&, const auto& in) { return rms_norm_reference(in[0], in[1], eps); });
}

namespace {

/// dx, dweight of RMS norm, as far as they are needed.
Grads rms_norm_grad(const Saved& saved, const Tensor& dy_any) {
  const Tensor x = contiguous_elements(saved[0]), weight = contiguous_or_none(saved[1]),
               stats = saved[2], dy = contiguous_elements(dy_any);
  const Rows size = rows_of(x);
  const int64_t n = size.n, chunk = detail::rows_per_chunk(n, detail::kMiddleGrain);
  const Tensor dx = saved.needs(0) ? Tensor::empty(x.shape(), x.dtype()) : Tensor();
  const PartialSums dw(saved.needs(1), (size.rows + chunk - 1) / chunk, n, x.dtype());
  detail::compute("rms_norm", [=] {
    dispatch_floating(x.dtype(), "rms_norm", [&]<class T>() {
      const auto kernel = kernels::active<kernels::NormKernels<T>>().rms_norm_grad;
      parallel_for(size.rows, chunk, [&](int64_t begin, int64_t end) {
        const int64_t at = begin * n;
        kernel(end - begin, n, x.data<T>() + at, data_or_null<T>(weight),
               rows_stats<T>(stats) + begin, dy.data<T>() + at,
               dx.defined() ? dx.data<T>() + at : nullptr, dw.chunk<T>(begin / chunk));
      });
    });
  });
  return {dx, dw.total()};
}

}  // namespace

Tensor rms_norm_reference(const Arg& x, const Tensor& weight, double eps) {
  const Tensor y = x / root_mean_square(x, eps);
  return weight.defined() ? y * weight : y;
}

}  // namespace tarsier
