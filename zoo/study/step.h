#pragma once
// Recording a training step of a model of the zoo.

#include <cstdint>
#include <optional>
#include <string>

#include "../task/run_folder.h"
#include "../task/task.h"
#include "recording.h"

namespace tarsier::study {

struct StepOptions {
  int64_t tokens = 16;                        ///< texts are cut to so many
  double proof_seconds = 3;                   ///< for differences; 0: no proof
  std::optional<zoo::StudyInput> input = {};  ///< instead of the task's first example
};

/// The step that a task would do next, on a small batch (Task::study_input, or that of the
/// options): the forward and the backward pass, the optimiser's update, the proof by differences,
/// the attention.
///
/// The task's model is built, and its data are loaded. With a checkpoint the optimiser goes on from
/// there; without one it is the first step. Dropout, learning rate and clipping are those of
/// training. The model is changed: the update is done.
/// Throws Error, and Error("study") if nothing requires a gradient.
Recording record_step(zoo::Task& task, uint64_t seed, const zoo::Checkpoint* checkpoint,
                      const StepOptions& options);

/// Why `task` cannot read the input of `other`, to be compared with it on the same numbers: it has
/// another vocabulary or other classes, is another kind of model, or too short a context. "" if it
/// can.
std::string why_unreadable(zoo::Task& task, zoo::Task& other, const zoo::StudyInput& input);

/// Gives the queries and keys of every attention their label sets, by its kind and size.
void label_attention(Recording& recording);

}  // namespace tarsier::study
