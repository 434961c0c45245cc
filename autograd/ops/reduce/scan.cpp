// Along one dimension: argmax and argmin; max, min and median with their index; cumsum, cumprod.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <type_traits>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/loops/copy.h"
#include "autograd/loops/reduce.h"
#include "autograd/ops.h"
#include "autograd/ops/record.h"

namespace tarsier {
namespace {

using detail::ReducedDims;

/// Whether `a` is a new best after `b`. NaN counts as the most extreme of all, as in PyTorch.
template <class T>
bool beats(T a, T b, bool largest) {
  if (a != a) return b == b;
  return largest ? a > b : a < b;
}

/// The index that `choose(row, n)` gives for every row.
template <class Choose>
Tensor index_of_each(const char* op, const Tensor& x, const ReducedDims& over,
                     const Choose& choose) {
  check(over.count > 0 || over.kept.numel() == 0, op, "a tensor of shape ", x.shape(),
        " has no elements to choose from");
  Tensor y = Tensor::empty(over.result, i64);
  const Tensor rows = detail::as_rows(x, over);
  int64_t* index = y.data<int64_t>();
  dispatch_all(x.dtype(), [&]<class T>() {
    parallel_for(y.numel(), detail::rows_per_chunk(over.count, detail::kReduceChunk),
                 [&, n = over.count](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i)
                     index[i] = choose(rows.data<T>() + i * n, n);
                 });
  });
  return y;
}

/// The index of the first best element of every row.
Tensor best_index(const char* op, const Tensor& x, const ReducedDims& over, bool largest) {
  return index_of_each(op, x, over, [largest]<class T>(const T* row, int64_t n) {
    int64_t best = 0;
    for (int64_t j = 1; j < n; ++j)
      if (beats(row[j], row[best], largest)) best = j;
    return best;
  });
}

/// The index of the first element of every row that is its median: NaN if there is one, and of an
/// even number the lower of the two in the middle.
Tensor median_index(const char* op, const Tensor& x, const ReducedDims& over) {
  check(x.dtype() != boolean, op, "dtype bool has no order: convert with to(x, i64)");
  return index_of_each(op, x, over, []<class T>(const T* row, int64_t n) -> int64_t {
    if constexpr (std::is_same_v<T, bool>) {
      return 0;  // refused above
    } else {
      const T* nan = std::find_if(row, row + n, [](T v) { return v != v; });
      if (nan != row + n) return nan - row;
      std::vector<T> sorted(row, row + n);
      const auto middle = sorted.begin() + (n - 1) / 2;
      std::nth_element(sorted.begin(), middle, sorted.end());
      return std::find(row, row + n, *middle) - row;
    }
  });
}

Tensor arg_extreme(const char* op, const Tensor& x, std::optional<int64_t> dim, bool keepdim,
                   bool largest) {
  const Axes dims = dim ? Axes(*dim) : Axes();
  return best_index(op, x, detail::reduced_dims(x, dims, keepdim, op), largest);
}

/// The elements along `dim` at `index`, one for each row.
///   dx = dy at the index, 0 elsewhere       saved: the index
ValuesIndices with_index(const char* op, const Arg& x, int64_t dim, const ReducedDims& over,
                         const Tensor& index) {
  Tensor values =
      no_grad([&] { return reshape(gather(x, dim, reshape(index, over.kept)), over.result); });
  if (!is_floating(x.dtype())) return {values, index};
  values = record(
      op, {x}, values, Save{index},
      [dim, shape = x.shape(), kept = over.kept](const Saved& saved, const Tensor& dy) -> Grads {
        const Tensor nothing = zeros(shape, dy.dtype());
        return {scatter_add(nothing, dim, reshape(saved[0], kept), reshape(dy, kept))};
      });
  return {values, index};
}

ValuesIndices extreme_with_index(const char* op, const Arg& x, int64_t dim, bool keepdim,
                                 bool largest) {
  const ReducedDims over = detail::reduced_dims(x, Axes(dim), keepdim, op);
  return with_index(op, x, dim, over, best_index(op, x, over, largest));
}

}  // namespace

Tensor argmax(const Arg& x, std::optional<int64_t> dim, bool keepdim) {
  return arg_extreme("argmax", x, dim, keepdim, true);
}
Tensor argmin(const Arg& x, std::optional<int64_t> dim, bool keepdim) {
  return arg_extreme("argmin", x, dim, keepdim, false);
}

ValuesIndices max(const Arg& x, int64_t dim, bool keepdim) {
  return extreme_with_index("max", x, dim, keepdim, true);
}
ValuesIndices min(const Arg& x, int64_t dim, bool keepdim) {
  return extreme_with_index("min", x, dim, keepdim, false);
}

ValuesIndices median(const Arg& x, int64_t dim, bool keepdim) {
  const ReducedDims over = detail::reduced_dims(x, Axes(dim), keepdim, "median");
  return with_index("median", x, dim, over, median_index("median", x, over));
}

/// y = the middle element.   dx = dy · [x = y] / (how many are equal to y)       saved: x, y
Tensor median(const Arg& x) {
  if (x.numel() == 0 && is_floating(x.dtype())) {
    const Tensor none = full({}, std::numeric_limits<double>::quiet_NaN(), x.dtype());
    return record("median", {x}, none, Save{},
                  [shape = x.shape()](const Saved&, const Tensor& dy) -> Grads {
                    return {expand(reshape(dy, {1}), shape)};
                  });
  }
  const ReducedDims over = detail::reduced_dims(x, {}, false, "median");
  const Tensor index = median_index("median", x, over);
  const Tensor y = reshape(index_select(reshape(x.detach(), {-1}), 0, reshape(index, {1})), {});
  return detail::record_floating(
      "median", {x}, y, Save{x, y}, [](const Saved& saved, const Tensor& dy) -> Grads {
        const Tensor x = saved[0].detach(), y = saved[1].detach();
        const Tensor at = to(x == y || (isnan(x) && isnan(y)), x.dtype());
        return {dy * (at / sum(at))};
      });
}

