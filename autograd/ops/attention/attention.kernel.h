#pragma once
// Attention without the matrix of weights: softmax(q·kᵀ·scale + mask)·v and its gradients, block by
// block, so that memory grows with T and not with T².
// Source: Dao et al., "FlashAttention: fast and memory-efficient exact attention", 2022.

#include "attention_arguments.h"

namespace tarsier::kernels {

template <class T>
struct AttentionKernels {
  /// y, and log Σ_j exp(score_ij) of every row: lse (heads, tq). A row without any visible key
  /// gives zeros, and lse = +∞ (so that exp(score − lse) is 0 there).
  void (*attention)(const Attention<T>& a, const HeadRows<T>& y, T* lse);
  void (*attention_grad)(const Attention<T>& a, const AttentionGrad<T>& g);
};

}  // namespace tarsier::kernels
