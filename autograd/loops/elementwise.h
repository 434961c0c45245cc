#pragma once
// The loop of every elementwise op: operands of any strides, broadcast to one shape, cut into
// chunks for the threads and into runs for the kernels. Nothing here is recorded.

#include <algorithm>

#include "../base/parallel.h"
#include "../tensor/tensor.h"
#include "elementwise.kernel.h"
#include "grain.h"
#include "strided.h"

namespace tarsier::detail {

/// x itself if its elements can be read along the last dimension in order (or are repeated),
/// otherwise a contiguous copy. Kernels that gather from a transposed operand miss the cache at
/// every element; a copy by tiles does not.
Tensor readable(const Tensor& x);

/// y[i] = f(x[i]), y of type R and contiguous.
template <class R, class T, class F>
void map_elements(const Tensor& x, const Tensor& y, const F& f) {
  const Tensor operand = readable(x);
  const Loop loop = plan_loop(y.shape(), {&operand});
  const T* px = operand.data<T>();
  R* py = y.data<R>();
  run_loop(loop, kCheapGrain, [&](const Run& run) {
    const T* from = px + run.from[0];
    const int64_t step = loop.step(0);
    for (int64_t i = 0; i < run.n; ++i) py[run.at + i] = static_cast<R>(f(from[i * step]));
  });
}

/// y[i] = f(a[i], b[i]), a and b broadcast to the shape of y, which is contiguous.
template <class R, class T, class F>
void zip_elements(const Tensor& a, const Tensor& b, const Tensor& y, const F& f) {
  const Tensor ra = readable(a), rb = readable(b);
  const Loop loop = plan_loop(y.shape(), {&ra, &rb});
  const T *pa = ra.data<T>(), *pb = rb.data<T>();
  R* py = y.data<R>();
  run_loop(loop, kCheapGrain, [&](const Run& run) {
    const T *from_a = pa + run.from[0], *from_b = pb + run.from[1];
    const int64_t step_a = loop.step(0), step_b = loop.step(1);
    for (int64_t i = 0; i < run.n; ++i)
      py[run.at + i] = static_cast<R>(f(from_a[i * step_a], from_b[i * step_b]));
  });
}

// ---- The kernels on tensors. `op` names the caller in errors. Floating dtypes only. ----

/// A new tensor f(a, b), of the shape that a and b broadcast to. add, sub, mul, minimum and maximum
/// also take i64. A number takes the dtype of the tensor; Error(op) if it does not fit.
Tensor binary(kernels::Binary f, const Tensor& a, const Tensor& b, const char* op);
Tensor binary(kernels::Binary f, const Tensor& a, double b, const char* op);
Tensor binary(kernels::Binary f, double a, const Tensor& b, const char* op);

/// Whether results may be written to x while y is read: both are the same elements, or disjoint.
bool safe_to_overwrite(const Tensor& x, const Tensor& y);

/// x = f(x, y), where y broadcasts to x. Does not count as a change in place.
void update(kernels::Binary f, const Tensor& x, const Tensor& y, const char* op);
void update(kernels::Binary f, const Tensor& x, double y, const char* op);

/// A number as an element of type T. Throws Error(op) if T is i64 or bool and cannot hold it.
template <class T>
T number_as(double value, const char* op) {
  if constexpr (!std::is_floating_point_v<T>) {
    const bool in_range = value >= -0x1p63 && value < 0x1p63;  // a cast out of range is undefined
    check(in_range && static_cast<double>(static_cast<T>(value)) == value, op, "number ", value,
          " for a tensor of ", dtype_of<T>, ", which cannot hold it: convert it with to(x, f32)");
  }
  return static_cast<T>(value);
}

/// Throws Error(op) if x is undefined.
void check_defined(const Tensor& x, const char* op);

/// Throws Error(op) unless a and b have the same dtype.
void check_same_dtype(const Tensor& a, const Tensor& b, const char* op);

}  // namespace tarsier::detail
