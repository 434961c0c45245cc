#pragma once
// Reducing a row to one number in a fixed tree, and looping over a row: the building blocks of the
// reduction, softmax, norm and loss kernels.
//
// A row is read through a function `value(i, lanes)`, which gives the elements i … i + lanes − 1 in
// the first lanes of a register; `lanes` is the register's width except at the end of the row.

#include "simd.h"

namespace tarsier::kernels::TARSIER_ISA {

template <class T>
TARSIER_INLINE Simd<T> load(const T* p, int64_t lanes) {
  return lanes == Simd<T>::width ? Simd<T>::load(p) : Simd<T>::load(p, lanes);
}
template <class T>
TARSIER_INLINE void store(T* p, Simd<T> x, int64_t lanes) {
  if (lanes == Simd<T>::width) {
    x.store(p);
  } else {
    x.store(p, lanes);
  }
}

/// Calls body(i, lanes) along a row of n elements.
template <class T, class Body>
TARSIER_INLINE void each(int64_t n, const Body& body) {
  constexpr int64_t width = Simd<T>::width;
  int64_t i = 0;
  for (; i + width <= n; i += width) body(i, width);
  if (i < n) body(i, n - i);
}

// Reductions: an identity, and an associative combination of registers. `map` is applied to an element
// first.
template <class T>
struct SumOp {
  static constexpr T identity = 0;
  TARSIER_INLINE static Simd<T> map(Simd<T> x) { return x; }
  template <class V>
  TARSIER_INLINE static V combine(V a, V b) {
    return a + b;
  }
};
template <class T>
struct SumSquaresOp : SumOp<T> {
  TARSIER_INLINE static Simd<T> map(Simd<T> x) { return x * x; }
};
template <class T>
struct ProdOp {
  static constexpr T identity = 1;
  TARSIER_INLINE static Simd<T> map(Simd<T> x) { return x; }
  TARSIER_INLINE static Simd<T> combine(Simd<T> a, Simd<T> b) { return a * b; }
};
/// The larger, if losing a NaN does no harm: cheaper than MaxOp.
template <class T>
struct MaxNumberOp {
  static constexpr T identity = -static_cast<T>(__builtin_inf());
  TARSIER_INLINE static Simd<T> combine(Simd<T> a, Simd<T> b) { return max(a, b); }
};
/// The larger; NaN where either is NaN (max gives b where one is).
template <class T>
struct MaxOp {
  static constexpr T identity = -static_cast<T>(__builtin_inf());
  TARSIER_INLINE static Simd<T> map(Simd<T> x) { return x; }
  TARSIER_INLINE static Simd<T> combine(Simd<T> a, Simd<T> b) {
    return select(a != a, a, max(a, b));
  }
};
template <class T>
struct MinOp {
  static constexpr T identity = static_cast<T>(__builtin_inf());
  TARSIER_INLINE static Simd<T> map(Simd<T> x) { return x; }
  TARSIER_INLINE static Simd<T> combine(Simd<T> a, Simd<T> b) {
    return select(a != a, a, min(a, b));
  }
};

/// x in the first `lanes` lanes, `fill` in the others.
template <class T>
TARSIER_INLINE Simd<T> fill_lanes(Simd<T> x, int64_t lanes, T fill) {
  return select(Simd<T>::first_lanes(lanes), x, Simd<T>(fill));
}

/// Two registers that are reduced together, for two sums in one pass over a row.
template <class T>
struct SimdPair {
  Simd<T> a, b;
  TARSIER_INLINE SimdPair(Simd<T> a, Simd<T> b) : a(a), b(b) {}
  TARSIER_INLINE SimdPair(T s) : a(s), b(s) {}
  TARSIER_INLINE friend SimdPair operator+(SimdPair x, SimdPair y) {
    return {x.a + y.a, x.b + y.b};
  }
};
template <class T>
TARSIER_INLINE SimdPair<T> fill_lanes(SimdPair<T> x, int64_t lanes, T fill) {
  return {fill_lanes(x.a, lanes, fill), fill_lanes(x.b, lanes, fill)};
}

/// Up to this many elements are reduced one register after another; longer rows are halved. So the
/// error of a sum grows with 32 + log₂ n (128 registers on four accumulators), not with n.
template <class T>
constexpr int64_t reduce_block = 128 * Simd<T>::width;

/// Reduces elements begin … end − 1, one block at most, lane by lane.
template <class Op, class T, class Value>
TARSIER_INLINE auto reduce_short(int64_t begin, int64_t end, const Value& value) {
  constexpr int64_t width = Simd<T>::width;
  using V = decltype(value(0, width));  // Simd<T> or SimdPair<T>
  // Four accumulators, since an addition takes about four cycles to be ready for the next.
  V a(Op::identity), b = a, c = a, d = a;
  int64_t i = begin;
  for (; i + 4 * width <= end; i += 4 * width) {
    a = Op::combine(a, value(i, width));
    b = Op::combine(b, value(i + width, width));
    c = Op::combine(c, value(i + 2 * width, width));
    d = Op::combine(d, value(i + 3 * width, width));
  }
  for (; i + width <= end; i += width) a = Op::combine(a, value(i, width));
  if (i < end) {
    const int64_t lanes = end - i;
    b = Op::combine(b, fill_lanes(value(i, lanes), lanes, Op::identity));
  }
  return Op::combine(Op::combine(a, b), Op::combine(c, d));
}

/// The same for any number of elements. The tree depends on that number alone.
template <class Op, class T, class Value>
[[gnu::noinline]] auto reduce_long(int64_t begin, int64_t end, const Value& value)
    -> decltype(value(begin, end)) {
  constexpr int64_t block = reduce_block<T>;
  if (end - begin <= block) return reduce_short<Op, T>(begin, end, value);
  const int64_t middle = begin + ((end - begin) / 2 + block - 1) / block * block;
  const auto left = reduce_long<Op, T>(begin, middle, value);
  return Op::combine(left, reduce_long<Op, T>(middle, end, value));
}

/// Reduces the lanes in halves, quarters, …: the tree of reduce_lanes (simd.h), but in the register
/// instead of in memory, which short rows feel.
template <class Op, int half, class T, int... lane>
TARSIER_INLINE T across_lanes(Simd<T> x, Lanes<lane...> lanes) {
  if constexpr (half == 0) {
    return x[0];
  } else {
    const Simd<T> other(__builtin_shufflevector(x.v, x.v, (lane ^ half)...));
    return across_lanes<Op, half / 2>(Op::combine(x, other), lanes);
  }
}

/// Reduces a row of n elements lane by lane. A short row is reduced inline, so that what
/// `value` captured stays in registers.
template <class Op, class T, class Value>
TARSIER_INLINE auto reduce_row(int64_t n, const Value& value) {
  return n <= reduce_block<T> ? reduce_short<Op, T>(0, n, value) : reduce_long<Op, T>(0, n, value);
}
template <class Op, class T>
TARSIER_INLINE T across_lanes(Simd<T> x) {
  constexpr int width = Simd<T>::width;
  return across_lanes<Op, width / 2>(x, typename MakeLanes<width>::Type());
}

/// Reduces a row of n elements to one number; the identity for n = 0.
template <class Op, class T, class Value>
TARSIER_INLINE T reduce(int64_t n, const Value& value) {
  return across_lanes<Op>(reduce_row<Op, T>(n, value));
}

/// Σ value(i).
template <class T, class Value>
TARSIER_INLINE T sum_of(int64_t n, const Value& value) {
  return reduce<SumOp<T>, T>(n, value);
}

/// Σ of both parts of value(i), a SimdPair.
template <class T>
struct Sums {
  T a, b;
};
template <class T, class Value>
TARSIER_INLINE Sums<T> sums_of(int64_t n, const Value& value) {
  const SimdPair<T> sums = reduce_row<SumOp<T>, T>(n, value);
  return {across_lanes<SumOp<T>>(sums.a), across_lanes<SumOp<T>>(sums.b)};
}

}  // namespace tarsier::kernels::TARSIER_ISA
