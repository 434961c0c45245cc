// Reductions: sum, mean, var, stddev, amax, amin, logsumexp, norm, prod, count_nonzero, any, all.
//
// In the formulas ⟨dy⟩ is dy stretched back over the dimensions that were reduced, and n the number
// of elements in each result.
#include "autograd/loops/reduce.h"
#include "autograd/loops/checks.h"
#include "autograd/ops.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "autograd/base/parallel.h"
#include "autograd/loops/copy.h"
#include "autograd/ops/softmax/softmax.kernel.h"
#include "autograd/simd/dispatch.h"
#include "autograd/tensor/compute.h"

namespace tarsier {

using detail::ReducedDims;
using kernels::Reduce;

namespace {

void check_not_empty(const ReducedDims& dims, const Tensor& x, const char* op) {
  check(dims.count > 0 || dims.kept.numel() == 0, op, "a tensor of shape ", x.shape(),
        " has no elements to choose from");
}

/// The reduction of i64 or bool elements in i64, which is exact in any order.
template <class T, class F>
Tensor reduce_exactly(const Tensor& x, const ReducedDims& dims, DType dtype, int64_t first,
                      F combine) {
  Tensor y = Tensor::empty(dims.result, dtype);
  const Tensor rows = detail::as_rows(x, dims);
  const T* from = rows.data<T>();
  dispatch_all(dtype, [&]<class R>() {
    R* to = y.data<R>();
    parallel_for(y.numel(), detail::rows_per_chunk(dims.count, detail::kReduceChunk),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i) {
                     int64_t value = first;
                     for (int64_t j = 0; j < dims.count; ++j)
                       value = combine(value, static_cast<int64_t>(from[i * dims.count + j]));
                     to[i] = static_cast<R>(value);
                   }
                 });
  });
  return y;
}

/// How many of n bools are true: bytes of 0 and 1, added eight at a time for as long as none of the
/// eight sums can exceed a byte.
int64_t count_true(const bool* x, int64_t n) {
  constexpr int64_t kWord = sizeof(uint64_t), kMost = 255 * kWord;
  constexpr uint64_t kEven = 0x00FF'00FF'00FF'00FF, kOnes = 0x0001'0001'0001'0001;
  int64_t count = 0, i = 0;
  while (i + kWord <= n) {
    uint64_t sums = 0;
    for (const int64_t end = std::min(i + kMost, n / kWord * kWord); i < end; i += kWord) {
      uint64_t word;
      std::memcpy(&word, x + i, sizeof(word));
      sums += word;
    }
    // In pairs, which have room in 16 bits; the product has the sum of the four in its highest 16.
    const uint64_t pairs = (sums & kEven) + (sums >> 8 & kEven);
    count += static_cast<int64_t>(pairs * kOnes >> 48);
  }
  for (; i < n; ++i) count += x[i];
  return count;
}

/// Σ x of bools, in i64.
Tensor count_rows(const Tensor& x, const ReducedDims& dims) {
  Tensor y = Tensor::empty(dims.result, i64);
  const Tensor rows = detail::as_rows(x, dims);
  const bool* from = rows.data<bool>();
  int64_t* to = y.data<int64_t>();
  parallel_for(y.numel(), detail::rows_per_chunk(dims.count, detail::kReduceChunk),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i)
                   to[i] = count_true(from + i * dims.count, dims.count);
               });
  return y;
}

/// Sums and products of huge integers wrap around, as in PyTorch; unsigned, where this is defined.
int64_t wrapping_add(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
int64_t wrapping_multiply(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}

/// 1 where x equals the result y of its row, in the dtype of x: the positions of the extremes.
Tensor stands_at(const Tensor& x, const Tensor& y) { return to(x == y, x.dtype()); }

/// `divisor` in a gradient. The gradient of an empty tensor has no elements, but a derivative with
/// respect to dy, which is 0 and not 0 / 0.
double slope_divisor(const Tensor& x, double divisor) { return x.numel() == 0 ? 1 : divisor; }

/// For divisors that are 0 only where the dividend is 0 as well: any other number will do.
Tensor with_zeros_as_ones(const Tensor& x) { return masked_fill(x, x == 0.0, 1); }

}  // namespace

