// One Kernels<T> for the instruction set that this file is being compiled for.
#include "autograd/kernels/kernels.h"
#include "autograd/kernels/simd.h"

namespace tarsier::kernels::TARSIER_ISA {

template <class T>
GemmKernels<T> gemm_kernels();
template <class T>
ElementwiseKernels<T> elementwise_kernels();
template <class T>
ReduceKernels<T> reduce_kernels();
template <class T>
SoftmaxKernels<T> softmax_kernels();
template <class T>
NormKernels<T> norm_kernels();
template <class T>
LossKernels<T> loss_kernels();
template <class T>
AttentionKernels<T> attention_kernels();
template <class T>
RotaryKernels<T> rotary_kernels();
template <class T>
OptimKernels<T> optim_kernels();
template <class T>
RandomKernels<T> random_kernels();
template <class T>
TransposeKernels<T> transpose_kernels();

template <class T>
Kernels<T> make_kernels() {
  return {gemm_kernels<T>(),      elementwise_kernels<T>(), reduce_kernels<T>(),
          softmax_kernels<T>(),   norm_kernels<T>(),        loss_kernels<T>(),
          attention_kernels<T>(), rotary_kernels<T>(),      optim_kernels<T>(),
          random_kernels<T>(),    transpose_kernels<T>()};
}

const Kernels<float>& kernels_f32() {
  static const Kernels<float> kernels = make_kernels<float>();
  return kernels;
}
const Kernels<double>& kernels_f64() {
  static const Kernels<double> kernels = make_kernels<double>();
  return kernels;
}

}  // namespace tarsier::kernels::TARSIER_ISA
