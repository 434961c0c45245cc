#pragma once
// What ops do with i64. Integers have no gradients, so nothing is recorded. Arithmetic is modulo
// 2⁶⁴, as in PyTorch.

#include "../../base/error.h"
#include "../../loops/elementwise.h"

namespace tarsier::detail {

/// A new tensor f(x).
template <class F>
Tensor map_integers(const Tensor& x, const F& f) {
  Tensor y = Tensor::empty(x.shape(), i64);
  map_elements<int64_t, int64_t>(x, y, f);
  return y;
}

/// A new tensor f(a, b), of the shape that a and b broadcast to.
template <class F>
Tensor zip_integers(const Tensor& a, const Tensor& b, const char* op, const F& f) {
  check_same_dtype(a, b, op);
  Tensor y = Tensor::empty(broadcast_shapes(a.shape(), b.shape(), op), i64);
  zip_elements<int64_t, int64_t>(a, b, y, f);
  return y;
}

/// xᵖ. If p < 0, x^{−|p|} truncated: 0, or ±1 if x is ±1.
inline int64_t integer_power(int64_t x, int64_t p) {
  if (p < 0) return x == 1 ? 1 : x == -1 ? (p % 2 == 0 ? 1 : -1) : 0;
  uint64_t y = 1, factor = static_cast<uint64_t>(x);  // unsigned: overflow is defined
  for (; p > 0; p >>= 1, factor *= factor)
    if (p & 1) y *= factor;
  return static_cast<int64_t>(y);
}

/// a − b · ⌊a/b⌋, with the sign of b.
inline int64_t integer_remainder(int64_t a, int64_t b) {
  check(b != 0, "remainder", "remainder of ", a, " divided by 0: it is undefined for integers");
  if (b == -1) return 0;  // the smallest number divided by −1 overflows
  const int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

}  // namespace tarsier::detail