/// y = Σ x.   dx = ⟨dy⟩
Tensor sum(const Arg& x, const Axes& dims, bool keepdim) {
  const ReducedDims over = detail::reduced_dims(x, dims, keepdim, "sum");
  if (x.dtype() == i64) return reduce_exactly<int64_t>(x, over, i64, 0, wrapping_add);
  if (x.dtype() == boolean) return count_rows(x, over);
  return record("sum", {x}, detail::reduce(Reduce::sum, x, over), Save{},
                [shape = x.shape(), kept = over.kept](const Saved&, const Tensor& dy) -> Grads {
                  return {expand(reshape(dy, kept), shape)};
                });
}

/// y = Σ x / n.   dx = ⟨dy⟩ / n
Tensor mean(const Arg& x, const Axes& dims, bool keepdim) {
  detail::check_floating(x, "mean");
  const ReducedDims over = detail::reduced_dims(x, dims, keepdim, "mean");
  const double n = static_cast<double>(over.count);
  const Tensor y = no_grad([&] {
    const Tensor mean = detail::reduce(Reduce::sum, x, over) / n;
    // The sum may be too large for a number where the mean is not.
    detail::compute("mean", [mean, from = x.detach(), over, n] {
      if (n > 0 && !detail::all_finite(mean))
        copy_elements(detail::reduce(Reduce::sum, from / n, over), mean);
    });
    return mean;
  });
  return record("mean", {x}, y, Save{},
                [shape = x.shape(), kept = over.kept, n = slope_divisor(x, n)](
                    const Saved&, const Tensor& dy) -> Grads {
                  return {expand(reshape(dy / n, kept), shape)};
                });
}

// ---- Functions of squares. In f32 the square of 10²⁰ overflows, and that of 10⁻³⁰ is 0.

namespace {

/// Σ x² = sum / scale², where `scale` is undefined for 1: a result is representable even if its
/// square overflows or underflows.
struct Squares {
  Tensor sum, scale;
};

/// Whether one of these sums is so large or so small that squares may be inexact.
bool some_lost(const Tensor& sums) {
  return dispatch_floating(sums.dtype(), "norm", [&]<class T>() {
    const T *s = sums.data<T>(), least = 4 * std::numeric_limits<T>::min();
    return !std::all_of(s, s + sums.numel(),
                        [=](T v) { return v >= least && v <= std::numeric_limits<T>::max(); });
  });
}

/// For the largest |x| of a row, the power of two that brings it to [1, 2): multiplying by it
/// rounds nothing. 1 if |x| is 0, infinite or NaN.
Tensor powers_of_two(const Tensor& largest) {
  Tensor scale = Tensor::empty(largest.shape(), largest.dtype());
  dispatch_floating(largest.dtype(), "norm", [&]<class T>() {
    // Below the smallest normal number a power of two has no inverse.
    static constexpr int lowest = std::numeric_limits<T>::min_exponent - 1;
    const T* from = largest.data<T>();
    std::transform(from, from + largest.numel(), scale.data<T>(), [](T v) {
      if (!(v > 0) || !std::isfinite(v)) return T(1);
      return std::ldexp(T(1), -std::max(std::ilogb(v), lowest));
    });
  });
  return scale;
}

/// Not recorded.
Squares sum_of_squares(const Tensor& x, const Axes& dims, const ReducedDims& over) {
  const NoGrad guard;
  Tensor sum = detail::reduce(Reduce::sum_squares, x, over);
  if (x.numel() == 0 || !some_lost(sum)) return {sum, {}};
  const Tensor scale = powers_of_two(amax(abs(x), dims, true));
  return {detail::reduce(Reduce::sum_squares, x * scale, over), reshape(scale, over.result)};
}

/// x − mean(x). The mean is rounded. If the elements are far from 0 and close together, the
/// rounding error is as large as their differences, so it is subtracted as well.
Tensor centred(const Tensor& x, const Axes& dims) {
  const Tensor d = x - mean(x, dims, true);
  return d - mean(d, dims, true);
}

/// What var and stddev are made of: Σ(x − mean)² and n − correction. Not recorded.
struct Spread {
  ReducedDims over;
  double freedom;
  Squares squares;
};

Spread spread_of(const char* op, const Tensor& x, const Axes& dims, int64_t correction,
                 bool keepdim) {
  detail::check_floating(x, op);
  const ReducedDims over = detail::reduced_dims(x, dims, keepdim, op);
  const double n = static_cast<double>(over.count);
  return {over, std::max(0.0, n - static_cast<double>(correction)),
          no_grad([&] { return sum_of_squares(centred(x, dims), dims, over); })};
}

}  // namespace

