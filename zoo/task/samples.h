#pragma once
// samples.jsonl: what a model wrote at some steps of its training, for the study page.

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "run_folder.h"
#include "task.h"

namespace tarsier::zoo {

/// What Task::show_sample() gave after a step.
struct TrainingSample {
  int64_t step = 0;
  std::string text;  ///< UTF-8; long ones are cut; empty if the model has none
};

/// Whether the trainer keeps a sample at step `step`, after which it validates: it does so at no
/// more than 8 of a run's validations, evenly, and at the last one.
bool is_sampled(int64_t step, int64_t steps, int64_t eval_every);

/// The sample of the built task's model as it is now, or the text of the error that kept it from
/// writing (weights that are NaN). The model must be in eval().
TrainingSample sample_of(Task& task, int64_t step);

/// The samples of a run up to `last_step`, in order. Lines that cannot be read, and those of a
/// repeated step, are left out: nothing depends on them. Empty if the run has none.
std::vector<TrainingSample> read_samples(const RunFolder& folder,
                                         int64_t last_step = std::numeric_limits<int64_t>::max());

/// Replaces samples.jsonl by these samples, a line for each. Throws Error("file") if it cannot be
/// written; then the file is as before.
void write_samples(const RunFolder& folder, const std::vector<TrainingSample>& samples);

}  // namespace tarsier::zoo
