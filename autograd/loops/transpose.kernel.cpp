#include "autograd/loops/transpose.kernel.h"

#include "autograd/simd/dispatch.h"
#include "autograd/simd/transpose.h"

namespace tarsier::kernels::TARSIER_ISA {
namespace {

/// One block of at most width × width, through registers.
template <class T>
TARSIER_INLINE void transpose_block(int64_t rows, int64_t cols, const T* from, int64_t from_row,
                                    T* to, int64_t to_row) {
  constexpr int W = Simd<T>::width;
  Simd<T> x[W];
  for (int j = 0; j < W; ++j)
    x[j] = j >= cols   ? Simd<T>(T(0))
           : rows == W ? Simd<T>::load(from + j * from_row)
                       : Simd<T>::load(from + j * from_row, rows);
  transpose(x);
  for (int i = 0; i < W && i < rows; ++i) {
    if (cols == W)
      x[i].store(to + i * to_row);
    else
      x[i].store(to + i * to_row, cols);
  }
}

template <class T>
void transpose_copy(int64_t rows, int64_t cols, const T* from, int64_t from_row, T* to,
                    int64_t to_row) {
  constexpr int64_t W = Simd<T>::width, kLine = 64 / sizeof(T);
  // A band as high as a cache line, so that a line of `from` is read completely before the next.
  for (int64_t band = 0; band < rows; band += kLine)
    for (int64_t j = 0; j < cols; j += W)
      for (int64_t i = band; i < least(band + kLine, rows); i += W) {
        const T* const f = from + j * from_row + i;
        T* const t = to + i * to_row + j;
        if (rows - i >= W && cols - j >= W)
          transpose_block(W, W, f, from_row, t, to_row);
        else
          transpose_block(least(W, rows - i), least(W, cols - j), f, from_row, t, to_row);
      }
}

}  // namespace

template <class T>
TransposeKernels<T> transpose_kernels() {
  return {transpose_copy<T>};
}

}  // namespace tarsier::kernels::TARSIER_ISA

namespace tarsier::kernels {

template <>
TransposeKernels<float> kernels_of<kIsa>() {
  return TARSIER_ISA::transpose_kernels<float>();
}
template <>
TransposeKernels<double> kernels_of<kIsa>() {
  return TARSIER_ISA::transpose_kernels<double>();
}

}  // namespace tarsier::kernels
