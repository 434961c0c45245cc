// Views: the same memory in another shape. The backward of a view is the inverse view.
#include <algorithm>
#include <optional>

#include "autograd/loops/copy.h"
#include "autograd/loops/strided.h"
#include "autograd/ops.h"

namespace tarsier {
namespace {

/// The number of elements of `shape`. Throws Error(op) if a size is negative, or if the product of
/// the non-zero sizes exceeds 64 bits: the strides of an empty tensor must fit as well.
int64_t checked_numel(const Shape& shape, const char* op) {
  int64_t product = 1;
  for (int64_t size : shape) {
    check(size >= 0, op, "size ", size, " in shape ", shape, " is negative");
    check(!__builtin_mul_overflow(product, std::max<int64_t>(size, 1), &product), op, "shape ",
          shape, " has more elements than 64 bits can count");
  }
  return shape.numel();
}

/// `shape` with its −1 replaced by what makes it fit the elements of `x`.
Shape fitting_shape(const Tensor& x, const Shape& shape, const char* op) {
  Shape known;
  int unknown = -1;
  for (int d = 0; d < shape.size(); ++d) {
    check(shape[d] >= -1, op, "size ", shape[d], " in shape ", shape,
          ": sizes are 0 or more, and one may be -1");
    if (shape[d] >= 0) {
      known.push_back(shape[d]);
      continue;
    }
    check(unknown < 0, op, "shape ", shape, " has more than one -1: only one size can be inferred");
    unknown = d;
  }
  const int64_t have = x.numel(), product = checked_numel(known, op);
  if (unknown < 0) {
    check(have == product, op, "shape ", x.shape(), " has ", have, " elements, ", shape, " has ",
          product);
    return shape;
  }
  check(product != 0, op, "the -1 in ", shape,
        " is ambiguous, because the other sizes have no elements: give its value");
  check(have % product == 0, op, "shape ", x.shape(), " has ", have, " elements, ", shape,
        " needs a multiple of ", product);
  Shape out = shape;
  out[unknown] = have / product;
  return out;
}

/// The strides with which `shape` shows the elements of x in row-major order, if there are any.
std::optional<Strides> view_strides(const Tensor& x, const Shape& shape) {
  if (x.is_contiguous() || x.numel() == 0) return contiguous_strides(shape);
  const detail::Loop runs = detail::merged(x.shape(), {x.strides()});
  // Every run must be cut into whole new dimensions, from the last to the first.
  Strides strides = Shape::filled(shape.size(), 1);
  int run = runs.shape.size();
  int64_t left = 1, stride = 1;
  for (int d = shape.size() - 1; d >= 0; --d) {
    if (shape[d] != 1 && left == 1) {
      --run;
      left = runs.shape[run];
      stride = runs.strides[0][run];
    }
    if (left % shape[d] != 0) return std::nullopt;
    strides[d] = stride;
    stride *= shape[d];
    left /= shape[d];
  }
  return strides;
}

/// Records `y`, the elements of x in order under another shape.   dx = dy reshaped back
Tensor record_reshape(const char* name, const Arg& x, const Tensor& y) {
  return record(name, {x}, y, Save{}, [shape = x.shape()](const Saved&, const Tensor& dy) -> Grads {
    return {reshape(dy, shape)};
  });
}

/// A tensor of zeros, `size` long along `dim`, with dy at start, start + step, …: the transpose of
/// slice, therefore its backward; and slice is the backward of this.
Tensor unslice(const Arg& dy, int dim, int64_t size, int64_t start, int64_t step) {
  const int64_t count = dy.size(dim);
  if (step == 1) {
    // pad writes every element only once.
    std::vector<int64_t> padding(static_cast<size_t>(2 * (dy.dim() - dim)), 0);
    padding.end()[-2] = start;
    padding.end()[-1] = size - start - count;
    return pad(dy, padding);
  }
  Shape shape = dy.shape();
  shape[dim] = size;
  Tensor dx = Tensor::empty(shape, dy.dtype());
  fill_elements(dx, 0);
  Strides strides = dx.strides();
  const int64_t offset = count == 0 ? 0 : start * strides[dim];
  strides[dim] *= step;
  copy_elements(dy, dx.view_as(dy.shape(), strides, dx.offset() + offset));
  return record("unslice", {dy}, dx, Save{}, [=](const Saved&, const Tensor& ddx) -> Grads {
    return {slice(ddx, dim, start, start + count * step, step)};
  });
}

}  // namespace

Tensor reshape(const Arg& x, const Shape& shape) {
  const Shape fitting = fitting_shape(x, shape, "reshape");
  if (const std::optional<Strides> strides = view_strides(x, fitting))
    return record_reshape("reshape", x, x.view_as(fitting, *strides, x.offset()));
  const Tensor copy = contiguous_copy(x);
  return record_reshape("reshape", x, copy.view_as(fitting, contiguous_strides(fitting), 0));
}

Tensor view(const Arg& x, const Shape& shape) {
  const Shape fitting = fitting_shape(x, shape, "view");
  const std::optional<Strides> strides = view_strides(x, fitting);
  check(strides.has_value(), "view", "a tensor of shape ", x.shape(), " and strides ", x.strides(),
        " cannot be seen as ", fitting, " without a copy: use reshape");
  return record_reshape("view", x, x.view_as(fitting, *strides, x.offset()));
}

Tensor flatten(const Arg& x, int64_t start_dim, int64_t end_dim) {
  if (x.dim() == 0) return reshape(x, {1});
  const int first = wrap_dim(start_dim, x.dim(), "flatten");
  const int last = wrap_dim(end_dim, x.dim(), "flatten");
  check(first <= last, "flatten", "start_dim ", start_dim, " comes after end_dim ", end_dim,
        " in shape ", x.shape());
  Shape shape(x.shape().begin(), x.shape().begin() + first + 1);
  for (int d = first + 1; d < x.dim(); ++d) {
    if (d <= last)
      shape[first] *= x.shape()[d];
    else
      shape.push_back(x.shape()[d]);
  }
  return reshape(x, shape);
}

/// y[…, i_{dims[k]}, …] = x[…]: dimension k of y is dimension dims[k] of x.
///   dx = dy permuted by the inverse
Tensor permute(const Arg& x, const Shape& dims) {
  check(dims.size() == x.dim(), "permute", dims.size(), " dimensions ", dims,
        " for a tensor of shape ", x.shape(), ": name each of its dimensions once");
  Shape shape = dims, strides = dims, inverse = Shape::filled(dims.size(), -1);
  for (int i = 0; i < dims.size(); ++i) {
    const int d = wrap_dim(dims[i], x.dim(), "permute");
    check(inverse[d] < 0, "permute", "dimension ", d, " is named twice in ", dims);
    inverse[d] = i;
    shape[i] = x.shape()[d];
    strides[i] = x.strides()[d];
  }
  return record(
      "permute", {x}, x.view_as(shape, strides, x.offset()), Save{},
      [inverse](const Saved&, const Tensor& dy) -> Grads { return {permute(dy, inverse)}; });
}

/// y[…, j, …, i, …] = x[…, i, …, j, …].   dx = dy transposed
Tensor transpose(const Arg& x, int64_t dim0, int64_t dim1) {
  const int a = wrap_dim(dim0, x.dim(), "transpose"), b = wrap_dim(dim1, x.dim(), "transpose");
  Shape shape = x.shape(), strides = x.strides();
  std::swap(shape[a], shape[b]);
  std::swap(strides[a], strides[b]);
  return record("transpose", {x}, x.view_as(shape, strides, x.offset()), Save{},
                [a, b](const Saved&, const Tensor& dy) -> Grads { return {transpose(dy, a, b)}; });
}

Tensor squeeze(const Arg& x, int64_t dim) {
  const int d = wrap_dim(dim, x.dim(), "squeeze");
  if (x.shape()[d] != 1) return x;
  Shape shape = x.shape(), strides = x.strides();
  shape.erase(d);
  strides.erase(d);
  return record_reshape("squeeze", x, x.view_as(shape, strides, x.offset()));
}

Tensor squeeze(const Arg& x) {
  Shape shape, strides;
  for (int d = 0; d < x.dim(); ++d) {
    if (x.shape()[d] == 1) continue;
    shape.push_back(x.shape()[d]);
    strides.push_back(x.strides()[d]);
  }
  return record_reshape("squeeze", x, x.view_as(shape, strides, x.offset()));
}

Tensor unsqueeze(const Arg& x, int64_t dim) {
  const int d = wrap_dim(dim, x.dim() + 1, "unsqueeze");
  Shape shape = x.shape(), strides = x.strides();
  const int64_t stride = d < x.dim() ? shape[d] * strides[d] : 1;
  shape.insert(d, 1);
  strides.insert(d, stride);
  return record_reshape("unsqueeze", x, x.view_as(shape, strides, x.offset()));
}

/// y = x, its elements repeated along the dimensions of size 1.
///   dx = Σ dy over the repeated dimensions: the engine sums to the shape of x
Tensor expand(const Arg& x, const Shape& shape) {
  const int lead = shape.size() - x.dim();
  check(lead >= 0, "expand", "shape ", shape, " has fewer dimensions than ", x.shape());
  Shape sizes = shape;
  Strides strides = Shape::filled(shape.size(), 0);
  for (int d = 0; d < shape.size(); ++d) {
    const bool is_new = d < lead;
    check(shape[d] >= (is_new ? 0 : -1), "expand", "size ", shape[d], " in shape ", shape,
          is_new ? ": a new dimension needs a size" : " is negative; only -1 keeps a size");
    if (is_new) continue;
    const int64_t size = x.shape()[d - lead];
    if (shape[d] == -1) sizes[d] = size;
    check(sizes[d] == size || size == 1, "expand", "shape ", x.shape(), " does not expand to ",
          shape, ": size ", size, " of dimension ", d - lead, " is neither 1 nor ", sizes[d]);
    if (sizes[d] == size) strides[d] = x.strides()[d - lead];
  }
  checked_numel(sizes, "expand");
  return record("expand", {x}, x.view_as(sizes, strides, x.offset()), Save{},
                [](const Saved&, const Tensor& dy) -> Grads { return {dy}; });
}

Tensor broadcast_to(const Arg& x, const Shape& shape) { return expand(x, shape); }

/// y[…, i, …] = x[…, start + i · step, …].   dx = 0 with dy at start, start + step, …
Tensor slice(const Arg& x, int64_t dim, int64_t start, std::optional<int64_t> end, int64_t step) {
  const int d = wrap_dim(dim, x.dim(), "slice");
  check(step >= 1, "slice", "step ", step, " where 1 or more is needed: use flip to go backwards");
  const int64_t size = x.shape()[d];
  // As in Python: count negative positions from the end, then clip.
  const auto position = [size](int64_t i) {
    return std::clamp<int64_t>(i < 0 ? i + size : i, 0, size);
  };
  const int64_t first = position(start), last = position(end.value_or(size));
  const int64_t length = std::max<int64_t>(last - first, 0);
  Shape shape = x.shape();
  Strides strides = x.strides();
  shape[d] = length / step + (length % step != 0);
  const int64_t offset = x.offset() + (length == 0 ? 0 : first * strides[d]);
  if (shape[d] <= 1) step = 1;  // equivalent, and avoids an overflow in backward
  strides[d] *= step;
  return record(
      "slice", {x}, x.view_as(shape, strides, offset), Save{},
      [=](const Saved&, const Tensor& dy) -> Grads { return {unslice(dy, d, size, first, step)}; });
}

/// y[…, …] = x[…, index, …].   dx = 0 with dy at index
Tensor select(const Arg& x, int64_t dim, int64_t index) {
  const int d = wrap_dim(dim, x.dim(), "select");
  const int64_t size = x.shape()[d];
  check(index >= -size && index < size, "select", "index ", index, " of dimension ", d,
        " with size ", size, " in shape ", x.shape(), ": use ", -size, " to ", size - 1);
  if (index < 0) index += size;
  Shape shape = x.shape(), strides = x.strides();
  shape.erase(d);
  strides.erase(d);
  return record("select", {x}, x.view_as(shape, strides, x.offset() + index * x.strides()[d]),
                Save{}, [=](const Saved&, const Tensor& dy) -> Grads {
                  return {unslice(unsqueeze(dy, d), d, size, index, 1)};
                });
}

}  // namespace tarsier