/// y = Σ(x − mean)² / (n − correction).   dx = ⟨dy⟩ · 2 (x − mean) / (n − correction)
/// (the mean depends on x as well, but Σ(x − mean) = 0)       saved: x
/// The mean is subtracted first: Σx² − n·mean² would cancel. Without degrees of freedom it is NaN
/// or ∞, as in PyTorch.
Tensor var(const Arg& x, const Axes& dims, int64_t correction, bool keepdim) {
  const auto [over, freedom, squares] = spread_of("var", x, dims, correction, keepdim);
  const auto& [sum, scale] = squares;
  const Tensor y = scale.defined() ? sum / freedom / scale / scale : sum / freedom;
  return record("var", {x}, y, Save{x},
                [dims, kept = over.kept, freedom = slope_divisor(x, freedom)](
                    const Saved& saved, const Tensor& dy) -> Grads {
                  return {reshape(dy, kept) * (2 / freedom) * centred(saved[0], dims)};
                });
}

/// y = √var.   dx = ⟨dy⟩ · (x − mean) / y / (n − correction), 0 where y = 0       saved: x, y
Tensor stddev(const Arg& x, const Axes& dims, int64_t correction, bool keepdim) {
  const auto [over, freedom, squares] = spread_of("stddev", x, dims, correction, keepdim);
  const auto& [sum, scale] = squares;
  const Tensor y = scale.defined() ? sqrt(sum / freedom) / scale : sqrt(sum / freedom);
  return record("stddev", {x}, y, Save{x, y},
                [dims, kept = over.kept, freedom = slope_divisor(x, freedom)](
                    const Saved& saved, const Tensor& d) -> Grads {
                  const Tensor y = with_zeros_as_ones(reshape(saved[1], kept));
                  const Tensor dy = reshape(d, kept) / freedom;
                  return {dy * (centred(saved[0], dims) / y)};
                });
}

namespace {

/// amax and amin.   dx = ⟨dy⟩ · [x = y] / (how many are equal to y)       saved: x, y
Tensor extreme(const char* op, Reduce reduce, const Arg& x, const Axes& dims, bool keepdim) {
  const ReducedDims over = detail::reduced_dims(x, dims, keepdim, op);
  check_not_empty(over, x, op);
  check(x.dtype() != boolean, op, "dtype bool has no order: use any() or all()");
  if (x.dtype() == i64) {
    using Limits = std::numeric_limits<int64_t>;
    return reduce == Reduce::max
               ? reduce_exactly<int64_t>(x, over, i64, Limits::min(),
                                         [](int64_t a, int64_t b) { return a > b ? a : b; })
               : reduce_exactly<int64_t>(x, over, i64, Limits::max(),
                                         [](int64_t a, int64_t b) { return a < b ? a : b; });
  }
  Tensor y = detail::reduce(reduce, x, over);
  return record(op, {x}, y, Save{x, y},
                [dims, kept = over.kept](const Saved& saved, const Tensor& dy) -> Grads {
                  const Tensor at = stands_at(saved[0], reshape(saved[1], kept));
                  return {reshape(dy, kept) * (at / sum(at, dims, true))};
                });
}

}  // namespace

