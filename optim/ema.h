#pragma once
// Averages of weights over the last steps.

#include <cstdint>
#include <string>
#include <vector>

#include "../autograd/tensor/tensor_dict.h"

namespace tarsier::optim {

/// Keeps for every parameter w an average a, and moves it after every step:
///   a ← d·a + (1 − d)·w,   d = min(decay, (1 + t) / (10 + t)) in update t = 0, 1, …
/// With small batches w trembles around the place that it goes to; the average of the last
/// 1 / (1 − decay) steps lies nearer to it. The second term lets early averages forget the
/// beginning. Training itself does not notice.
///   optimizer.step();  ema.update();  …  ema.swap();  evaluate();  ema.swap();
/// Sources: Polyak & Juditsky 1992; https://pytorch.org/docs/stable/optim.html, "EMA".
class ExponentialMovingAverage {
 public:
  /// The averages start as copies of the parameters. Throws Error("ema") unless 0 ≤ decay < 1.
  ExponentialMovingAverage(const TensorDict& parameters, double decay);

  /// Takes in the parameters as they are now. Throws Error("ema") where one was a module's when
  /// this was made, and another tensor was assigned in its place since.
  void update();
  /// Exchanges the values of parameters and averages. Twice: as before.
  void swap();

  /// The averages under the parameters' names, and the number of updates as "ema.updates".
  /// Shares memory with this.
  TensorDict state_dict() const;
  /// Takes over a copy of such a state. Throws Error("ema") where a name is missing or a shape
  /// differs; nothing is changed then.
  void load_state_dict(const TensorDict& state);

 private:
  TensorDict parameters_, averages_;
  std::vector<std::string> of_modules_;  // names of those that were modules' parameters
  double decay_;
  int64_t updates_ = 0;
};

}  // namespace tarsier::optim
