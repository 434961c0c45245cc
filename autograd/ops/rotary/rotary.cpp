// Rotary positions: queries and keys rotated by angles that grow with their position.
#include <algorithm>

#include "autograd/loops/checks.h"
#include "autograd/loops/copy.h"
#include "autograd/loops/elementwise.h"
#include "autograd/ops.h"
#include "autograd/ops/rotary/rotary.kernel.h"
#include "autograd/simd/dispatch.h"
#include "autograd/tensor/compute.h"

namespace tarsier {
namespace {

constexpr const char* kName = "rotary_embedding";

void check_arguments(const Tensor& x, const Tensor& cos, const Tensor& sin) {
  detail::check_floating(x, kName);
  check(x.dim() >= 2 && x.size(-1) % 2 == 0, kName, "x of shape ", x.shape(),
        ": expected (…, T, D) with an even D, for D/2 pairs");
  const Shape angles{x.size(-2), x.size(-1) / 2};
  check(cos.shape() == angles && sin.shape() == angles, kName, "cos ", cos.shape(), " and sin ",
        sin.shape(), " for x ", x.shape(), ": expected ", angles,
        " for both, one row per position");
  check(cos.dtype() == x.dtype() && sin.dtype() == x.dtype(), kName, "cos of ", cos.dtype(),
        " and sin of ", sin.dtype(), " for x of ", x.dtype(), ": convert them with to(cos, ",
        x.dtype(), ")");
  check(!cos.requires_grad() && !sin.requires_grad(), kName,
        "cos or sin requires a gradient, but this op has none for them: pass cos.detach() and "
        "sin.detach()");
}

/// The dimensions except the last, from the largest stride to the smallest: the order of x in
/// memory.
Shape memory_order(const Tensor& x) {
  Shape order = Shape::filled(x.dim() - 1, 0);
  for (int d = 0; d < order.size(); ++d) order[d] = d;
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return x.strides()[static_cast<int>(a)] > x.strides()[static_cast<int>(b)];
  });
  return order;
}

/// The first elements of x's rows, with the dimensions in `order`.
Tensor row_starts(const Tensor& x, const Shape& order) {
  Shape shape, strides;
  for (int64_t d : order) {
    shape.push_back(x.shape()[static_cast<int>(d)]);
    strides.push_back(x.strides()[static_cast<int>(d)]);
  }
  return x.view_as(shape, strides, x.offset());
}

/// A new tensor of x's shape and dtype whose memory layout has this `order`: heads that were split
/// without a copy can then be joined again without one.
Tensor empty_in_order(const Tensor& x, const Shape& order) {
  Strides strides = Shape::filled(x.dim(), 1);
  int64_t step = x.size(-1);
  for (int i = order.size() - 1; i >= 0; --i) {
    const int d = static_cast<int>(order[i]);
    strides[d] = step;
    step *= x.shape()[d];
  }
  return Tensor::empty({x.numel()}, x.dtype()).view_as(x.shape(), strides, 0);
}

}  // namespace

/// y₁ = x₁·cos − x₂·sin,  y₂ = x₂·cos + x₁·sin: every pair rotated by its angle. So dx is dy
/// rotated back, by the negative angle:
///   dx₁ = dy₁·cos + dy₂·sin,  dx₂ = dy₂·cos − dy₁·sin          saved: cos, sin
Tensor rotary_embedding(const Arg& x, const Tensor& cos, const Tensor& sin, bool interleaved) {
  check_arguments(x, cos, sin);
  const Tensor from = x.strides().back() == 1 ? Tensor(x) : contiguous_elements(x);
  const Shape order = memory_order(from);
  const Tensor y = empty_in_order(from, order);
  const Tensor cosines = contiguous_elements(cos), sines = contiguous_elements(sin);
  // The rows of x, of the angles (the same for all heads and batches) and of y, in memory's order.
  const Tensor x_rows = row_starts(from, order), y_rows = row_starts(y, order);
  Strides along_time = Shape::filled(x.dim(), 0);
  along_time[x.dim() - 2] = x.size(-1) / 2;
  const Tensor angle_rows =
      row_starts(cosines.view_as(x.shape(), along_time, cosines.offset()), order);

  detail::compute(kName, [=, size = x.size(-1)] {
    dispatch_floating(y.dtype(), kName, [&]<class T>() {
      const detail::Loop loop = detail::plan_loop(y_rows.shape(), {&x_rows, &angle_rows, &y_rows});
      const int64_t grain = std::max<int64_t>(1, detail::kCheapGrain / (1 + size));
      detail::run_loop(loop, grain, [&](const detail::Run& run) {
        kernels::active<kernels::RotaryKernels<T>>().rotary({.rows = run.n,
                                                             .pairs = size / 2,
                                                             .x = from.data<T>() + run.from[0],
                                                             .x_row = loop.step(0),
                                                             .cos = cosines.data<T>() + run.from[1],
                                                             .sin = sines.data<T>() + run.from[1],
                                                             .angle_row = loop.step(1),
                                                             .y = y.data<T>() + run.from[2],
                                                             .y_row = loop.step(2),
                                                             .interleaved = interleaved});
      });
    });
  });
  return record(kName, {x}, y, Save{cos, sin},
                [interleaved](const Saved& saved, const Tensor& dy) -> Grads {
                  return {rotary_embedding(dy, saved[0], -saved[1], interleaved)};
                });
}

}  // namespace tarsier
