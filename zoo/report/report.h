#pragma once
// report.html: what a run did, for a person to look at.

#include <string>
#include <vector>

#include "../task/run_folder.h"
#include "../task/task.h"
#include "../task/trainer.h"

namespace tarsier::zoo {

/// Writes report.html into the folder: how the run ended, the curves of metrics.jsonl, the model's
/// own part (Task::report, with the weights that the folder keeps: the model is left with these),
/// the settings of config.json, and the commands to go on with, `next`, one in a
/// line.
/// Throws what reading and writing throw. Where the model's own part fails, the page is written
/// without it, and then that is thrown.
void write_report(Task& task, const RunFolder& folder, const TrainOutcome& outcome,
                  const std::vector<std::string>& next);

}  // namespace tarsier::zoo
