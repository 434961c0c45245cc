// softmax and log_softmax: fused, and the reference forms.
#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "autograd/loops/checks.h"
#include "autograd/loops/copy.h"
#include "autograd/loops/reduce.h"
#include "autograd/ops.h"
#include "autograd/ops/softmax/softmax.kernel.h"
#include "autograd/simd/dispatch.h"
#include "autograd/tensor/compute.h"

namespace tarsier {
namespace {

/// Checks x and gives the dimension.
int softmax_dim(const Tensor& x, int64_t dim, const char* op) {
  detail::check_floating(x, op);
  return wrap_dim(dim, x.dim(), op);
}

/// The kernel for columns, called with the operands as `outer` matrices of n rows of `inner` columns.
template <class Select, class... Operands>
Tensor along_columns(int64_t n, int64_t inner, const char* op, Select select,
                     const Operands&... operands) {
  const std::array matrices = {contiguous_elements(operands)...};
  const Tensor& x = matrices[0];
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  constexpr int64_t kColumns = 256;
  const int64_t strips = (inner + kColumns - 1) / kColumns;
  detail::compute(op, [=] {
    dispatch_floating(y.dtype(), op, [&]<class T>() {
      const auto kernel = select(kernels::active<kernels::SoftmaxKernels<T>>()).second;
      const auto strip = [&](int64_t i) {
        const int64_t column = i % strips * kColumns, from = i / strips * n * inner + column;
        const auto at = [&](const Tensor& t) { return t.data<T>() + from; };
        std::apply(
            [&](const auto&... t) {
              kernel(n, std::min(kColumns, inner - column), inner, at(t)..., at(y));
            },
            matrices);
      };
      detail::for_rows(y.numel() / (n * inner) * strips, n * std::min(inner, kColumns),
                       detail::kCostlyGrain, [&](int64_t begin, int64_t end) {
                         for (int64_t i = begin; i < end; ++i) strip(i);
                       });
    });
  });
  return y;
}

/// The kernel that `select` picks from the table, a pair for rows and for columns, called with the
/// operands (of one shape) along `dim`. Not recorded.
template <class Select, class... Operands>
Tensor along(int dim, const char* op, Select select, const Operands&... operands) {
  const Tensor& x = std::get<0>(std::tie(operands...));
  if (x.numel() == 0) return Tensor::empty(x.shape(), x.dtype());
  constexpr int64_t kLeast = 16;  // with fewer columns most of a register would be empty
  int64_t inner = 1;
  for (int d = dim + 1; d < x.dim(); ++d) inner *= x.shape()[d];
  if (inner >= kLeast) return along_columns(x.shape()[dim], inner, op, select, operands...);
  const std::array rows = {detail::rows_along(operands, dim)...};
  Tensor y = Tensor::empty(rows[0].shape(), x.dtype());
  const int64_t n = x.shape()[dim];
  detail::compute(op, [=] {
    dispatch_floating(y.dtype(), op, [&]<class T>() {
      const auto kernel = select(kernels::active<kernels::SoftmaxKernels<T>>()).first;
      detail::for_rows(y.numel() / n, n, detail::kCostlyGrain, [&](int64_t begin, int64_t end) {
        const auto at = [&](const Tensor& t) { return t.data<T>() + begin * n; };
        std::apply([&](const auto&... row) { kernel(end - begin, n, at(row)..., at(y)); }, rows);
      });
    });
  });
  return detail::rows_back(y, dim);
}

}  // namespace

/// y = eˣ / Σ eˣ.   dx = y · (dy − Σ dy · y)       saved: y
/// Forward: y_i = e^{x_i} / s, so ∂y_i/∂x_j = y_i ([i = j] − y_j).
Tensor softmax(const Arg& x, int64_t dim) {
  const int d = softmax_dim(x, dim, "softmax");
  Tensor y = along(
      d, "softmax", [](const auto& k) { return std::pair(k.softmax, k.softmax_columns); }, x);
  return record("softmax", {x}, y, Save{y}, [d](const Saved& saved, const Tensor& dy) -> Grads {
    const Tensor y = saved[0];
    if (grad_enabled()) return {y * (dy - sum(dy * y, d, true))};
    return {along(
        d, "softmax",
        [](const auto& k) { return std::pair(k.softmax_grad, k.softmax_columns_grad); }, y, dy)};
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
  Tensor y = along(
      d, "log_softmax",
      [](const auto& k) { return std::pair(k.log_softmax, k.log_softmax_columns); }, x);
  return record("log_softmax", {x}, y, Save{y}, [d](const Saved& saved, const Tensor& dy) -> Grads {
    const Tensor y = saved[0];
    if (grad_enabled()) return {dy - exp(y) * sum(dy, d, true)};
    return {along(
        d, "log_softmax",
        [](const auto& k) { return std::pair(k.log_softmax_grad, k.log_softmax_columns_grad); }, y,
        dy)};
  });
}

Tensor log_softmax_reference(const Arg& x, int64_t dim) {
  const Tensor shifted = x - amax(x.detach(), dim, true);
  return shifted - log(sum(exp(shifted), dim, true));
}

}  // namespace tarsier
