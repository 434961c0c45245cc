#pragma once
// Recording a training step of a model of the zoo.

#include <cstdint>
#include <string>

#include "../task/run_folder.h"
#include "../task/task.h"
#include "recording.h"

namespace tarsier::study {

struct StepOptions {
  int64_t tokens = 16;       ///< texts are cut to so many
  double proof_seconds = 3;  ///< for differences; 0: no proof
};

/// The step that a task would do next, on a small batch (Task::study_input): the forward and the
/// backward pass, the optimiser's update, the proof by differences, the attention.
///
/// The task's model is built, and its data are loaded. With a checkpoint the optimiser goes on from
/// there; without one it is the first step. Dropout, learning rate and clipping are those of
/// training. The model is changed: the update is done.
/// Throws Error, and Error("study") if nothing requires a gradient.
Recording record_step(zoo::Task& task, uint64_t seed, const zoo::Checkpoint* checkpoint,
                      const StepOptions& options);

/// What is left if only the modules under `path` matter ("transformer.h.0"): their nodes, the loss,
/// and as inputs the nodes that feed them.
/// Throws Error("study") that lists modules if there is none of that name.
Recording only_module(const Recording& recording, const std::string& path);

/// The paths of modules that ran: up to `depth` names deep, in order.
std::vector<std::string> module_paths(const Recording& recording, int depth);

/// Gives the queries and keys of every attention their label sets, by its kind and size.
void label_attention(Recording& recording);

}  // namespace tarsier::study
