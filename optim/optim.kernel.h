#pragma once
// One step of each optimiser over contiguous memory, in a single pass: each number is read and
// written once. g is the gradient, w are the weights, and l2 is weight decay that is added to the
// gradient. With `maximize`, g is replaced by −g.

#include <cstdint>

namespace tarsier::kernels {

/// A factor β as a sum of two numbers of type T. If β is close to 1, what counts is 1 − β, and a
/// float keeps few digits of that: it rounds β = 0.99999 to 1 − 1.0014e-5.
template <class T>
struct Factor {
  T high, low;
  explicit constexpr Factor(double beta)
      : high(static_cast<T>(beta)), low(static_cast<T>(beta - double{static_cast<T>(beta)})) {}
};

/// A moving average: a ← βa + (1 − β)x.
template <class T>
struct Average {
  Factor<T> beta;
  T rest;  ///< 1 − β
  explicit constexpr Average(double decay) : beta(decay), rest(static_cast<T>(1 - decay)) {}
};

/// The constants of an Adam step, the same for all elements of a parameter.
template <class T>
struct AdamStep {
  Average<T> beta1, beta2;
  T eps;
  T l2;            ///< weight decay that is added to the gradient (Adam)
  T decay;         ///< of the weights: lr·weight_decay (AdamW), or 0
  T step_size;     ///< lr / (1 − β₁ᵗ)
  T inverse_root;  ///< 1 / √(1 − β₂ᵗ)
  bool maximize = false;
  T gradient_size = 0;  ///< of the gradient next to its average (NAdam)
};

template <class T>
struct SgdStep {
  T lr;
  Factor<T> momentum;
  T rest;  ///< 1 − dampening
  T l2;
  bool nesterov;
  bool first;  ///< the buffer has no value yet
  bool maximize = false;
};

template <class T>
struct AdagradStep {
  T lr;  ///< after its decay
  T eps, l2;
  bool maximize = false;
};

template <class T>
struct AdadeltaStep {
  T lr;
  Average<T> rho;
  T eps, l2;
  bool maximize = false;
};

template <class T>
struct RmspropStep {
  T lr;
  Average<T> alpha;
  T eps, l2;
  Factor<T> momentum;
  bool maximize = false;
};

template <class T>
struct LionStep {
  T lr;
  Average<T> beta1, beta2;
  T decay;  ///< lr·weight_decay
  bool maximize = false;
};

template <class T>
struct OptimKernels {
  /// g ← g + l2·w,  m ← β₁m + (1 − β₁)g,  v ← β₂v + (1 − β₂)g², at most the largest number of T,
  /// w ← w − (decay·w + (step_size·m + gradient_size·g) / (√v·inverse_root + eps)).
  /// With AMSGrad, v_max ← max(v_max, v) replaces v in the last line; otherwise v_max is null.
  void (*adam)(int64_t n, const AdamStep<T>& step, const T* g, T* w, T* m, T* v, T* v_max);
  /// g ← g + l2·w,  b ← momentum·b + rest·g  (b ← g at first),
  /// w ← w − lr·(nesterov ? g + momentum·b : b).  Without momentum b is null, and w ← w − lr·g.
  void (*sgd)(int64_t n, const SgdStep<T>& step, const T* g, T* w, T* b);
  /// g ← g + l2·w,  s ← s + g²,  w ← w − lr·g / (√s + eps).
  void (*adagrad)(int64_t n, const AdagradStep<T>& step, const T* g, T* w, T* s);
  /// g ← g + l2·w,  v ← αv + (1 − α)g², at most the largest number of T,  a ← αa + (1 − α)g,
  /// u ← g / (√max(v − a², 0) + eps),  b ← momentum·b + u,  w ← w − lr·b.
  /// Null a: not centred, a = 0. Null b: no momentum, b = u.
  void (*rmsprop)(int64_t n, const RmspropStep<T>& step, const T* g, T* w, T* v, T* a, T* b);
  /// w ← w − (decay·w + lr·sign(β₁m + (1 − β₁)g)),  m ← β₂m + (1 − β₂)g.
  void (*lion)(int64_t n, const LionStep<T>& step, const T* g, T* w, T* m);
  /// g ← g + l2·w,  v ← ρv + (1 − ρ)g²,  δ ← √(a + eps) / √(v + eps) · g,  a ← ρa + (1 − ρ)δ²,
  /// w ← w − lr·δ.  v and a are at most the largest number of T.
  void (*adadelta)(int64_t n, const AdadeltaStep<T>& step, const T* g, T* w, T* v, T* a);
};

}  // namespace tarsier::kernels
