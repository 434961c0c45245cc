#pragma once
// How a run has learned: from the files of its folder.

#include "../task/run_folder.h"
#include "../task/task.h"
#include "recording.h"

namespace tarsier::study {

/// The curves of metrics.jsonl (losses, rate, norms of gradients and weights by layer), and the
/// weights of the model as histograms: initially, from the run's seed, and in the run's folder; and
/// samples of what the model writes: initially, at the steps of samples.jsonl, and with the weights
/// in the folder, which are those of the best step. The model is left with the run's weights.
/// Throws what reading the files throws.
Learning learning_of(zoo::Task& task, const zoo::RunFolder& folder);

}  // namespace tarsier::study
