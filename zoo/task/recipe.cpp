#include "zoo/task/recipe.h"

#include <algorithm>

namespace tarsier::zoo {

void Recipe::add_to(Settings& settings) {
  settings.add("steps", steps, "training steps");
  settings.add("epochs", epochs, "passes over the data, instead of steps");
  settings.add("batch_size", batch_size, "examples per batch");
  settings.add("accumulate", accumulate, "batches per step");
  settings.add("optimizer", optimizer, "muon: for the matrices of the blocks", {"adamw", "muon"});
  settings.add("schedule", schedule, "how the learning rate falls",
               {"cosine", "linear", "noam", "constant"});
  settings.add("learning_rate", learning_rate, "the largest, after the warm-up");
  settings.add("min_learning_rate", min_learning_rate, "at the end of cosine and linear");
  settings.add("warmup_steps", warmup_steps, "steps until the largest rate; at most half of all",
               0);
  settings.add("decay_steps", decay_steps, "steps until the smallest rate; 0: all steps", 0);
  settings.add("beta1", beta1, "of AdamW", 0, 0.999999);
  settings.add("beta2", beta2, "of AdamW", 0, 0.999999);
  settings.add("weight_decay", weight_decay, "for matrices only");
  settings.add("clip_norm", clip_norm, "largest norm of the gradient; 0: no clipping");
  settings.add("ema_decay", ema_decay, "decay of the averaged weights; 0: no average", 0, 0.999999);
  settings.add("eval_every", eval_every, "steps between validations; 0: an epoch", 0);
  settings.add("checkpoint_every", checkpoint_every, "steps between checkpoints");
  settings.add("patience", patience, "stop after N validations without a gain; 0: never", 0);
}

double Recipe::learning_rate_of(int64_t step, int64_t steps) const {
  const int64_t end = decay_steps > 0 ? decay_steps : steps;
  const int64_t warmup = std::min(warmup_steps, end / 2), t = step - 1;
  if (schedule == "constant") return optim::warmup_constant(learning_rate, warmup)(t);
  if (schedule == "noam") return optim::warmup_inverse_square_root(learning_rate, warmup)(t);
  const optim::WarmupOptions options{.lr = learning_rate,
                                     .min_lr = std::min(min_learning_rate, learning_rate),
                                     .warmup_steps = warmup,
                                     .decay_steps = end};
  return (schedule == "linear" ? optim::warmup_linear : optim::warmup_cosine)(options)(t);
}

namespace {

UpdateRule rule_with(const optim::AdamWOptions& options) {
  return {"AdamW",
          {{"beta1", options.betas.first},
           {"beta2", options.betas.second},
           {"eps", options.eps},
           {"weight_decay", options.weight_decay}}};
}

UpdateRule rule_with(const optim::MuonOptions& options) {
  return {"Muon",
          {{"momentum", options.momentum},
           {"nesterov", options.nesterov},
           {"ns_steps", static_cast<double>(options.ns_steps)},
           {"eps", options.eps},
           {"weight_decay", options.weight_decay}}};
}

}  // namespace

Optimizers::Optimizers(const Recipe& recipe, const nn::Module& model,
                       const std::vector<std::string>& muon_names) {
  optim::AdamWOptions options;
  options.lr = recipe.learning_rate;
  options.betas = {recipe.beta1, recipe.beta2};
  optim::ParameterGroup<optim::AdamWOptions> decayed{{}, options}, others{{}, options};
  decayed.options.weight_decay = recipe.weight_decay;
  others.options.weight_decay = 0;
  // Update sizes match AdamW's, so that one learning rate works for both.
  const optim::MuonOptions muon{.lr = recipe.learning_rate,
                                .weight_decay = recipe.weight_decay,
                                .adjust_lr_fn = "match_rms_adamw"};
  TensorDict matrices, rest;
  for (const auto& [name, parameter] : model.named_parameters()) {
    const bool by_muon = recipe.optimizer == "muon" &&
                         std::find(muon_names.begin(), muon_names.end(), name) != muon_names.end();
    (by_muon ? matrices : rest).add(name, parameter);
    auto& group = parameter.dim() >= 2 ? decayed : others;
    if (!by_muon) group.parameters.add(name, parameter);
    rules_[name] = by_muon ? rule_with(muon) : rule_with(group.options);
  }
  if (!rest.empty()) {
    all_.push_back(std::make_unique<optim::AdamW>(std::vector{decayed, others}));
    parameters_.push_back(rest);
  }
  if (!matrices.empty()) {
    all_.push_back(std::make_unique<optim::Muon>(matrices, muon));
    parameters_.push_back(matrices);
  }
}

void Optimizers::zero_grad() {
  for (const auto& optimizer : all_) optimizer->zero_grad();
}

void Optimizers::set_lr(double lr) {
  for (const auto& optimizer : all_) optimizer->set_lr(lr);
}

void Optimizers::step() {
  for (const auto& optimizer : all_) optimizer->step();
}

TensorDict Optimizers::state_dict() const {
  TensorDict all;
  for (const auto& optimizer : all_)
    for (const auto& [name, tensor] : optimizer->state_dict()) all.add(name, tensor);
  return all;
}

const UpdateRule& Optimizers::rule_of(const std::string& parameter) const {
  const auto rule = rules_.find(parameter);
  check(rule != rules_.end(), "recipe", "the model has no parameter '", parameter, "'");
  return rule->second;
}

void Optimizers::load_state_dict(const TensorDict& state) {
  // "fc.weight.exp_avg" belongs to the optimiser of "fc.weight". What belongs to none goes to the
  // first, which reports it.
  std::vector<TensorDict> parts(all_.size());
  for (const auto& [name, tensor] : state) {
    const std::string parameter = name.substr(0, name.rfind('.'));
    size_t owner = 0;
    for (size_t i = 0; i < all_.size(); ++i)
      if (parameters_[i].contains(parameter)) owner = i;
    parts[owner].add(name, tensor);
  }
  for (size_t i = 0; i < all_.size(); ++i) all_[i]->load_state_dict(parts[i]);
}

}  // namespace tarsier::zoo
