#include "zoo/study/step.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "zoo/base/format.h"
#include "zoo/study/proof.h"
#include "zoo/study/recorder.h"

namespace tarsier::study {

namespace {

using zoo::Recipe;
using zoo::StudyInput;
using zoo::Task;

/// Where the step's random numbers start, as in training.
RandomKey start_of(uint64_t seed, int64_t step) {
  return {seed, static_cast<uint64_t>(step) << 24};
}

int node_of(const Recording& recording, const std::string& parameter) {
  for (size_t i = 0; i < recording.nodes.size(); ++i)
    if (recording.nodes[i].kind == RecordedNode::Kind::parameter &&
        recording.nodes[i].name == parameter)
      return static_cast<int>(i);
  return -1;
}

/// A tensor that is shown, but in which nothing is looked up: of large ones, a few rows travel.
int add_shown(Recording& recording, const Tensor& x) {
  const int index = recording.add_tensor(x);
  recording.tensors[static_cast<size_t>(index)].derived = true;
  return index;
}

TensorDict copies(const TensorDict& tensors) {
  TensorDict out;
  for (const auto& [name, tensor] : tensors) out.add(name, clone(tensor.detach()));
  return out;
}

/// The moments of `parameter`: "fc.weight.exp_avg" is called "exp_avg".
void add_state(Recording& recording, Update::Weight& weight, const std::string& parameter,
               const TensorDict& before, const TensorDict& after) {
  for (const auto& [name, tensor] : after) {
    if (!name.starts_with(parameter + ".") || name.find('.', parameter.size() + 1) != name.npos)
      continue;
    Update::State state{.name = name.substr(parameter.size() + 1),
                        .after = add_shown(recording, tensor)};
    if (before.contains(name)) state.before = add_shown(recording, before[name]);
    weight.state.push_back(std::move(state));
  }
}

/// What one step of the recipe's optimiser does with the gradients that the model has.
void add_update(Recording& recording, Task& task, zoo::Optimizers& optimizers, double rate) {
  const Recipe& recipe = task.recipe;
  Update update{.optimizer = recipe.optimizer == "muon" ? "Muon and AdamW" : "AdamW",
                .formula = "adamw",
                .settings = {{"lr", rate},
                             {"beta1", recipe.beta1},
                             {"beta2", recipe.beta2},
                             {"eps", 1e-8},
                             {"weight_decay", recipe.weight_decay}}};
  const std::vector<std::string> muon =
      recipe.optimizer == "muon" ? task.muon_parameters() : std::vector<std::string>();
  const double norm = optim::clip_grad_norm_(task.model().parameters(),
                                             recipe.clip_norm > 0 ? recipe.clip_norm : INFINITY);
  if (recipe.clip_norm > 0) update.clip = Update::Clip{norm, recipe.clip_norm};
  TensorDict gradients;
  for (const auto& [name, parameter] : task.model().named_parameters())
    if (parameter.grad().defined()) gradients.add(name, clone(parameter.grad()));

  const TensorDict before = copies(optimizers.state_dict());
  optimizers.set_lr(rate);
  optimizers.step();
  const TensorDict after = optimizers.state_dict();
  for (const auto& [name, value] : task.model().named_parameters()) {
    const int node = node_of(recording, name);
    if (node < 0 || !gradients.contains(name)) continue;
    const bool by_muon = std::ranges::find(muon, name) != muon.end();
    Update::Weight weight{.node = node,
                          .before = recording.nodes[static_cast<size_t>(node)].value,
                          .after = add_shown(recording, value),
                          .gradient = add_shown(recording, gradients[name]),
                          .lr = rate,
                          .weight_decay = by_muon || value.dim() >= 2 ? recipe.weight_decay : 0};
    add_state(recording, weight, name, before, after);
    update.weights.push_back(std::move(weight));
  }
  recording.update = std::move(update);
}

/// A batch whose floating tensors are f64.
zoo::Batch in_f64(const zoo::Batch& batch) {
  zoo::Batch out{{}, batch.items, batch.weight};
  for (const auto& [name, tensor] : batch.tensors)
    out.tensors.add(name, is_floating(tensor.dtype()) ? to(tensor, f64) : tensor);
  return out;
}

/// Differences, with the weights `before` the update in f64.
void prove(Recording& recording, Task& task, const zoo::Batch& batch, const TensorDict& before,
           RandomKey start, double seconds) {
  if (seconds <= 0) {
    recording.proof_missing = "It was not asked for.";
    return;
  }
  task.model().load_state_dict(before);
  task.model().to(f64);
  task.model().zero_grad();
  const zoo::Batch exact = in_f64(batch);
  add_proof(recording,
            [&] {
              default_generator().set_state(start);
              return task.loss(exact);
            },
            {.seconds = seconds});
  task.model().to(f32);
}

void add_input(Recording& recording, const StudyInput& input) {
  recording.labels = input.labels;
  if (!input.picture) return;
  const Tensor& pixels = input.picture->pixels;
  recording.pictures.emplace_back("patches", Picture{.width = pixels.size(2),
                                                     .height = pixels.size(1),
                                                     .channels = pixels.size(0),
                                                     .tensor = recording.add_tensor(pixels),
                                                     .rows = input.picture->rows,
                                                     .columns = input.picture->columns});
}

}  // namespace

Recording record_step(Task& task, uint64_t seed, const zoo::Checkpoint* checkpoint,
                      const StepOptions& options) {
  zoo::Optimizers optimizers(task.recipe, task.model(), task.muon_parameters());
  int64_t step = 1;
  if (checkpoint != nullptr) {
    step = checkpoint->step + 1;
    task.model().load_state_dict(checkpoint->model);
    optimizers.load_state_dict(checkpoint->optimizer);
  }
  task.model().train();
  const StudyInput input = task.study_input(options.tokens, seed);
  const double rate = task.recipe.learning_rate_of(step, std::max(step, task.steps()));
  const TensorDict before = copies(task.model().state_dict());

  default_generator().set_state(start_of(seed, step));
  optimizers.zero_grad();
  Recorder recorder;
  recorder.watch(task.model());
  for (const auto& [name, tensor] : input.batch.tensors) recorder.name(name, tensor);
  const Tensor loss = task.loss(input.batch);
  loss.backward();
  recorder.stop();

  Recording recording = recorder.recording();
  recording.title = concat(task.name(), ", step ", step);
  recording.facts = task.facts();
  recording.facts.emplace_back("input", input.description);
  recording.step.number = step;
  recording.step.loss = loss.item();
  recording.step.learning_rate = rate;
  recording.step.seed = seed;
  recording.step.items = input.description;
  add_input(recording, input);
  label_attention(recording);
  add_update(recording, task, optimizers, rate);
  prove(recording, task, input.batch, before, start_of(seed, step), options.proof_seconds);
  return recording;
}

}  // namespace tarsier::study
