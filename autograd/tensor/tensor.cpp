#include "autograd/tensor/tensor.h"

#include <algorithm>

#include "autograd/base/small_memory.h"

namespace tarsier {
namespace {

/// Row-major without gaps. Dimensions of size 1 and empty tensors may have any strides.
bool has_contiguous_strides(const Shape& shape, const Strides& strides) {
  int64_t expected = 1;
  for (int d = shape.size() - 1; d >= 0; --d) {
    if (shape[d] == 0) return true;
    if (shape[d] != 1 && strides[d] != expected) return false;
    expected *= shape[d];
  }
  return true;
}

std::shared_ptr<TensorImpl> new_impl() {
  return std::allocate_shared<TensorImpl>(detail::SmallMemory<TensorImpl>());
}

}  // namespace

Tensor Tensor::empty(const Shape& shape, DType dtype, SourceLine at) {
  const CallSite site(at);
  int64_t bytes = static_cast<int64_t>(size_of(dtype));
  for (int64_t size : shape) {
    check(size >= 0, "empty", "shape ", shape, " has a negative size");
    // A size of 0 counts as 1, because the strides of an empty tensor must fit as well.
    check(!__builtin_mul_overflow(bytes, std::max<int64_t>(size, 1), &bytes), "empty", "shape ",
          shape, " of ", dtype, " has more bytes than 64 bits can count");
  }
  if (shape.numel() == 0) bytes = 0;
  auto impl = new_impl();
  impl->storage =
      std::allocate_shared<Storage>(detail::SmallMemory<Storage>(), static_cast<size_t>(bytes));
  impl->shape = shape;
  impl->strides = contiguous_strides(shape);
  impl->dtype = dtype;
  return Tensor(std::move(impl));
}

Tensor Tensor::view_as(const Shape& shape, const Strides& strides, int64_t offset) const {
  auto impl = new_impl();
  impl->storage = get().storage;
  impl->offset = offset;
  impl->shape = shape;
  impl->strides = strides;
  impl->dtype = dtype();
  impl->contiguous = has_contiguous_strides(shape, strides);
  return Tensor(std::move(impl));
}

Tensor Tensor::detach() const {
  Tensor out = view_as(shape(), strides(), offset());
  return out;
}

template <class T>
std::vector<T> Tensor::to_vector(SourceLine at) const {
  std::vector<T> out;
  dispatch_all(dtype(), [&]<class E>() {
    const E* p = data<E>(at);
    const int64_t n = numel();
    if (is_contiguous()) return out.assign(p, p + n);
    out.reserve(static_cast<size_t>(n));
    Shape index = Shape::filled(dim(), 0);
    for (int64_t i = 0; i < n; ++i) {
      int64_t at = 0;
      for (int d = 0; d < dim(); ++d) at += index[d] * strides()[d];
      out.push_back(static_cast<T>(p[at]));
      for (int d = dim() - 1; d >= 0 && ++index[d] == shape()[d]; --d) index[d] = 0;
    }
  });
  return out;
}
template std::vector<float> Tensor::to_vector(SourceLine) const;
template std::vector<double> Tensor::to_vector(SourceLine) const;
template std::vector<int32_t> Tensor::to_vector(SourceLine) const;
template std::vector<int64_t> Tensor::to_vector(SourceLine) const;
template std::vector<bool> Tensor::to_vector(SourceLine) const;

}  // namespace tarsier