// ------------------------------------------------------------------------------------- cumsum

namespace {

/// y_i = step(y_{i−1}, k) along the last dimension of contiguous rows, with y_{−1} = `first`; k is
/// the index of the element in row-major order. The running value is of type Acc.
template <class Acc, class T, class Step>
void run_along_rows(const Tensor& y, Acc first, const Step& step) {
  const int64_t n = y.shape().back();
  T* to = y.data<T>();
  parallel_for(n == 0 ? 0 : y.numel() / n, detail::rows_per_chunk(n, detail::kReduceChunk),
               [&](int64_t begin, int64_t end) {
                 for (int64_t row = begin; row < end; ++row) {
                   Acc value = first;
                   for (int64_t i = row * n; i < (row + 1) * n; ++i) {
                     value = step(value, i);
                     to[i] = static_cast<T>(value);
                   }
                 }
               });
}

/// y_i = step(y_{i−1}, x_i) along dimension d, with y_{−1} = `first`. f32 is computed in f64, as
/// PyTorch does it: a running sum cannot be a tree. i64 wraps around.
template <class Step>
Tensor running(const Tensor& x, int d, int first, const Step& step) {
  const Tensor rows = detail::rows_along(x, d);
  const Tensor y = Tensor::empty(rows.shape(), x.dtype());
  dispatch_all(x.dtype(), [&]<class T>() {
    using Acc = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;
    const T* from = rows.data<T>();
    run_along_rows<Acc, T>(y, static_cast<Acc>(first), [=](Acc before, int64_t i) {
      return step(before, static_cast<Acc>(from[i]));
    });
  });
  return detail::rows_back(y, d);
}

}  // namespace

/// y_i = x_0 + … + x_i.   dx_i = dy_i + … + dy_n: the running sum from the other end
Tensor cumsum(const Arg& x, int64_t dim) {
  const int d = wrap_dim(dim, x.dim(), "cumsum");
  if (x.dtype() == boolean) {
    const CallScope here(x.at);
    return cumsum(to(x, i64), dim);
  }
  return detail::record_floating(
      "cumsum", {x}, running(x, d, 0, std::plus<>()), Save{},
      [d](const Saved&, const Tensor& dy) -> Grads { return {flip(cumsum(flip(dy, d), d), d)}; });
}

// ------------------------------------------------------------------------------------- cumprod

namespace {

/// y_i = b_i + a_i · y_{i−1} along the last dimension, with y_{−1} = 0.
///   db_i = g_i + a_{i+1} · db_{i+1}: the same from the other end
///   da_i = db_i · y_{i−1}                  saved: a, y
Tensor recurrence(const Arg& a, const Arg& b) {
  const Tensor from_a = contiguous_elements(a), from_b = contiguous_elements(b);
  const Tensor y = Tensor::empty(b.shape(), b.dtype());
  dispatch_floating(b.dtype(), "cumprod", [&]<class T>() {
    const T *pa = from_a.data<T>(), *pb = from_b.data<T>();
    run_along_rows<double, T>(y, 0.0,
                              [=](double before, int64_t i) { return pb[i] + pa[i] * before; });
  });
  return record("recurrence", {a, b}, y, Save{a, y},
                [](const Saved& saved, const Tensor& dy) -> Grads {
                  const Tensor a = saved[0], y = saved[1];
                  const int64_t n = a.size(-1);
                  const Tensor after = slice(pad(a, {0, 1}), -1, 1);  // a_{i+1}
                  const Tensor db = flip(recurrence(flip(after, -1), flip(dy, -1)), -1);
                  return {db * slice(pad(y, {1, 0}), -1, 0, n), db};
                });
}

}  // namespace

/// y_i = x_0 · … · x_i.   dx_i = y_{i−1} · r_i with r_i = dy_i + x_{i+1} · r_{i+1}     saved: x, y
/// Because y_k = y_{i−1} · x_i · x_{i+1} · … · x_k, and r_i sums dy_k · x_{i+1} · … · x_k over k ≥
/// i. There is no division by x, so zeros do no harm.
Tensor cumprod(const Arg& x, int64_t dim) {
  const int d = wrap_dim(dim, x.dim(), "cumprod");
  if (x.dtype() == boolean) {
    const CallScope here(x.at);
    return cumprod(to(x, i64), dim);
  }
  const Tensor y = running(x, d, 1, std::multiplies<>());
  return detail::record_floating(
      "cumprod", {x}, y, Save{x, y}, [d](const Saved& saved, const Tensor& g) -> Grads {
        const Tensor x = transpose(saved[0], d, -1), y = transpose(saved[1], d, -1);
        const Tensor dy = transpose(g, d, -1), after = slice(pad(x, {0, 1}), -1, 1);
        const Tensor rest = flip(recurrence(flip(after, -1), flip(dy, -1)), -1);
        const Tensor before = slice(pad(y, {1, 0}, 1), -1, 0, x.size(-1));
        return {transpose(before * rest, d, -1)};
      });
}

}  // namespace tarsier
