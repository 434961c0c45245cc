#pragma once
// The ways in which a tensor may lie in memory, for checks that an op reads all of them right.

#include "../tensor/tensor.h"

namespace tarsier {

/// How the elements of a tensor lie in memory.
enum class Layout {
  contiguous,
  transposed,  ///< the dimensions in the opposite order
  gaps,        ///< every second element along each dimension, after an offset
  expanded,    ///< the first dimension of more than one element is one that repeats, with stride 0
};

/// "contiguous", "transposed", "strided (gaps and an offset)", "expanded (stride 0)".
const char* name_of(Layout layout);

/// A copy of x in memory of its own, in that layout; f64 and f32 become `floating`, other dtypes
/// stay. What the memory holds between the elements and, up to x.numel(), after them is 10⁶: who
/// reads element i at data()[i] notices. In Layout::expanded the elements are those of
/// repeated(x). Not recorded.
Tensor copy_as(const Tensor& x, Layout layout = Layout::contiguous, DType floating = f64);

/// A contiguous copy of x in which the first dimension of more than one element repeats its first
/// element: what an expanded tensor can hold. Not recorded.
Tensor repeated(const Tensor& x);

/// A tensor shaped as x, with `value` in every element and all strides 0: the gradient that sum()
/// sends back. Not recorded.
Tensor spread(double value, const Tensor& x);

/// While it lives, x lies in the memory of `copy`, a tensor of the same shape and dtype; all who
/// hold x see that, views of x do not.
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
