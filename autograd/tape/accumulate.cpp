#include "autograd/tape/accumulate.h"

#include <utility>

#include "autograd/loops/copy.h"
#include "autograd/loops/elementwise.h"
#include "autograd/loops/reduce.h"
#include "autograd/loops/strided.h"
#include "autograd/tape/node.h"

namespace tarsier::detail {
namespace {

using kernels::Binary;

/// Whether no other handle has this tensor or its memory, so that it may be changed or kept.
bool is_sole_owner(const Tensor& x) {
  return x.impl_ptr().use_count() == 1 && x.impl()->storage.use_count() == 1;
}

/// y = a + b.   da = db = dy
Tensor added(const Tensor& a, const Tensor& b) {
  return record("accumulate", {a, b}, binary(Binary::add, a, b, "accumulate"), Save{},
                [](const Saved&, const Tensor& dy) -> Grads {
                  return {dy, dy};
                });
}

Tensor add_in_place(const Tensor& total, const Tensor& gradient) {
  update(Binary::add, total, gradient, "accumulate");
  total.impl()->storage->bump_version("accumulate");
  return total;
}

/// y = x.   dx = dy
Tensor copied(const Tensor& x) {
  return record("accumulate", {x}, contiguous_copy(x), Save{},
                [](const Saved&, const Tensor& dy) -> Grads { return {dy}; });
}

/// y = x, repeated to `shape`.   dx = Σ dy over what was repeated: sum_to_shape() does it
Tensor repeated(const Tensor& x, const Shape& shape) {
  const Strides strides = broadcast_strides(x.shape(), x.strides(), shape);
  return record("accumulate", {x}, x.view_as(shape, strides, x.offset()), Save{},
                [](const Saved&, const Tensor& dy) -> Grads { return {dy}; });
}

/// y = Σ x over `dims`, in `shape`.   dx = dy, repeated
Tensor summed(const Tensor& x, const Axes& dims, const Shape& shape) {
  const ReducedDims reduced = reduced_dims(x, dims, /*keepdim=*/false, "accumulate");
  const Tensor sum = reduce(kernels::Reduce::sum, x, reduced);
  return record(
      "accumulate", {x}, sum.view_as(shape, contiguous_strides(shape), 0), Save{},
      [to = x.shape()](const Saved&, const Tensor& dy) -> Grads { return {repeated(dy, to)}; });
}

}  // namespace

void accumulate(Tensor& total, Tensor gradient) {
  if (!total.defined())
    total = std::move(gradient);
  else if (grad_enabled())
    total = added(total, gradient);
  else if (total.is_contiguous() && is_sole_owner(total))
    add_in_place(total, gradient);
  else if (gradient.is_contiguous() && is_sole_owner(gradient))
    total = add_in_place(gradient, total);
  else
    total = added(total, gradient);
}

void accumulate_grad(TensorImpl& tensor, const Tensor& gradient) {
  Tensor total(tensor.grad);
  if (total.defined()) {
    // A recorded gradient is part of a graph whose backward may need it unchanged; elements of one
    // that set_grad() was given may share memory.
    if (grad_enabled() || total.requires_grad() || !total.is_contiguous())
      total = added(total, gradient);
    else
      add_in_place(total, gradient);
  } else {
    // The gradient may be a view of another gradient, or the caller's upstream. Later additions
    // must not change those. So it is taken only if `gradient` is the only handle.
    total = gradient.is_contiguous() && is_sole_owner(gradient) ? gradient : copied(gradient);
  }
  tensor.grad = total.impl_ptr();
}

Tensor sum_to_shape(const Tensor& gradient, const Shape& shape, const Node& node, size_t input) {
  if (gradient.shape() == shape) return gradient;
  const int extra = gradient.dim() - shape.size();
  Axes stretched;
  bool fits = extra >= 0;
  for (int d = 0; fits && d < gradient.dim(); ++d) {
    if (d < extra || (shape[d - extra] == 1 && gradient.shape()[d] != 1))
      stretched.push_back(d);
    else
      fits = gradient.shape()[d] == shape[d - extra];
  }
  check(fits, node.name, "backward returned a gradient of shape ", gradient.shape(), " for input ",
        input, " of shape ", shape, ": it must have that shape, or one that it broadcasts to");
  return summed(gradient, stretched, shape);
}

}  // namespace tarsier::detail
