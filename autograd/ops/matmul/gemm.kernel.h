#pragma once
// C = A·B, C += A·B, with any strides, batched, with a fused bias.

#include <cstdint>

#include "gemm_arguments.h"

namespace tarsier::kernels {

/// One step from the definition of the product to a fast one (gemm_ladder.h): C = A·B for row-major
/// matrices, on one thread. All steps give the same bits, and up to k = 128 those of `gemm`.
/// `memory` has room for `memory_size(m, k)` elements.
template <class T>
struct GemmStep {
  const char* name;
  void (*run)(int64_t m, int64_t n, int64_t k, const T* a, const T* b, T* c, T* memory);
  int64_t (*memory_size)(int64_t m, int64_t k);
};

template <class T>
struct GemmKernels {
  /// The product, on the threads of the pool if it is large enough.
  void (*gemm)(const Gemm<T>&);
  /// At each precision, the bf16 parts that large operands are split into: their sum is the number.
  /// 0: the arithmetic of T, at every size.
  int bf16_parts[3];
  /// For tests, and null where they cannot run: a single product, of medium or high precision, as
  /// AMX computes it (gemm_amx.h), with loops in place of its instructions.
  void (*by_tiles)(const Gemm<T>&);
  /// For study: naive, blocked, packed, simd.
  GemmStep<T> gemm_ladder[4];
};

}  // namespace tarsier::kernels
