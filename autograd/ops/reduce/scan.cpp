// Along one dimension: argmax and argmin, max and min with their index, cumsum.
#include <cmath>

#include "autograd/base/parallel.h"
#include "autograd/loops/copy.h"
#include "autograd/loops/reduce.h"
#include "autograd/ops.h"

namespace tarsier {
namespace {

using detail::ReducedDims;

/// Whether `a` is a new best after `b`. NaN counts as the most extreme of all, as in PyTorch.
template <class T>
bool beats(T a, T b, bool largest) {
  if (a != a) return b == b;
  return largest ? a > b : a < b;
}

/// The index of the first best element of every row.
Tensor best_index(const char* op, const Tensor& x, const ReducedDims& over, bool largest) {
  check(over.count > 0 || over.kept.numel() == 0, op, "a tensor of shape ", x.shape(),
        " has no elements to choose from");
  Tensor y = Tensor::empty(over.result, i64);
  const Tensor rows = detail::as_rows(x, over);
  int64_t* index = y.data<int64_t>();
  dispatch_all(x.dtype(), [&]<class T>() {
    parallel_for(y.numel(), detail::rows_per_chunk(over.count, detail::kReduceChunk),
                 [&, n = over.count](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i) {
                     const T* row = rows.data<T>() + i * n;
                     int64_t best = 0;
                     for (int64_t j = 1; j < n; ++j)
                       if (beats(row[j], row[best], largest)) best = j;
                     index[i] = best;
                   }
                 });
  });
  return y;
}

Tensor arg_extreme(const char* op, const Tensor& x, std::optional<int64_t> dim, bool keepdim,
                   bool largest) {
  const Axes dims = dim ? Axes(*dim) : Axes();
  return best_index(op, x, detail::reduced_dims(x, dims, keepdim, op), largest);
}

/// The extreme elements along `dim` and where they stand.
///   dx = dy at the index, 0 elsewhere       saved: the index
ValuesIndices extreme_with_index(const char* op, const Arg& x, int64_t dim, bool keepdim,
                                 bool largest) {
  const ReducedDims over = detail::reduced_dims(x, Axes(dim), keepdim, op);
  const Tensor index = best_index(op, x, over, largest);
  Tensor values;
  {
    NoGrad guard;
    values = reshape(gather(x, dim, reshape(index, over.kept)), over.result);
  }
  if (!is_floating(x.dtype())) return {values, index};
  values = record(
      op, {x}, values, Save{index},
      [dim, shape = x.shape(), kept = over.kept](const Saved& saved, const Tensor& dy) -> Grads {
        const Tensor nothing = zeros(shape, dy.dtype());
        return {scatter_add(nothing, dim, reshape(saved[0], kept), reshape(dy, kept))};
      });
  return {values, index};
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

/// y_i = x_0 + … + x_i.   dx_i = dy_i + … + dy_n: the running sum from the other end
Tensor cumsum(const Arg& x, int64_t dim) {
  const int d = wrap_dim(dim, x.dim(), "cumsum");
  if (x.dtype() == boolean) return cumsum(Arg(to(x, i64), x.at), dim);
  const Tensor rows = detail::rows_along(x, d);
  Tensor y = Tensor::empty(rows.shape(), x.dtype());
  const int64_t n = x.shape()[d];
  dispatch_all(x.dtype(), [&]<class T>() {
    // f32 is added up in f64, as PyTorch does it: a running sum cannot be a tree. i64 wraps around.
    using Sum = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;
    parallel_for(n == 0 ? 0 : x.numel() / n, detail::rows_per_chunk(n, detail::kReduceChunk),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i) {
                     const T* from = rows.data<T>() + i * n;
                     T* to = y.data<T>() + i * n;
                     Sum sum = 0;
                     for (int64_t j = 0; j < n; ++j) {
                       sum += static_cast<Sum>(from[j]);
                       to[j] = static_cast<T>(sum);
                     }
                   }
                 });
  });
  y = detail::rows_back(y, d);
  if (!is_floating(x.dtype())) return y;
  return record("cumsum", {x}, y, Save{}, [d](const Saved&, const Tensor& dy) -> Grads {
    return {flip(cumsum(flip(dy, d), d), d)};
  });
}

}  // namespace tarsier
