#include "zoo/task.h"

#include <algorithm>

namespace tarsier::zoo {

Settings Task::settings() {
  Settings settings(name());
  add_settings(settings);
  recipe.add_to(settings);
  return settings;
}

double Task::learning_rate(int64_t step) const {
  optim::WarmupCosineOptions options;
  options.lr = recipe.learning_rate;
  options.min_lr = std::min(recipe.min_learning_rate, recipe.learning_rate);
  options.decay_steps = recipe.decay_steps > 0 ? recipe.decay_steps : recipe.steps;
  options.warmup_steps = std::min(recipe.warmup_steps, options.decay_steps / 2);
  return optim::warmup_cosine(options)(step - 1);
}

std::unique_ptr<optim::Optimizer> Task::make_optimizer() {
  optim::AdamWOptions options;
  options.lr = recipe.learning_rate;
  options.betas = {recipe.beta1, recipe.beta2};
  optim::ParameterGroup<optim::AdamWOptions> decayed{{}, options}, others{{}, options};
  decayed.options.weight_decay = recipe.weight_decay;
  others.options.weight_decay = 0;
  for (const auto& [name, parameter] : model().named_parameters())
    (parameter.dim() >= 2 ? decayed : others).parameters.add(name, parameter);
  return std::make_unique<optim::AdamW>(std::vector{decayed, others});
}

}  // namespace tarsier::zoo
