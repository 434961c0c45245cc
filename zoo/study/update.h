#pragma once
// The optimiser's part of a training step.

#include "../task/recipe.h"
#include "../task/task.h"
#include "recording.h"

namespace tarsier::study {

/// Copies of all tensors, which later changes in place do not reach.
TensorDict copies(const TensorDict& tensors);

/// Clips the gradients that the task's model has, does one step of its optimisers at learning rate
/// `rate`, and records what that did to every weight: in recording.update, with the formulas of the
/// optimisers.
void add_update(Recording& recording, zoo::Task& task, zoo::Optimizers& optimizers, double rate);

}  // namespace tarsier::study
