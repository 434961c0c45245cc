// quantile: interpolation between sorted elements.
#include <cmath>

#include "autograd/loops/checks.h"
#include "autograd/ops.h"

namespace tarsier {
namespace {

/// For every q, the neighbours of position q · (n − 1) among n sorted elements, and the distance
/// from the lower to the upper one.
struct Places {
  Tensor lower, upper;  // (Q) i64
  Tensor weight;        // (Q, 1, …), as many dimensions as `dims`

  Places(const Tensor& q, int64_t n, int dims, DType dtype) {
    std::vector<int64_t> low, high;
    std::vector<double> between;
    for (const double share : q.to_vector()) {
      check(share >= 0 && share <= 1, "quantile", "q = ", share, ": use 0 to 1");
      const double position = share * static_cast<double>(n - 1);
      low.push_back(static_cast<int64_t>(std::floor(position)));
      high.push_back(static_cast<int64_t>(std::ceil(position)));
      between.push_back(position - std::floor(position));
    }
    Shape shape = Shape::filled(dims, 1);
    shape[0] = q.numel();
    lower = from_vector(low, {q.numel()});
    upper = from_vector(high, {q.numel()});
    weight = to(from_vector(between, shape), dtype);
  }
};

}  // namespace

/// y = a + (b − a) · w of two neighbours a ≤ b among the sorted elements. Composed of sort,
/// index_select and arithmetic, which have gradients.
Tensor quantile(const Arg& x, const Tensor& q, std::optional<int64_t> dim, bool keepdim) {
  const CallScope here(x.at);
  detail::check_floating(x, "quantile");
  check(is_floating(q.dtype()) && q.dim() <= 1, "quantile", "q of shape ", q.shape(), " and dtype ",
        q.dtype(), ": a floating () or (Q) is needed");
  const Tensor all = dim ? Tensor(x) : flatten(x);
  const int d = dim ? wrap_dim(*dim, x.dim(), "quantile") : 0;
  const int64_t n = all.shape()[d];
  check(n > 0, "quantile", "a tensor of shape ", x.shape(), " has no elements to choose from");
  const Tensor sorted = sort(movedim(all, d, 0), 0).values;
  const Places at(q, n, sorted.dim(), x.dtype());
  const Tensor a = index_select(sorted, 0, at.lower);
  const Tensor b = index_select(sorted, 0, at.upper);
  const Tensor between = a + (b - a) * at.weight;
  const Tensor last = narrow(sorted, 0, n - 1, 1);  // NaN where there is one
  const Tensor y = where(isnan(last), last, between);
  // y is (Q, the other dimensions of x); reduced ones may stay with size 1, and one q leaves no Q.
  Shape shape = y.shape();
  if (keepdim && dim) shape.insert(d + 1, 1);
  if (keepdim && !dim) shape = Shape::filled(x.dim() + 1, 1), shape[0] = q.numel();
  if (q.dim() == 0) shape.erase(0);
  return reshape(y, shape);
}

Tensor quantile(const Arg& x, double q, std::optional<int64_t> dim, bool keepdim) {
  return quantile(x, scalar(q, f64), dim, keepdim);
}

}  // namespace tarsier
