#pragma once
// The part of a recipe that all models share: how long, how fast, how often to look.

#include <cstdint>

#include "zoo/settings.h"

namespace tarsier::zoo {

/// AdamW with a warm-up and a cosine, as nanoGPT trains. The defaults are those of the `cpu`
/// preset.
struct Recipe {
  int64_t steps = 2000;
  int64_t batch_size = 12;
  double learning_rate = 1e-3;      ///< after the warm-up
  double min_learning_rate = 1e-4;  ///< at the end
  int64_t warmup_steps = 100;
  int64_t decay_steps = 0;  ///< the cosine's length; 0: steps
  double beta1 = 0.9;
  double beta2 = 0.99;
  double weight_decay = 0.1;  ///< of tensors with two or more dimensions
  double clip_norm = 1;       ///< 0: no clipping
  double ema_decay = 0.98;  ///< of the averaged weights, which are validated and kept; 0: the last
  int64_t eval_every = 500;
  int64_t checkpoint_every = 250;

  void add_to(Settings& settings) {
    settings.add("steps", steps, "training steps");
    settings.add("batch_size", batch_size, "examples in a step");
    settings.add("learning_rate", learning_rate, "largest, after the warm-up");
    settings.add("min_learning_rate", min_learning_rate, "at the end of the cosine");
    settings.add("warmup_steps", warmup_steps, "steps until the largest rate; at most half of all",
                 0);
    settings.add("decay_steps", decay_steps, "steps until the smallest rate; 0: the last step", 0);
    settings.add("beta1", beta1, "of AdamW", 0, 0.999999);
    settings.add("beta2", beta2, "of AdamW", 0, 0.999999);
    settings.add("weight_decay", weight_decay, "of AdamW, for matrices only");
    settings.add("clip_norm", clip_norm, "largest norm of the gradient; 0: any");
    settings.add("ema_decay", ema_decay, "memory of the averaged weights; 0: the last weights", 0,
                 0.999999);
    settings.add("eval_every", eval_every, "steps between validations");
    settings.add("checkpoint_every", checkpoint_every, "steps between checkpoints");
  }
};

}  // namespace tarsier::zoo