Tensor amax(const Arg& x, const Axes& dims, bool keepdim) {
  return extreme("amax", Reduce::max, x, dims, keepdim);
}
Tensor amin(const Arg& x, const Axes& dims, bool keepdim) {
  return extreme("amin", Reduce::min, x, dims, keepdim);
}
Tensor max(const Arg& x) { return amax(x); }
Tensor min(const Arg& x) { return amin(x); }

/// y = log Σ eˣ.   dx = ⟨dy⟩ · e^{x − y}, the softmax       saved: x, y
Tensor logsumexp(const Arg& x, const Axes& dims, bool keepdim) {
  detail::check_floating(x, "logsumexp");
  const ReducedDims over = detail::reduced_dims(x, dims, keepdim, "logsumexp");
  Tensor y = Tensor::empty(over.result, x.dtype());
  if (x.numel() == 0) {
    fill_elements(y, -INFINITY);
  } else {
    const Tensor rows = detail::as_rows(x, over);
    dispatch_floating(x.dtype(), "logsumexp", [&]<class T>() {
      const auto logsumexp = kernels::active<kernels::SoftmaxKernels<T>>().logsumexp;
      parallel_for(y.numel(), detail::rows_per_chunk(over.count, 8192),
                   [&, n = over.count](int64_t begin, int64_t end) {
                     logsumexp(end - begin, n, rows.data<T>() + begin * n, y.data<T>() + begin);
                   });
    });
  }
  return record("logsumexp", {x}, y, Save{x, y},
                [kept = over.kept](const Saved& saved, const Tensor& dy) -> Grads {
                  const Tensor x = saved[0], y = reshape(saved[1], kept);
                  // Rows of only −∞ get zeros, not e^{−∞ + ∞} = NaN.
                  return {reshape(dy, kept) * exp(x - masked_fill(y, y == -INFINITY, 0))};
                });
}

namespace {

/// (Σ|x|ᵖ)^{1/p}, not recorded.
Tensor norm_value(const Tensor& x, double p, const Axes& dims, bool keepdim,
                  const ReducedDims& over) {
  const NoGrad guard;
  if (p == 1) return sum(abs(x), dims, keepdim);
  if (std::isinf(p)) return amax(abs(x), dims, keepdim);
  if (p == 2) {
    const auto [sum, scale] = sum_of_squares(x, dims, over);
    return scale.defined() ? sqrt(sum) / scale : sqrt(sum);
  }
  const Tensor size = abs(x), powers = sum(pow(size, p), dims, keepdim);
  if (x.numel() == 0 || !some_lost(powers)) return pow(powers, 1 / p);
  const Tensor most = amax(size, dims, true), unit = where(most > 0 && isfinite(most), most, 1);
  return reshape(unit, over.result) * pow(sum(pow(size / unit, p), dims, keepdim), 1 / p);
}

}  // namespace

/// y = (Σ|x|ᵖ)^{1/p}, or max |x| for p = ∞.       saved: x, y
///   dx = ⟨dy⟩ · sign(x) · (|x| / y)ᵖ⁻¹           which for p = 2 is ⟨dy⟩ · x / y
///   dx = ⟨dy⟩ · sign(x) · [|x| = y] / (how many are)                   for p = ∞
/// all of it 0 where y = 0.
Tensor norm(const Arg& x, double p, const Axes& dims, bool keepdim) {
  detail::check_floating(x, "norm");
  check(p > 0, "norm", "p = ", p, ": use 1, 2, another positive number, or infinity");
  const ReducedDims over = detail::reduced_dims(x, dims, keepdim, "norm");
  if (std::isinf(p)) check_not_empty(over, x, "norm");
  const Tensor y = norm_value(x, p, dims, keepdim, over);
  return record("norm", {x}, y, Save{x, y},
                [p, dims, kept = over.kept](const Saved& saved, const Tensor& d) -> Grads {
                  const Tensor x = saved[0], y = reshape(saved[1], kept), dy = reshape(d, kept);
                  if (p == 1) return {dy * sign(x)};
                  if (std::isinf(p)) {
                    const Tensor at = stands_at(abs(x), y);
                    return {dy * sign(x) * (at / sum(at, dims, true))};
                  }
                  const Tensor divisor = with_zeros_as_ones(y);
                  if (p == 2) return {dy * (x / divisor)};
                  // sign(0) = 0 already; 0ᵖ⁻¹ would be infinite for p < 1.
                  const Tensor share = masked_fill(abs(x) / divisor, x == 0.0, 1);
                  return {dy * sign(x) * pow(share, p - 1)};
                });
}

