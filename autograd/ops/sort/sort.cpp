// Sorting and sampling: topk, sort, argsort, multinomial.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/loops/copy.h"
#include "autograd/loops/random.kernel.h"
#include "autograd/ops.h"
#include "autograd/simd/dispatch.h"

namespace tarsier {
namespace {

/// Elements worth waking a thread for.
constexpr int64_t kGrain = 4096;

/// a < b, with NaN above all numbers.
template <class T>
bool is_less(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return a < b || (std::isnan(b) && !std::isnan(a));
  else
    return a < b;
}

/// The positions 0 … n − 1 of `row`, of which the first k are those of the k smallest (largest)
/// elements in order; equal elements keep theirs.
template <class T>
void order_row(const T* row, int64_t k, bool descending, std::vector<int64_t>& order) {
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto before = [=](int64_t i, int64_t j) {
    const T a = descending ? row[j] : row[i], b = descending ? row[i] : row[j];
    return is_less(a, b) || (!is_less(b, a) && i < j);
  };
  if (k == static_cast<int64_t>(order.size()))
    std::sort(order.begin(), order.end(), before);
  else
    std::partial_sort(order.begin(), order.begin() + k, order.end(), before);
}

/// The positions along dimension `d` of the k smallest (largest) elements, in order.
Tensor ordered_indices(const Tensor& x, int d, int64_t k, bool descending) {
  const NoGrad guard;
  const Tensor rows = contiguous_elements(transpose(x, d, -1));
  const int64_t n = rows.size(-1);
  Shape shape = rows.shape();
  shape[shape.size() - 1] = k;
  Tensor indices = Tensor::empty(shape, i64);
  if (indices.numel() > 0)
    dispatch_all(x.dtype(), [&]<class T>() {
      const T* in = rows.data<T>();
      int64_t* out = indices.data<int64_t>();
      parallel_for(indices.numel() / k, std::max<int64_t>(1, kGrain / n),
                   [&](int64_t begin, int64_t end) {
                     std::vector<int64_t> order(static_cast<size_t>(n));
                     for (int64_t r = begin; r < end; ++r) {
                       order_row(in + r * n, k, descending, order);
                       std::copy_n(order.begin(), k, out + r * k);
                     }
                   });
    });
  return contiguous(transpose(indices, d, -1));
}

/// Throws unless every weight is a finite number ≥ 0 and every row has enough that are not 0.
void check_weights(const std::vector<double>& weights, const Shape& shape, int64_t samples,
                   bool replacement) {
  const int64_t n = shape.back();
  check(samples >= 1, "multinomial", samples, " samples: 1 or more are needed");
  check(n >= 1, "multinomial", "weights of shape ", shape, ": there is nothing to draw from");
  const int64_t rows = static_cast<int64_t>(weights.size()) / n;
  for (int64_t r = 0; r < rows; ++r) {
    int64_t possible = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double w = weights[static_cast<size_t>(r * n + i)];
      check(std::isfinite(w) && w >= 0, "multinomial", "weight ", w, " at position ", i, " of row ",
            r, ": weights are finite and not negative");
      possible += w > 0;
    }
    check(possible > 0, "multinomial", "all weights of row ", r,
          " are 0: there is nothing to draw");
    check(replacement || samples <= possible, "multinomial", samples,
          " samples without replacement, but row ", r, " has only ", possible,
          " weights that are not 0: draw fewer, or with replacement");
  }
}

/// The first of n rising numbers that exceeds u, or n. Halving without branches, which could not be
/// predicted.
int64_t first_above(const double* sums, int64_t n, double u) {
  const double* at = sums;
  while (n > 1) {
    const int64_t half = n / 2;
    at += half * (at[half - 1] <= u);
    n -= half;
  }
  return at - sums + (*at <= u);
}

/// Draws with probability w_i / Σ w by looking up u · Σ w in the running sums.
void draw_with_replacement(const double* weights, int64_t n, RandomKey key, uint64_t counter,
                           int64_t* out, int64_t samples) {
  // Relative to the largest, so that the sum cannot overflow.
  const double largest = *std::max_element(weights, weights + n);
  std::vector<double> sums(static_cast<size_t>(n));
  double total = 0;
  int64_t last = 0;  // the last one that can be drawn
  for (int64_t i = 0; i < n; ++i) {
    const double w = weights[i] / largest;
    total += w;
    sums[static_cast<size_t>(i)] = total;
    if (w > 0) last = i;
  }
  constexpr int64_t kBlock = 256;
  double u[kBlock];
  for (int64_t first = 0; first < samples; first += kBlock) {
    const int64_t count = std::min(kBlock, samples - first);
    kernels::active<kernels::RandomKernels<double>>().uniform(
        key, counter + static_cast<uint64_t>(first), count, u);
    // The first whose running sum exceeds u: never one of weight 0, whose sum equals the previous.
    for (int64_t s = 0; s < count; ++s)
      out[first + s] = std::min(first_above(sums.data(), n, u[s] * total), last);
  }
}

/// A race: i arrives at time e_i / w_i, with e_i drawn from the exponential distribution. The first
/// is i with probability w_i / Σ w, and so is the next among those that remain.
/// Source: Efraimidis & Spirakis, "Weighted random sampling with a reservoir", 2006.
void draw_without_replacement(const double* weights, int64_t n, RandomKey key, uint64_t counter,
                              int64_t* out, int64_t samples) {
  std::vector<std::pair<double, int64_t>> arrivals;
  for (int64_t i = 0; i < n; ++i) {
    if (weights[i] == 0) continue;
    const double u = uniform<double>(key, counter + static_cast<uint64_t>(i));
    // Logarithms of the times, because tiny weights would overflow.
    arrivals.emplace_back(std::log(-std::log1p(-u)) - std::log(weights[i]), i);
  }
  std::partial_sort(arrivals.begin(), arrivals.begin() + samples, arrivals.end());
  for (int64_t s = 0; s < samples; ++s) out[s] = arrivals[static_cast<size_t>(s)].second;
}

}  // namespace

