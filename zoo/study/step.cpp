#include "zoo/study/step.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "zoo/base/format.h"
#include "zoo/study/proof.h"
#include "zoo/study/recorder.h"
#include "zoo/study/update.h"

namespace tarsier::study {

namespace {

using zoo::StudyInput;
using zoo::Task;

/// Where the step's random numbers start, as in training.
RandomKey start_of(uint64_t seed, int64_t step) {
  return {seed, static_cast<uint64_t>(step) << 24};
}

/// A batch whose floating tensors are f64.
zoo::Batch in_f64(const zoo::Batch& batch) {
  zoo::Batch out{{}, batch.items, batch.weight};
  for (const auto& [name, tensor] : batch.tensors)
    out.tensors.add(name, is_floating(tensor.dtype()) ? to(tensor, f64) : tensor);
  return out;
}

/// Differences, with the weights `before` the update in f64.
void prove(Recording& recording, Task& task, const StudyInput& input, const TensorDict& before,
           RandomKey start, double seconds) {
  recording.proof_missing = seconds > 0 ? input.no_proof : "It was not asked for.";
  if (!recording.proof_missing.empty()) return;
  task.model().load_state_dict(before);
  task.model().to(f64);
  task.model().zero_grad();
  const zoo::Batch exact = in_f64(input.batch);
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

std::string why_unreadable(Task& task, Task& other, const StudyInput& input) {
  if (const std::string names = task.knowledge_unlike(other); !names.empty())
    return "they were made for different data (" + names + ")";
  task.model().eval();
  const NoGrad guard;
  try {
    task.loss(input.batch);
  } catch (const Error& error) {
    return concat(task.name(), " cannot read it: ", error.what());
  }
  return "";
}

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
  const StudyInput input = options.input ? *options.input : task.study_input(options.tokens, seed);
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
  prove(recording, task, input, before, start_of(seed, step), options.proof_seconds);
  return recording;
}

}  // namespace tarsier::study
