#pragma once
// The part of a recipe that all models share: optimiser, schedule, validation.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../../nn/nn.h"
#include "../../optim/optim.h"
#include "settings.h"

namespace tarsier::zoo {

/// The defaults are nanoGPT's for a CPU.
struct Recipe {
  int64_t steps = 2000;
  double epochs = 0;  ///< passes over the training data, instead of steps; 0: `steps` counts
  int64_t batch_size = 12;
  int64_t accumulate = 1;           ///< batches per step
  std::string optimizer = "adamw";  ///< or "muon"
  std::string schedule = "cosine";  ///< "linear", "noam" or "constant"
  double learning_rate = 1e-3;      ///< after the warm-up
  double min_learning_rate = 1e-4;  ///< at the end
  int64_t warmup_steps = 100;
  int64_t decay_steps = 0;  ///< until the smallest rate; 0: all steps
  double beta1 = 0.9;
  double beta2 = 0.99;
  double weight_decay = 0.1;  ///< of tensors with two or more dimensions
  double clip_norm = 1;       ///< 0: no clipping
  double ema_decay = 0.98;    ///< of the averaged weights, which are validated and kept; 0: none
  int64_t eval_every = 500;   ///< steps; 0: once an epoch
  int64_t checkpoint_every = 250;  ///< steps
  int64_t patience = 0;            ///< stop after so many validations without a gain; 0: never

  void add_to(Settings& settings);

  /// The rate of step `step` (from 1) of `steps`: linear from 0 to learning_rate during the
  /// warm-up, then as `schedule` says: cosine or linear down to min_learning_rate; noam as 1/√step
  /// (Vaswani et al., 2017); constant.
  double learning_rate_of(int64_t step, int64_t steps) const;
};

/// How a parameter is trained: the class of its optimiser and the options of its update by their
/// names, without the learning rate.
struct UpdateRule {
  std::string optimizer;  ///< "AdamW"
  std::vector<std::pair<std::string, double>> options;
};

/// One or more optimisers that share a model's parameters and a learning rate.
class Optimizers {
 public:
  /// AdamW for all, with weight decay only for tensors of two or more dimensions. If the recipe
  /// says muon: Muon for the matrices named in `muon_names`, and AdamW for the others.
  Optimizers(const Recipe& recipe, const nn::Module& model,
             const std::vector<std::string>& muon_names);

  void zero_grad();
  void set_lr(double lr);
  void step();
  TensorDict state_dict() const;
  void load_state_dict(const TensorDict& state);
  /// Throws Error("recipe") if the model has no such parameter.
  const UpdateRule& rule_of(const std::string& parameter) const;

 private:
  std::vector<std::unique_ptr<optim::Optimizer>> all_;
  std::vector<TensorDict> parameters_;  // of each
  std::map<std::string, UpdateRule> rules_;
};

}  // namespace tarsier::zoo
