#pragma once
// An exponential moving average of the weights.

#include <cstdint>
#include <string>
#include <vector>

#include "../autograd/tensor/tensor_dict.h"

namespace tarsier::optim {

/// Keeps an average a of every parameter w, and updates it after every step:
///   a ← d·a + (1 − d)·w,   d = min(decay, (1 + t) / (10 + t)) in update t = 0, 1, …
/// With small batches w fluctuates around its target; the average over the last 1 / (1 − decay)
/// steps is closer to it. The second term of the minimum makes early averages forget the initial
/// weights. Training itself is not affected.
///   optimizer.step();  ema.update();  …  ema.swap();  evaluate();  ema.swap();
/// Sources: Polyak & Juditsky 1992; https://pytorch.org/docs/stable/optim.html, "EMA".
class ExponentialMovingAverage {
 public:
  /// The averages start as copies of the parameters. Throws Error("ema") unless 0 ≤ decay < 1.
  ExponentialMovingAverage(const TensorDict& parameters, double decay);

  /// Updates the averages with the current parameters. Throws Error("ema") if one belonged to a
  /// module when this was made, and the module now has another tensor instead.
  void update();
  /// Swaps the values of parameters and averages. A second call swaps them back.
  void swap();

  /// The averages under the parameters' names, and the number of updates as "ema.updates".
  /// Shares memory with this.
  TensorDict state_dict() const;
  /// Copies such a state. Throws Error("ema") if a name is missing or a shape differs; then nothing
  /// changes.
  void load_state_dict(const TensorDict& state);

 private:
  TensorDict parameters_, averages_;
  std::vector<std::string> of_modules_;  // names of those that were modules' parameters
  double decay_;
  int64_t updates_ = 0;
};

}  // namespace tarsier::optim
