// Searching and counting: searchsorted, bincount.
#include <algorithm>
#include <cmath>

#include "autograd/base/parallel.h"
#include "autograd/loops/copy.h"
#include "autograd/loops/elementwise.h"
#include "autograd/loops/grain.h"
#include "autograd/ops.h"

namespace tarsier {

Tensor searchsorted(const Tensor& sorted, const Tensor& values, bool right) {
  detail::check_same_dtype(sorted, values, "searchsorted");
  check(sorted.dim() >= 1, "searchsorted",
        "the sorted tensor is a scalar: (n) or (…, n) is needed");
  const bool one_row = sorted.dim() == 1;
  bool fits = one_row || values.dim() == sorted.dim();
  for (int d = 0; fits && !one_row && d < sorted.dim() - 1; ++d)
    fits = sorted.shape()[d] == values.shape()[d];
  check(fits, "searchsorted", "sorted rows of shape ", sorted.shape(), " for values of shape ",
        values.shape(), ": they may differ in the last dimension only, or sorted is one row (n)");
  const Tensor rows = contiguous_elements(sorted), wanted = contiguous_elements(values);
  const Tensor y = Tensor::empty(values.shape(), i64);
  const int64_t n = sorted.size(-1), per_row = one_row || y.numel() == 0 ? y.numel() : y.size(-1);
  int64_t* to = y.data<int64_t>();
  dispatch_all(sorted.dtype(), [&]<class T>() {
    const T *from = rows.data<T>(), *v = wanted.data<T>();
    // As in sort(), NaN is above all numbers.
    const auto less = [](T a, T b) {
      if constexpr (std::is_floating_point_v<T>)
        return a < b || (std::isnan(b) && !std::isnan(a));
      else
        return a < b;
    };
    parallel_for(y.numel(), detail::kCostlyGrain, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T* row = from + i / per_row * n;
        const T* place = right ? std::upper_bound(row, row + n, v[i], less)
                               : std::lower_bound(row, row + n, v[i], less);
        to[i] = place - row;
      }
    });
  });
  return y;
}

Tensor bincount(const Tensor& x, const Tensor& weights, int64_t minlength) {
  check(x.dtype() == i64, "bincount", "x is ", x.dtype(), ": numbers to count are i64");
  check(x.dim() == 1, "bincount", "x of shape ", x.shape(), ": (n) is needed; flatten it");
  check(minlength >= 0, "bincount", "minlength ", minlength, ": 0 or more is needed");
  if (weights.defined()) {
    check(is_floating(weights.dtype()), "bincount", "weights are ", weights.dtype(),
          ": f32 or f64 is needed");
    check(weights.shape() == x.shape(), "bincount", "weights of shape ", weights.shape(),
          " for x of shape ", x.shape(), ": they must be equal");
  }
  const Tensor numbers = contiguous_elements(x);
  const int64_t* p = numbers.data<int64_t>();
  int64_t length = minlength;
  for (int64_t i = 0; i < x.numel(); ++i) {
    check(p[i] >= 0, "bincount", "number ", p[i], " at position ", i,
          ": negative ones cannot be counted");
    length = std::max(length, p[i] == INT64_MAX ? p[i] : p[i] + 1);
  }
  const Tensor y = zeros({length}, weights.defined() ? weights.dtype() : i64);
  if (weights.defined()) {
    const Tensor factors = contiguous_elements(weights);
    dispatch_floating(y.dtype(), "bincount", [&]<class T>() {
      for (int64_t i = 0; i < x.numel(); ++i) y.data<T>()[p[i]] += factors.data<T>()[i];
    });
  } else {
    for (int64_t i = 0; i < x.numel(); ++i) ++y.data<int64_t>()[p[i]];
  }
  return y;
}

}  // namespace tarsier
