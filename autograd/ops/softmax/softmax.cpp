// softmax and log_softmax: fused, and the reference forms.
#include "autograd/base/parallel.h"
#include "autograd/loops/copy.h"
#include "autograd/loops/reduce.h"
#include "autograd/ops.h"
#include "autograd/ops/softmax/softmax.kernel.h"
#include "autograd/simd/dispatch.h"

namespace tarsier {
namespace {

/// Elements worth waking a thread for: there is an exp for each.
constexpr int64_t kGrain = 8192;

/// Checks x and gives the dimension.
int softmax_dim(const Tensor& x, int64_t dim, const char* op) {
  check(x.defined(), op, "an undefined tensor was given: assign the result of an op to it");
  check(is_floating(x.dtype()), op, "dtype ", x.dtype(),
        " where f32 or f64 is needed: convert with to(x, f32)");
  return wrap_dim(dim, x.dim(), op);
}

/// The kernel that `select` picks from the table, on the rows of x along `dim`. Not recorded.
template <class Select>
Tensor along_rows(const Tensor& x, int dim, const char* op, Select select) {
  const Tensor rows = detail::rows_along(x, dim);
  Tensor y = Tensor::empty(rows.shape(), x.dtype());
  if (x.numel() == 0) return Tensor::empty(x.shape(), x.dtype());
  const int64_t n = x.shape()[dim];
  dispatch_floating(x.dtype(), op, [&]<class T>() {
    const auto kernel = select(kernels::active<kernels::SoftmaxKernels<T>>());
    const T* from = rows.data<T>();
    T* to = y.data<T>();
    parallel_for(x.numel() / n, detail::rows_per_chunk(n, kGrain), [&](int64_t begin, int64_t end) {
      kernel(end - begin, n, from + begin * n, to + begin * n);
    });
  });
  return detail::rows_back(y, dim);
}

/// The same for the backward kernels, which take y and dy.
template <class Select>
Tensor along_rows(const Tensor& y, const Tensor& dy, int dim, const char* op, Select select) {
  const Tensor y_rows = detail::rows_along(y, dim), dy_rows = detail::rows_along(dy, dim);
  Tensor dx = Tensor::empty(y_rows.shape(), y.dtype());
  if (y.numel() == 0) return Tensor::empty(y.shape(), y.dtype());
  const int64_t n = y.shape()[dim];
  dispatch_floating(y.dtype(), op, [&]<class T>() {
    const auto kernel = select(kernels::active<kernels::SoftmaxKernels<T>>());
    const T *py = y_rows.data<T>(), *pdy = dy_rows.data<T>();
    T* to = dx.data<T>();
    parallel_for(y.numel() / n, detail::rows_per_chunk(n, kGrain), [&](int64_t begin, int64_t end) {
      kernel(end - begin, n, py + begin * n, pdy + begin * n, to + begin * n);
    });
  });
  return detail::rows_back(dx, dim);
}

}  // namespace

/// y = eˣ / Σ eˣ.   dx = y · (dy − Σ dy · y)       saved: y
/// Forward was y_i = e^{x_i} / s, so ∂y_i/∂x_j = y_i ([i = j] − y_j).
Tensor softmax(const Arg& x, int64_t dim) {
  const int d = softmax_dim(x, dim, "softmax");
  Tensor y = along_rows(x, d, "softmax", [](const auto& kernels) { return kernels.softmax; });
  return record("softmax", {x}, y, Save{y}, [d](const Saved& saved, const Tensor& dy) -> Grads {
    const Tensor y = saved[0];
    if (grad_enabled()) return {y * (dy - sum(dy * y, d, true))};
    return {along_rows(y, dy, d, "softmax", [](const auto& k) { return k.softmax_grad; })};
  });
}

Tensor softmax_reference(const Arg& x, int64_t dim) {
  // The largest is subtracted so that exp cannot overflow; the quotient does not depend on it.
  const Tensor e = exp(x - amax(x.detach(), dim, true));
  return e / sum(e, dim, true);
}

/// y = x − log Σ eˣ.   dx = dy − eʸ · Σ dy       saved: y
Tensor log_softmax(const Arg& x, int64_t dim) {
  const int d = softmax_dim(x, dim, "log_softmax");
  Tensor y =
      along_rows(x, d, "log_softmax", [](const auto& kernels) { return kernels.log_softmax; });
  return record("log_softmax", {x}, y, Save{y}, [d](const Saved& saved, const Tensor& dy) -> Grads {
    const Tensor y = saved[0];
    if (grad_enabled()) return {dy - exp(y) * sum(dy, d, true)};
    return {along_rows(y, dy, d, "log_softmax", [](const auto& k) { return k.log_softmax_grad; })};
  });
}

Tensor log_softmax_reference(const Arg& x, int64_t dim) {
  const Tensor shifted = x - amax(x.detach(), dim, true);
  return shifted - log(sum(exp(shifted), dim, true));
}

}  // namespace tarsier
