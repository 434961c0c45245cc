#pragma once
// report.html: a page about a run.

#include <string>
#include <vector>

#include "../task/run_folder.h"
#include "../task/task.h"
#include "../task/trainer.h"

namespace tarsier::zoo {

/// Writes report.html into the folder: how the run ended, the curves of metrics.jsonl, the model's
/// own part (Task::report, with the weights that the folder keeps; the model is left with these),
/// the settings of config.json, and the commands to continue with, `next`, one per line.
/// Throws what reading and writing throw. If the model's own part fails, the page is written
/// without it, and then the error is thrown.
void write_report(Task& task, const RunFolder& folder, const TrainOutcome& outcome,
                  const std::vector<std::string>& next);

}  // namespace tarsier::zoo
