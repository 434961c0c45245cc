// In-place ops, for weights and buffers. Each counts as a new version of the storage, so that a
// backward that saved the old values notices.
#include "autograd/loops/copy.h"
#include "autograd/loops/elementwise.h"
#include "autograd/loops/elementwise.kernel.h"
#include "autograd/ops.h"
#include "autograd/simd/dispatch.h"
#include "autograd/tensor/compute.h"

namespace tarsier {

using kernels::Binary;

namespace {

/// Refuses changes that the tape would miss, and memory that several elements share.
void check_changeable(const Tensor& x, const Tensor& y, const char* op) {
  for (int d = 0; d < x.dim(); ++d)
    check(x.strides()[d] != 0 || x.shape()[d] <= 1 || x.numel() == 0, op, "dimension ", d, " of ",
          x.shape(), " was expanded: its elements share memory; change a clone()");
  if (!grad_enabled()) return;
  check(!x.requires_grad(), op, "changes a tensor of shape ", x.shape(),
        " whose gradient is being recorded: use the op that makes a new tensor, or a NoGrad guard "
        "for weights");
  if (!y.defined()) return;
  check(!y.requires_grad(), op, "the gradient of the second argument, of shape ", y.shape(),
        ", would be lost: use the op that makes a new tensor, or detach()");
}

void check_fits(const Tensor& x, const Tensor& y, const char* op) {
  check(broadcast_shapes(x.shape(), y.shape(), op) == x.shape(), op, "shape ", y.shape(),
        " does not broadcast to ", x.shape(), ", the shape of the changed tensor");
}

Tensor changed(const Tensor& x, const char* op) {
  detail::compute(op, [=] { x.impl()->storage->bump_version(op); });
  return x;
}

}  // namespace

/// x += α · y
Tensor add_(const Arg& x, const Arg& y, double alpha) {
  check_changeable(x, y, "add_");
  detail::check_same_dtype(x, y, "add_");
  check_fits(x, y, "add_");
  const bool one_pass = is_floating(x.dtype()) && x.shape() == y.shape() && x.is_contiguous() &&
                        y.is_contiguous() && detail::safe_to_overwrite(x, y);
  if (one_pass) {
    detail::compute("add_", [x = Tensor(x), y = Tensor(y), alpha] {
      dispatch_floating(x.dtype(), "add_", [&]<class T>() {
        T* px = x.data<T>();
        const T* py = y.data<T>();
        parallel_for(x.numel(), detail::kCheapGrain, [&](int64_t begin, int64_t end) {
          kernels::active<kernels::ElementwiseKernels<T>>().axpby(
              end - begin, static_cast<T>(alpha), py + begin, T(1), px + begin);
        });
      });
    });
  } else {
    detail::update(Binary::add, x,
                   alpha == 1 ? Tensor(y) : detail::binary(Binary::mul, y, alpha, "add_"), "add_");
  }
  return changed(x, "add_");
}

/// x += y, a number
Tensor add_(const Arg& x, double y) {
  check_changeable(x, {}, "add_");
  detail::update(Binary::add, x, y, "add_");
  return changed(x, "add_");
}

/// x *= y
Tensor mul_(const Arg& x, const Arg& y) {
  check_changeable(x, y, "mul_");
  detail::check_same_dtype(x, y, "mul_");
  check_fits(x, y, "mul_");
  detail::update(Binary::mul, x, y, "mul_");
  return changed(x, "mul_");
}

/// x *= y, a number
Tensor mul_(const Arg& x, double y) {
  check_changeable(x, {}, "mul_");
  detail::update(Binary::mul, x, y, "mul_");
  return changed(x, "mul_");
}

/// x = value everywhere
Tensor fill_(const Arg& x, double value) {
  check_changeable(x, {}, "fill_");
  if (x.dtype() == i64) detail::number_as<int64_t>(value, "fill_");  // an error if it does not fit
  fill_elements(x, value);
  return changed(x, "fill_");
}

Tensor zero_(const Arg& x) {
  check_changeable(x, {}, "zero_");
  fill_elements(x, 0);
  return changed(x, "zero_");
}

/// x = source, broadcast, in the dtype of x
Tensor copy_(const Arg& x, const Arg& source) {
  check_changeable(x, source, "copy_");
  check_fits(x, source, "copy_");
  NoGrad guard;
  const bool aside = x.impl()->storage == source.impl()->storage;
  copy_elements(expand(aside ? clone(source) : Tensor(source), x.shape()), x);
  return changed(x, "copy_");
}

}  // namespace tarsier
