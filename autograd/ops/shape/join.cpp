// Joining and padding tensors: cat, stack, pad. The reverse is in split.cpp.
#include <algorithm>

#include "autograd/loops/copy.h"
#include "autograd/loops/elementwise.h"
#include "autograd/ops.h"

namespace tarsier {
namespace {

/// The part [start, start + count) of x along `dim`, not recorded.
Tensor part_of(const Tensor& x, int dim, int64_t start, int64_t count) {
  Shape shape = x.shape();
  shape[dim] = count;
  const int64_t offset = count == 0 ? 0 : start * x.strides()[dim];
  return x.view_as(shape, x.strides(), x.offset() + offset);
}

constexpr int64_t kMostPadding = int64_t{1} << 60;  // sizes stay far from overflow

}  // namespace

/// y = x₁, x₂, … in order along `dim`.   dxᵢ = the slice of dy that belongs to xᵢ
Tensor cat(const std::vector<Tensor>& xs, int64_t dim, std::source_location at) {
  const CallSite site(at);
  check(!xs.empty(), "cat", "an empty list: at least one tensor is needed");
  Shape shape = xs[0].shape();
  const int d = wrap_dim(dim, shape.size(), "cat");
  std::vector<int64_t> starts;
  int64_t total = 0;
  for (size_t i = 0; i < xs.size(); ++i) {
    check(xs[i].dtype() == xs[0].dtype(), "cat", "tensors 0 and ", i, " are ", xs[0].dtype(),
          " and ", xs[i].dtype(), ": convert one with to(x, dtype)");
    Shape other = xs[i].shape();
    if (other.size() == shape.size()) other[d] = shape[d];
    check(other == shape, "cat", "tensors 0 and ", i, " have shapes ", xs[0].shape(), " and ",
          xs[i].shape(), ": they may differ only in dimension ", d);
    starts.push_back(total);
    total += xs[i].shape()[d];
  }
  shape[d] = total;
  Tensor y = Tensor::empty(shape, xs[0].dtype());
  std::vector<int64_t> sizes;
  for (size_t i = 0; i < xs.size(); ++i) {
    sizes.push_back(xs[i].shape()[d]);
    copy_elements(xs[i], part_of(y, d, starts[i], sizes[i]));
  }
  return record("cat", Inputs(xs, at), y, Save{},
                [d, starts, sizes](const Saved& saved, const Tensor& dy) {
                  Grads grads(starts.size());
                  for (size_t i = 0; i < starts.size(); ++i)
                    if (saved.needs(static_cast<int>(i)))
                      grads[i] = slice(dy, d, starts[i], starts[i] + sizes[i]);
                  return grads;
                });
}

/// y[…, i, …] = xᵢ: cat along a new dimension.
Tensor stack(const std::vector<Tensor>& xs, int64_t dim, std::source_location at) {
  const CallScope here(at);
  check(!xs.empty(), "stack", "an empty list: at least one tensor is needed");
  const int d = wrap_dim(dim, xs[0].dim() + 1, "stack");
  std::vector<Tensor> slabs;
  for (size_t i = 0; i < xs.size(); ++i) {
    check(xs[i].shape() == xs[0].shape(), "stack", "tensors 0 and ", i, " have shapes ",
          xs[0].shape(), " and ", xs[i].shape(), ": all must be equal");
    slabs.push_back(unsqueeze(xs[i], d));
  }
  return cat(slabs, d);
}

/// y = x surrounded with `value`.   dx = dy padded by the negative amounts: what was added is cut
/// off, and what was cut off becomes zeros
Tensor pad(const Arg& x, const std::vector<int64_t>& padding, double value) {
  const int pairs = static_cast<int>(padding.size() / 2);
  check(padding.size() % 2 == 0 && pairs <= x.dim(), "pad", padding.size(),
        " numbers for a tensor of shape ", x.shape(),
        ": give a left and a right one for each of the last dimensions");
  if (x.dtype() == i64) detail::number_as<int64_t>(value, "pad");  // an error if it does not fit
  for (int64_t p : padding)
    check(p >= -kMostPadding && p <= kMostPadding, "pad", "padding by ", p, ": use ", -kMostPadding,
          " to ", kMostPadding);
  Shape shape = x.shape();
  std::vector<int64_t> negated;
  for (int i = 0; i < 2 * pairs; ++i) {
    shape[x.dim() - 1 - i / 2] += padding[static_cast<size_t>(i)];
    negated.push_back(-padding[static_cast<size_t>(i)]);
  }
  for (int d = 0; d < x.dim(); ++d)
    check(shape[d] >= 0, "pad", "negative padding cuts more than there is: dimension ", d,
          " of shape ", x.shape(), " would get size ", shape[d]);
  Tensor y = Tensor::empty(shape, x.dtype());
  // The margins are filled dimension by dimension, and the part between them remains: so every
  // element is written once.
  Tensor from = x, to = y;
  for (int i = 0; i < pairs; ++i) {
    const int d = x.dim() - 1 - i;
    const int64_t left = padding[static_cast<size_t>(2 * i)];
    const int64_t size = x.shape()[d], out = shape[d];
    // If x is cut on one side by more than its size, nothing is left.
    const int64_t begin = std::clamp<int64_t>(left, 0, out);
    const int64_t end = std::clamp<int64_t>(left + size, begin, out);
    from = part_of(from, d, begin - left, end - begin);
    fill_elements(part_of(to, d, 0, begin), value);
    fill_elements(part_of(to, d, end, out - end), value);
    to = part_of(to, d, begin, end - begin);
  }
  copy_elements(from, to);
  return record("pad", {x}, y, Save{},
                [negated](const Saved&, const Tensor& dy) -> Grads { return {pad(dy, negated)}; });
}

}  // namespace tarsier