namespace {

/// The product of all elements before each one along the last dimension: 1, x₀, x₀·x₁, …
/// By doubling: after k steps each holds the product of the 2ᵏ elements before it.
Tensor products_before(const Tensor& x) {
  const int64_t n = x.size(-1);
  Tensor y = slice(pad(x, {1, 0}, 1), -1, 0, n);
  for (int64_t step = 1; step < n; step *= 2) y = y * slice(pad(y, {step, 0}, 1), -1, 0, n);
  return y;
}

/// Π x, not recorded; in f64, because every factor adds a rounding error, and a product of ordinary
/// size may have intermediate results outside the range of f32.
Tensor product(const Tensor& x, const ReducedDims& over) {
  const NoGrad guard;
  return to(detail::reduce(Reduce::prod, to(x, f64), over), x.dtype());
}

}  // namespace

/// y = Π x.   dx_i = ⟨dy⟩ · Π_{j≠i} x_j       saved: x
/// The product of the others is that of the elements before times that of those after, not y / x_i,
/// which fails for x_i = 0. Both are computed in f64, for any dtype.
Tensor prod(const Arg& x, const Axes& dims, bool keepdim) {
  const ReducedDims over = detail::reduced_dims(x, dims, keepdim, "prod");
  if (x.dtype() == i64) return reduce_exactly<int64_t>(x, over, i64, 1, wrapping_multiply);
  if (x.dtype() == boolean) return reduce_exactly<bool>(x, over, i64, 1, wrapping_multiply);
  return record("prod", {x}, product(x, over), Save{x},
                [over](const Saved& saved, const Tensor& dy) -> Grads {
                  if (saved[0].numel() == 0) return {zeros_like(saved[0])};
                  const Tensor x = to(saved[0], f64);
                  // Kept dimensions first; then the others as one row, and back.
                  Shape order, shape, inverse = Shape::filled(x.dim(), 0);
                  for (bool reduced : {false, true})
                    for (int d = 0; d < x.dim(); ++d)
                      if (over.reduced[static_cast<size_t>(d)] == reduced) {
                        inverse[d] = order.size();
                        order.push_back(d);
                        shape.push_back(x.shape()[d]);
                      }
                  const Tensor rows = reshape(permute(x, order), {over.kept.numel(), over.count});
                  const Tensor others =
                      products_before(rows) * flip(products_before(flip(rows, -1)), -1);
                  const Tensor factor = to(permute(reshape(others, shape), inverse), dy.dtype());
                  return {reshape(dy, over.kept) * factor};
                });
}

/// No gradient.
Tensor count_nonzero(const Arg& x, const Axes& dims) {
  const CallScope here(x.at);
  return sum(x.dtype() == boolean ? Tensor(x) : x != 0.0, dims);
}

/// Whether an element is true; false for an empty tensor. No gradient.
Tensor any(const Arg& x, const Axes& dims, bool keepdim) {
  check(x.dtype() == boolean, "any", "dtype ", x.dtype(), " where bool is needed: compare first");
  return reduce_exactly<bool>(x, detail::reduced_dims(x, dims, keepdim, "any"), boolean, 0,
                              [](int64_t a, int64_t b) { return a | b; });
}

/// Whether no element is false; true for an empty tensor. No gradient.
Tensor all(const Arg& x, const Axes& dims, bool keepdim) {
  check(x.dtype() == boolean, "all", "dtype ", x.dtype(), " where bool is needed: compare first");
  return reduce_exactly<bool>(x, detail::reduced_dims(x, dims, keepdim, "all"), boolean, 1,
                              [](int64_t a, int64_t b) { return a & b; });
}

}  // namespace tarsier
