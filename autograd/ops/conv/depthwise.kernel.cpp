#include "autograd/ops/conv/depthwise.kernel.h"

#include "autograd/simd/dispatch.h"
#include "autograd/simd/rows.h"

namespace tarsier::kernels::TARSIER_ISA {
namespace {

/// Where element (p, q) of the window of y[i, 0] is.
TARSIER_INLINE int64_t place(const Channel& at, int64_t i, int64_t p, int64_t q) {
  return (i + p * at.dilation_h) * at.row + q * at.dilation_w;
}

/// A register of results at a time, which takes all of its sum before it is stored.
template <class T>
void apply(const Channel& at, const T* x, const T* w, T* y) {
  for (int64_t i = 0; i < at.rows; ++i, y += at.columns)
    each<T>(at.columns, [&](int64_t j, int64_t lanes) {
      Simd<T> sum = T(0);
      for (int64_t p = 0; p < at.kernel_h; ++p)
        for (int64_t q = 0; q < at.kernel_w; ++q)
          sum = fma(load(x + place(at, i, p, q) + j, lanes), Simd<T>(w[p * at.kernel_w + q]), sum);
      store(y + j, sum, lanes);
    });
}

/// One element of dw after the other, over a few rows, which stay in the L1 cache. The sums of such
/// blocks are added in their order, so that errors do not grow with the size of the image.
template <class T>
void weight_grad(const Channel& at, const T* x, const T* dy, T* dw) {
  constexpr int64_t kBlock = 16;
  for (int64_t first = 0; first < at.rows; first += kBlock)
    for (int64_t p = 0; p < at.kernel_h; ++p)
      for (int64_t q = 0; q < at.kernel_w; ++q) {
        Simd<T> sum = T(0);
        for (int64_t i = first; i < least(first + kBlock, at.rows); ++i)
          each<T>(at.columns, [&](int64_t j, int64_t lanes) {
            sum = fma(load(x + place(at, i, p, q) + j, lanes), load(dy + i * at.columns + j, lanes),
                      sum);
          });
        dw[p * at.kernel_w + q] += across_lanes<SumOp<T>>(sum);
      }
}

}  // namespace

template <class T>
DepthwiseKernels<T> depthwise_kernels() {
  return {apply<T>, weight_grad<T>};
}

}  // namespace tarsier::kernels::TARSIER_ISA

namespace tarsier::kernels {

template <>
DepthwiseKernels<float> kernels_of<kIsa>() {
  return TARSIER_ISA::depthwise_kernels<float>();
}
template <>
DepthwiseKernels<double> kernels_of<kIsa>() {
  return TARSIER_ISA::depthwise_kernels<double>();
}

}  // namespace tarsier::kernels
