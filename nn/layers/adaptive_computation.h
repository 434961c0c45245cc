#pragma once
// Adaptive computation time: a step that is repeated as often as each position needs it.

#include <cstdint>
#include <functional>
#include <string>

#include "../module.h"
#include "linear.h"

namespace tarsier::nn {

struct AdaptiveComputationOptions {
  double epsilon = 0.01;  ///< a position halts when its probabilities add up to 1 − epsilon
  double bias = 0;        ///< of `halt` at the start: below 0 more steps, above 0 fewer
};

struct ComputationResult {
  Tensor output;  ///< (…, C): the mean of the states, weighted by the halting probabilities
  Tensor ponder;  ///< (…): N + R, the cost of each position
  Tensor steps;   ///< (…): N, the steps that it took; without gradient
};

/// Repeats x ← step(x, n), n = 0, 1, …, until every position has halted, at most max_steps times:
///   h_n = σ(halt(x_n))                              the probability to halt after step n, n = 1, …
///   N   = the first n with h_1 + … + h_n ≥ 1 − ε, or max_steps
///   R   = 1 − (h_1 + … + h_{N−1})                   the remainder
///   p_n = h_n for n < N, p_N = R                    they add up to 1
///   output = Σ_n p_n · x_n,   ponder = N + R
/// A position that has halted keeps its state, so that others can go on to look at it.
/// Shapes: (…, C) → (…, C).
///
/// The backward is that of these ops, and follows from one remark: N is constant between its jumps,
/// so the derivative of N + R is that of R,
///   ∂(N + R)/∂h_n = −1 for n < N, and 0 for n ≥ N:
/// less ponder is reached by halting earlier with more probability, and never through the last step.
/// Likewise, for dy the gradient of the output and n < N, dh_n = dy · (x_n − x_N): a step gains
/// probability where its state is better than the last one.
///
/// `halt` starts as in Linear, its bias as given.
/// Throws Error("adaptive_computation") unless max_steps > 0 and 0 ≤ ε < 1, for another C, and for
/// a step that changes the shape.
/// Source: Graves 2016, "Adaptive computation time for recurrent neural networks"; in depth, for
/// each position: Dehghani et al. 2019, "Universal Transformers".
struct AdaptiveComputation : Layer<AdaptiveComputation> {
  using Step = std::function<Tensor(const Tensor& x, int64_t n)>;

  Linear halt;  ///< (1, C)
  const int64_t max_steps;
  const AdaptiveComputationOptions options;

  AdaptiveComputation(int64_t embed_dim, int64_t max_steps,
                      const AdaptiveComputationOptions& options = {});

  ComputationResult forward(const Arg& x, const Step& step);

  std::string extra_repr() const override;
};

}  // namespace tarsier::nn
