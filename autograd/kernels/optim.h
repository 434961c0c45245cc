#pragma once
// One step of an optimiser over contiguous memory, in a single pass: each number is read and
// written once.

#include <cstdint>

namespace tarsier::kernels {

/// The numbers of an Adam step, the same for all elements of a parameter.
template <class T>
struct AdamStep {
  T beta1, beta2, eps;
  T l2;            ///< weight decay that is added to the gradient (Adam)
  T shrink;        ///< factor on the weights: 1 − lr·weight_decay (AdamW), or 1
  T step_size;     ///< lr / (1 − β₁ᵗ)
  T inverse_root;  ///< 1 / √(1 − β₂ᵗ)
};

template <class T>
struct SgdStep {
  T lr, momentum, dampening;
  T l2;  ///< weight decay
  bool nesterov;
  bool first;  ///< the buffer has no value yet
};

template <class T>
struct OptimKernels {
  /// g ← g + l2·w,  w ← shrink·w,  m ← β₁m + (1 − β₁)g,  v ← β₂v + (1 − β₂)g²,
  /// w ← w − step_size·m / (√v·inverse_root + eps).
  void (*adam)(int64_t n, const AdamStep<T>& step, const T* g, T* w, T* m, T* v);
  /// g ← g + l2·w,  b ← momentum·b + (1 − dampening)·g  (b ← g at first),
  /// w ← w − lr·(nesterov ? g + momentum·b : b).  Without momentum b is null, and w ← w − lr·g.
  void (*sgd)(int64_t n, const SgdStep<T>& step, const T* g, T* w, T* b);
};

}  // namespace tarsier::kernels
