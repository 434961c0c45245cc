#pragma once
// Cross-entropy of rows of logits against class indices, and of single logits against probabilities,
// with their gradients.

#include <cstdint>

namespace tarsier::kernels {

/// The arguments of a cross-entropy. The definition is that of
/// torch.nn.functional.cross_entropy for class indices.
template <class T>
struct CrossEntropy {
  int64_t rows, classes;
  const T* logits;        // (rows, classes), contiguous
  const int64_t* target;  // (rows): 0 ≤ class < classes, or ignore_index
  const T* weight;        // (classes), or null for 1
  int64_t ignore_index;
  T label_smoothing;
};

template <class T>
struct LossKernels {
  /// Per row with target t, log p = log_softmax(logits), ε = label_smoothing and weights w:
  ///   loss = −(1 − ε)·w_t·log p_t − ε / classes · Σ_c w_c·log p_c      0 where t is ignored
  /// Stores for the gradient, per row, stats[0] = m = max logits and stats[1] = log Σ exp(x − m);
  /// their sum alone would lose the digits of p if logits are large.
  void (*cross_entropy)(const CrossEntropy<T>&, T* loss, T* stats);
  /// With a = (1 − ε)·w_t, b_c = ε / classes · w_c and the gradient g of the row's loss:
  ///   dlogits_c = g·((a + Σ b)·p_c − b_c − a·[c = t])      0 where t is ignored
  void (*cross_entropy_grad)(const CrossEntropy<T>&, const T* stats, const T* dloss, T* dlogits);

  /// Per logit x and probability t, y = −t·log σ(x) − (1 − t)·log(1 − σ(x)), as
  ///   y = (1 − t)·max(x, 0) + t·max(−x, 0) + log(1 + e^{−|x|})      with 0 · ∞ = 0
  /// in which nothing cancels or overflows.
  void (*logits)(int64_t n, const T* x, const T* t, T* y);
  /// dx = dy·((1 − t)·σ(x) − t·σ(−x)), from the smaller of both σ, so that it cancels only where the
  /// gradient is 0.
  void (*logits_grad)(int64_t n, const T* x, const T* t, const T* dy, T* dx);
};

}  // namespace tarsier::kernels