/// The values come from gather, which has a gradient.
ValuesIndices topk(const Arg& x, int64_t k, int64_t dim, bool largest) {
  const int d = wrap_dim(dim, x.dim(), "topk");
  check(k >= 0 && k <= x.size(d), "topk", "k = ", k, " of dimension ", d, " in shape ", x.shape(),
        ": use 0 to ", x.size(d));
  const Tensor indices = ordered_indices(x, d, k, largest);
  return {gather(x, d, indices), indices};
}

ValuesIndices sort(const Arg& x, int64_t dim, bool descending) {
  const int d = wrap_dim(dim, x.dim(), "sort");
  const Tensor indices = ordered_indices(x, d, x.size(d), descending);
  return {gather(x, d, indices), indices};
}

Tensor argsort(const Arg& x, int64_t dim, bool descending) {
  const int d = wrap_dim(dim, x.dim(), "argsort");
  return ordered_indices(x, d, x.size(d), descending);
}

Tensor multinomial(const Tensor& weights, int64_t samples, bool replacement, Generator& generator) {
  check(weights.dim() == 1 || weights.dim() == 2, "multinomial", "weights of shape ",
        weights.shape(), ": (K) or (N, K) is needed");
  check(is_floating(weights.dtype()), "multinomial", "weights are ", weights.dtype(),
        ": f32 or f64 is needed");
  const std::vector<double> w = weights.to_vector<double>();
  check_weights(w, weights.shape(), samples, replacement);
  const int64_t n = weights.size(-1), rows = weights.numel() / n;
  Shape shape = weights.shape();
  shape[shape.size() - 1] = samples;
  Tensor out = Tensor::empty(shape, i64);
  int64_t* drawn = out.data<int64_t>();
  const RandomKey key = generator.next();
  // Every row has its own random numbers: one per sample, or one per weight.
  const int64_t draws = replacement ? samples : n;
  const auto draw = replacement ? draw_with_replacement : draw_without_replacement;
  parallel_for(rows, std::max<int64_t>(1, kGrain / n), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      draw(w.data() + r * n, n, key, static_cast<uint64_t>(r * draws), drawn + r * samples,
           samples);
  });
  return out;
}

}  // namespace tarsier
