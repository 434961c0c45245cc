#pragma once
// Memory layouts of tensors, for checks that an op reads all of them correctly.

#include "../tensor/tensor.h"

namespace tarsier {

/// The layout of a tensor's elements in memory.
enum class Layout {
  contiguous,
  transposed,  ///< the dimensions in reverse order
  gaps,        ///< every second element along each dimension, after an offset
  expanded,    ///< the first dimension with more than one element has stride 0
};

/// "contiguous", "transposed", "strided (gaps and an offset)", "expanded (stride 0)".
const char* name_of(Layout layout);

/// A copy of x in memory of its own, in that layout; f64 and f32 become `floating`, other dtypes
/// stay. The memory between the elements and, up to x.numel(), after them holds 10⁶, so that
/// reading element i at data()[i] shows. In Layout::expanded the elements are those of repeated(x).
/// Not recorded.
Tensor copy_as(const Tensor& x, Layout layout = Layout::contiguous, DType floating = f64);

/// A contiguous copy of x whose first dimension with more than one element repeats its first
/// element: the values that an expanded tensor can have. Not recorded.
Tensor repeated(const Tensor& x);

/// A tensor of x's shape, with `value` in every element and all strides 0: the gradient that sum()
/// sends back. Not recorded.
Tensor spread(double value, const Tensor& x);

/// While it lives, x uses the memory of `copy`, a tensor of the same shape and dtype. All handles
/// of x see that, views of x do not.
class LaidOutAs {
 public:
  LaidOutAs(const Tensor& x, const Tensor& copy);
  ~LaidOutAs();
  LaidOutAs(const LaidOutAs&) = delete;
  LaidOutAs& operator=(const LaidOutAs&) = delete;

 private:
  void exchange();
  std::shared_ptr<TensorImpl> impl_;
  std::shared_ptr<Storage> storage_;
  int64_t offset_;
  Strides strides_;
  bool contiguous_;
};

}  // namespace tarsier
