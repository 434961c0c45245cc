#include "autograd/check/layout.h"

#include <algorithm>
#include <utility>

namespace tarsier {
namespace {

/// The first dimension with more than one element, or dim() if there is none.
int first_long_dim(const Tensor& x) {
  int d = 0;
  while (d < x.dim() && x.shape()[d] <= 1) ++d;
  return d;
}

/// Memory for the shape of x in a layout, filled with a conspicuous number.
Tensor room_for(const Tensor& x, DType dtype, Layout layout) {
  const Shape& shape = x.shape();
  const int64_t step = layout == Layout::gaps ? 2 : 1, offset = layout == Layout::gaps ? 3 : 0;
  const int repeats = layout == Layout::expanded ? first_long_dim(x) : -1;
  Strides strides = shape;
  int64_t size = step;
  const auto place = [&](int d) {
    strides[d] = d == repeats ? 0 : size;
    if (d != repeats) size *= shape[d] * step;
  };
  if (layout == Layout::transposed)
    for (int d = 0; d < shape.size(); ++d) place(d);
  else
    for (int d = shape.size() - 1; d >= 0; --d) place(d);
  const int64_t room = std::max(size, x.numel()) + offset;
  const Tensor memory = Tensor::empty({room}, dtype);
  dispatch_all(dtype, [&]<class T>() { std::fill_n(memory.data<T>(), room, static_cast<T>(1e6)); });
  return memory.view_as(shape, strides, offset);
}

/// Calls body(i, offset in elements) for all elements of x in row-major order.
template <class Body>
void walk(const Tensor& x, const Body& body) {
  Shape index = Shape::filled(x.dim(), 0);
  for (int64_t i = 0, n = x.numel(); i < n; ++i) {
    int64_t at = 0;
    for (int d = 0; d < x.dim(); ++d) at += index[d] * x.strides()[d];
    body(i, at);
    for (int d = x.dim() - 1; d >= 0 && ++index[d] == x.shape()[d]; --d) index[d] = 0;
  }
}

}  // namespace

const char* name_of(Layout layout) {
  switch (layout) {
    case Layout::contiguous:
      return "contiguous";
    case Layout::transposed:
      return "transposed";
    case Layout::gaps:
      return "strided (gaps and an offset)";
    case Layout::expanded:
      return "expanded (stride 0)";
  }
  return "?";
}

Tensor copy_as(const Tensor& x, Layout layout, DType floating) {
  const Tensor source = layout == Layout::expanded ? repeated(x) : x;
  const Tensor copy = room_for(x, is_floating(x.dtype()) ? floating : x.dtype(), layout);
  dispatch_all(copy.dtype(), [&]<class T>() {
    const std::vector<T> elements = source.to_vector<T>();
    T* p = copy.data<T>();
    walk(copy, [&](int64_t i, int64_t at) { p[at] = elements[static_cast<size_t>(i)]; });
  });
  return copy;
}

Tensor repeated(const Tensor& x) {
  const int d = first_long_dim(x);
  Tensor first = x;
  if (d < x.dim()) {
    Strides strides = x.strides();
    strides[d] = 0;
    first = x.view_as(x.shape(), strides, x.offset());
  }
  return copy_as(first, Layout::contiguous, x.dtype());
}

Tensor spread(double value, const Tensor& x) {
  const Tensor memory = Tensor::empty({std::max<int64_t>(x.numel(), 1)}, x.dtype());
  dispatch_floating(x.dtype(), "spread", [&]<class T>() {
    std::fill_n(memory.data<T>(), memory.numel(), static_cast<T>(1e6));
    *memory.data<T>() = static_cast<T>(value);
  });
  return memory.view_as(x.shape(), Strides::filled(x.dim(), 0), 0);
}

LaidOutAs::LaidOutAs(const Tensor& x, const Tensor& copy)
    : impl_(x.impl_ptr()),
      storage_(copy.impl()->storage),
      offset_(copy.offset()),
      strides_(copy.strides()),
      contiguous_(copy.is_contiguous()) {
  exchange();
}
LaidOutAs::~LaidOutAs() { exchange(); }

void LaidOutAs::exchange() {
  std::swap(impl_->storage, storage_);
  std::swap(impl_->offset, offset_);
  std::swap(impl_->strides, strides_);
  std::swap(impl_->contiguous, contiguous_);
}

}  // namespace tarsier
