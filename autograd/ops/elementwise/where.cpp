// Selecting elements: where, masked_fill, clamp, nan_to_num, prelu; and lerp, which mixes them.
#include <cmath>
#include <limits>

#include "autograd/loops/elementwise.h"
#include "autograd/loops/elementwise.kernel.h"
#include "autograd/ops.h"
#include "autograd/ops/record.h"
#include "autograd/simd/dispatch.h"
#include "autograd/tensor/compute.h"

namespace tarsier {

using detail::record_floating;

namespace {

/// condition ? a : b, broadcast. Not recorded.
Tensor choose(const Tensor& condition, const Tensor& a, const Tensor& b, const char* op) {
  check(condition.dtype() == boolean, op, "the condition is ", condition.dtype(),
        ", but bool is needed: compare it, as in x != 0");
  detail::check_same_dtype(a, b, op);
  const Shape shape =
      broadcast_shapes(condition.shape(), broadcast_shapes(a.shape(), b.shape(), op), op);
  Tensor y = Tensor::empty(shape, a.dtype());
  const Tensor rc = detail::readable(condition), ra = detail::readable(a), rb = detail::readable(b);
  detail::compute(op, [=] {
    const detail::Loop loop = detail::plan_loop(shape, {&rc, &ra, &rb});
    const bool* mask = rc.data<bool>();
    dispatch_all(y.dtype(), [&]<class T>() {
      const T *pa = ra.data<T>(), *pb = rb.data<T>();
      T* py = y.data<T>();
      detail::run_loop(loop, detail::kCheapGrain, [&](const detail::Run& run) {
        const auto [c, from_a, from_b] = run.from;
        if constexpr (std::is_floating_point_v<T>) {
          kernels::active<kernels::ElementwiseKernels<T>>().select(
              run.n, mask + c, loop.step(0), pa + from_a, loop.step(1), pb + from_b, loop.step(2),
              py + run.at);
        } else {
          for (int64_t i = 0; i < run.n; ++i)
            py[run.at + i] = mask[c + i * loop.step(0)] ? pa[from_a + i * loop.step(1)]
                                                        : pb[from_b + i * loop.step(2)];
        }
      });
    });
  });
  return y;
}

/// A number as a tensor of shape (), in the dtype of `x`.
Tensor number_beside(const Tensor& x, double value, const char* op) {
  Tensor number = Tensor::empty({}, x.dtype());
  detail::compute(op, [=] {
    dispatch_all(number.dtype(),
                 [&]<class T>() { *number.data<T>() = detail::number_as<T>(value, op); });
  });
  return number;
}

}  // namespace

// ------------------------------------------------------------------------------------- where

/// y = condition ? a : b.   da = condition ? dy : 0, db = condition ? 0 : dy     saved: condition
Tensor where(const Arg& condition, const Arg& a, const Arg& b) {
  return record_floating("where", {a, b}, choose(condition, a, b, "where"), Save{condition},
                         [](const Saved& saved, const Tensor& dy) -> Grads {
                           const Tensor condition = saved[0];
                           return {saved.needs(0) ? where(condition, dy, 0.0) : Tensor(),
                                   saved.needs(1) ? where(condition, 0.0, dy) : Tensor()};
                         });
}
Tensor where(const Arg& condition, const Arg& a, double b) {
  return record_floating(
      "where", {a}, choose(condition, a, number_beside(a, b, "where"), "where"), Save{condition},
      [](const Saved& saved, const Tensor& dy) -> Grads { return {where(saved[0], dy, 0.0)}; });
}
Tensor where(const Arg& condition, double a, const Arg& b) {
  return record_floating(
      "where", {b}, choose(condition, number_beside(b, a, "where"), b, "where"), Save{condition},
      [](const Saved& saved, const Tensor& dy) -> Grads { return {where(saved[0], 0.0, dy)}; });
}

/// y = mask ? value : x.   dx = mask ? 0 : dy     saved: mask
Tensor masked_fill(const Arg& x, const Arg& mask, double value) {
  Tensor y = choose(mask, number_beside(x, value, "masked_fill"), x, "masked_fill");
  return record_floating(
      "masked_fill", {x}, y, Save{mask},
      [](const Saved& saved, const Tensor& dy) -> Grads { return {where(saved[0], 0.0, dy)}; });
}

// ------------------------------------------------------------------------------------- clamp

/// y = min(max(x, low), high); NaN stays NaN.   dx = dy where low < x < high, else 0     saved: x
/// At the bounds there are two slopes; 0 is PyTorch's, and keeps hinge losses that are 0 from
/// moving anything.
Tensor clamp(const Arg& x, std::optional<double> low, std::optional<double> high) {
  check(low || high, "clamp", "neither low nor high is given: give at least one");
  using kernels::Binary;
  Tensor y = x;
  if (low) y = detail::binary(Binary::maximum, y, *low, "clamp");
  if (high) y = detail::binary(Binary::minimum, y, *high, "clamp");
  return record_floating("clamp", {x}, y, Save{x},
                         [=](const Saved& saved, const Tensor& dy) -> Grads {
                           const Tensor x = saved[0];
                           Tensor dx = dy;
                           if (low) dx = where(x > *low, dx, 0.0);
                           if (high) dx = where(x < *high, dx, 0.0);
                           return {dx};
                         });
}

/// y = min(max(x, low), high). Equal elements share the gradient.
Tensor clamp(const Arg& x, const Tensor& low, const Tensor& high) {
  check(low.defined() || high.defined(), "clamp",
        "neither low nor high is given: give at least one");
  const CallScope here(x.at);
  const Tensor above = low.defined() ? maximum(x, low) : Tensor(x);
  return high.defined() ? minimum(above, high) : above;
}

/// y = x, with numbers in place of NaN, ∞ and −∞.   dx = dy where x is finite, else 0     saved: x
Tensor nan_to_num(const Arg& x, double nan, std::optional<double> posinf,
                  std::optional<double> neginf) {
  Tensor y = dispatch_floating(x.dtype(), "nan_to_num", [&]<class T>() {
    const T none = static_cast<T>(nan);
    const T above = static_cast<T>(posinf.value_or(std::numeric_limits<T>::max()));
    const T below = static_cast<T>(neginf.value_or(std::numeric_limits<T>::lowest()));
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    detail::map_elements<T, T>(x, y, [=](T v) {
      if (std::isfinite(v)) return v;
      return std::isnan(v) ? none : v > 0 ? above : below;
    });
    return y;
  });
  return record("nan_to_num", {x}, y, Save{x}, [](const Saved& saved, const Tensor& dy) -> Grads {
    return {where(isfinite(saved[0]), dy, 0.0)};
  });
}

/// y = x where x > 0, otherwise w · x, with one w for all or one for each channel (dimension 1).
///   dx = dy, or dy · w; dw = 0, or dy · x     saved: x, w
Tensor prelu(const Arg& x, const Tensor& weight) {
  detail::check_same_dtype(x, weight, "prelu");
  const int64_t n = weight.numel(), channels = x.dim() > 1 ? x.size(1) : 1;
  check(n == 1 || n == channels, "prelu", "weight has ", n, " elements, but x of ", x.shape(),
        " has ", channels, " channels (dimension 1): give one weight, or one for each");
  Shape shape = Shape::filled(n == 1 ? 0 : x.dim(), 1);
  if (n != 1) shape[1] = n;
  const CallScope here(x.at);
  const Tensor w = reshape(weight, shape);
  const Tensor y = no_grad([&] { return where(x > 0, x, w * x); });
  return record("prelu", {x, w}, y, Save{x, w}, [](const Saved& saved, const Tensor& dy) -> Grads {
    const Tensor x = saved[0], w = saved[1], is_linear = x > 0;
    return {saved.needs(0) ? where(is_linear, dy, dy * w) : Tensor(),
            saved.needs(1) ? where(is_linear, 0.0, dy * x) : Tensor()};
  });
}

// ------------------------------------------------------------------------------------- lerp

/// y = start + w · (end − start).   dstart = (1 − w) · dy, dend = w · dy
Tensor lerp(const Arg& start, const Arg& end, double weight) {
  detail::check_same_dtype(start, end, "lerp");
  Tensor y = dispatch_floating(start.dtype(), "lerp", [&]<class T>() {
    Tensor y = Tensor::empty(broadcast_shapes(start.shape(), end.shape(), "lerp"), start.dtype());
    // Computed from the nearer end, so that weight 0 gives `start` and weight 1 `end` exactly.
    const T w = static_cast<T>(weight), rest = static_cast<T>(1 - weight);
    detail::zip_elements<T, T>(
        start, end, y, [=](T a, T b) { return w < T(0.5) ? a + w * (b - a) : b - rest * (b - a); });
    return y;
  });
  return record(
      "lerp", {start, end}, y, Save{}, [w = weight](const Saved& saved, const Tensor& dy) -> Grads {
        return {saved.needs(0) ? dy * (1 - w) : Tensor(), saved.needs(1) ? dy * w : Tensor()};
      });
}

}  // namespace tarsier
