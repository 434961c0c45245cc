#pragma once
// One result per element of two operands: y = f(a, b), comparisons, selection and mixing.

#include <cstdint>

namespace tarsier::kernels {

/// y = f(a, b). minimum and maximum are NaN where a or b is NaN.
enum class Binary : uint8_t { add, sub, mul, div, pow, minimum, maximum, count };

enum class Compare : uint8_t { eq, ne, lt, le, gt, ge, count };

/// Results are contiguous. A stride is the distance, in elements, of successive operands: 1 and 0
/// (the same operand every time) have fast loops, others are gathered. Results may replace an
/// operand (the same pointer and stride 1), but not overlap one otherwise.
template <class T>
struct ElementwiseKernels {
  using BinaryKernel = void(int64_t n, const T* a, int64_t a_stride, const T* b, int64_t b_stride,
                            T* y);
  using CompareKernel = void(int64_t n, const T* a, int64_t a_stride, const T* b, int64_t b_stride,
                             bool* y);

  BinaryKernel* binary[static_cast<int>(Binary::count)];
  CompareKernel* compare[static_cast<int>(Compare::count)];

  /// y = mask ? a : b.
  void (*select)(int64_t n, const bool* mask, int64_t mask_stride, const T* a, int64_t a_stride,
                 const T* b, int64_t b_stride, T* y);
  /// y = alpha·x + beta·y. With beta = 0 the old y is not read, so NaN there does no harm.
  void (*axpby)(int64_t n, T alpha, const T* x, T beta, T* y);
};

}  // namespace tarsier::kernels
