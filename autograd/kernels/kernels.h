#pragma once
// The table of kernels: arithmetic on raw memory that knows nothing of tensors or gradients.
//
// A family of kernels is a header with a struct of function pointers (gemm.h: GemmKernels<T>) and a
// source (gemm.cpp) that is compiled once per instruction set. In each of those builds table.cpp
// gathers the families into a Kernels<T>. active<T>() is the table of the chosen instruction set:
//
//   kernels::active<float>().gemm({.m = 64, …});
//
// To add a family: write its header and source, add one line here and one in table.cpp.

#include "attention.h"
#include "elementwise.h"
#include "gemm.h"
#include "loss.h"
#include "norm.h"
#include "optim.h"
#include "random.h"
#include "reduce.h"
#include "rotary.h"
#include "softmax.h"
#include "transpose.h"

namespace tarsier::kernels {

/// All kernels for elements of type T (float or double).
template <class T>
struct Kernels : GemmKernels<T>,
                 ElementwiseKernels<T>,
                 ReduceKernels<T>,
                 SoftmaxKernels<T>,
                 NormKernels<T>,
                 LossKernels<T>,
                 AttentionKernels<T>,
                 RotaryKernels<T>,
                 OptimKernels<T>,
                 RandomKernels<T>,
                 TransposeKernels<T> {};

/// The kernels of the instruction set in use: the best that the processor has, or the one that
/// TARSIER_ISA names. Throws Error("TARSIER_ISA") where that one is unknown, or missing here.
template <class T>
const Kernels<T>& active();

/// The name of the instruction set in use: "scalar", "avx2", "avx512" or "neon".
const char* active_isa();

}  // namespace tarsier::kernels
