#include "autograd/ops/rotary/rotary.kernel.h"

#include "autograd/simd/dispatch.h"
#include "autograd/simd/rows.h"
#include "autograd/simd/transpose.h"

namespace tarsier::kernels::TARSIER_ISA {
namespace {

/// The first elements of `n` ≤ width pairs in one register, the second ones in another.
template <class T>
struct Pairs {
  Simd<T> first, second;
};

template <class T>
TARSIER_INLINE Pairs<T> turned(Pairs<T> x, Simd<T> cos, Simd<T> sin) {
  return {x.first * cos - x.second * sin, x.second * cos + x.first * sin};
}

/// Elements Odd, Odd + 2, Odd + 4, … of a followed by b.
template <int Odd, class T, int... I>
TARSIER_INLINE Simd<T> every_other(Simd<T> a, Simd<T> b, Lanes<I...>) {
  return Simd<T>(__builtin_shufflevector(a.v, b.v, (2 * I + Odd)...));
}

/// The number of the 2·pairs elements in the first register, and in the second.
template <class T>
TARSIER_INLINE int64_t in_first(int64_t pairs) {
  return least(2 * pairs, Simd<T>::width);
}
template <class T>
TARSIER_INLINE int64_t in_second(int64_t pairs) {
  return 2 * pairs - in_first<T>(pairs);
}

template <class T>
TARSIER_INLINE Pairs<T> load_interleaved(const T* p, int64_t pairs) {
  using All = typename MakeLanes<Simd<T>::width>::Type;
  const Simd<T> a = load(p, in_first<T>(pairs));
  const Simd<T> b = load(p + Simd<T>::width, in_second<T>(pairs));
  return {every_other<0>(a, b, All()), every_other<1>(a, b, All())};
}
template <class T>
TARSIER_INLINE void store_interleaved(T* p, Pairs<T> x, int64_t pairs) {
  using All = typename MakeLanes<Simd<T>::width>::Type;
  store(p, interleave<0>(x.first, x.second, All()), in_first<T>(pairs));
  store(p + Simd<T>::width, interleave<1>(x.first, x.second, All()), in_second<T>(pairs));
}

template <class T>
void rotary(const Rotary<T>& r) {
  for (int64_t i = 0; i < r.rows; ++i) {
    const T *x = r.x + i * r.x_row, *cos = r.cos + i * r.angle_row, *sin = r.sin + i * r.angle_row;
    T* const y = r.y + i * r.y_row;
    if (r.interleaved)
      each<T>(r.pairs, [&](int64_t d, int64_t n) {
        const Pairs<T> pair = load_interleaved(x + 2 * d, n);
        store_interleaved(y + 2 * d, turned(pair, load(cos + d, n), load(sin + d, n)), n);
      });
    else
      each<T>(r.pairs, [&](int64_t d, int64_t n) {
        const Pairs<T> pair{load(x + d, n), load(x + r.pairs + d, n)};
        const Pairs<T> out = turned(pair, load(cos + d, n), load(sin + d, n));
        store(y + d, out.first, n);
        store(y + r.pairs + d, out.second, n);
      });
  }
}

}  // namespace

template <class T>
RotaryKernels<T> rotary_kernels() {
  return {rotary<T>};
}

}  // namespace tarsier::kernels::TARSIER_ISA

namespace tarsier::kernels {

template <>
RotaryKernels<float> kernels_of<kIsa>() {
  return TARSIER_ISA::rotary_kernels<float>();
}
template <>
RotaryKernels<double> kernels_of<kIsa>() {
  return TARSIER_ISA::rotary_kernels<double>();
}

}  // namespace tarsier::kernels
