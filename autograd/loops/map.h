#pragma once
// User-defined elementwise ops from a plain lambda:
//
//   Tensor cube = map(x, [](auto v) { return v * v * v; });
//   Tensor hypotenuse = zip(a, b, [](auto p, auto q) { return std::sqrt(p * p + q * q); });
//
// They are not recorded: map and zip know the function, not its derivative. record() (tape.h) adds
// that, with the backward under the forward as everywhere in ops/:
//
//   /// y = x³.   dx = dy · 3x²     saved: x
//   Tensor cube(const Arg& x) {
//     Tensor y = map(x, [](auto v) { return v * v * v; });
//     return record("cube", {x}, y, Save{x}, [](const Saved& saved, const Tensor& dy) -> Grads {
//       return {dy * (3 * square(saved[0]))};
//     });
//   }
//
// and gradcheck (gradcheck.h) checks it. A backward that uses map or zip itself has
// no derivative: see once_differentiable (tape.h).

#include "elementwise.h"

namespace tarsier {

/// y[i] = f(x[i]), in the shape and dtype of x (f32 or f64). f is called with float or double, from
/// several threads at a time. Not recorded. Throws Error("map") for other dtypes.
template <class F>
Tensor map(const Tensor& x, const F& f, SourceLine at = SourceLine::current()) {
  const CallSite site(at);
  if (detail::read_watch) detail::note_read(x, at);
  return dispatch_floating(x.dtype(), "map", [&]<class T>() {
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    detail::map_elements<T, T>(x, y, f);
    return y;
  });
}

/// y[i] = f(a[i], b[i]), in the shape that a and b broadcast to. As map. Throws Error("zip") where
/// shapes do not broadcast, dtypes differ, or are neither f32 nor f64.
template <class F>
Tensor zip(const Tensor& a, const Tensor& b, const F& f, SourceLine at = SourceLine::current()) {
  const CallSite site(at);
  if (detail::read_watch) {
    detail::note_read(a, at);
    detail::note_read(b, at);
  }
  detail::check_same_dtype(a, b, "zip");
  return dispatch_floating(a.dtype(), "zip", [&]<class T>() {
    Tensor y = Tensor::empty(broadcast_shapes(a.shape(), b.shape(), "zip"), a.dtype());
    detail::zip_elements<T, T>(a, b, y, f);
    return y;
  });
}

}  // namespace tarsier
