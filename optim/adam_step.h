#pragma once
// The step that the variants of Adam share.

#include "../autograd/tensor/tensor.h"
#include "optim.kernel.h"

namespace tarsier::optim {

/// Updates elements begin … end − 1 of the weights w, their mean gradient m, and the mean of its
/// square v: OptimKernels::adam with the numbers of `step` rounded to the dtype of w. Without
/// AMSGrad, v_max is undefined.
void adam_step(const kernels::AdamStep<double>& step, const Tensor& grad, const Tensor& w,
               const Tensor& m, const Tensor& v, const Tensor& v_max, int64_t begin, int64_t end);

}  // namespace tarsier::optim
