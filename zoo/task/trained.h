#pragma once
// The task of a run, made from its files.

#include <memory>

#include "model_entry.h"
#include "run_folder.h"

namespace tarsier::zoo {

/// The task that config.json of a run of this model describes, ready for load_data() and build().
/// Throws Error("config").
std::unique_ptr<Task> configured_task(const ModelEntry& entry, const RunConfig& config);

/// The same, with the model built, its weights loaded, in eval(). Throws Error("run") if they do
/// not belong together.
std::unique_ptr<Task> trained_task(const ModelEntry& entry, const RunFolder& folder,
                                   const RunConfig& config);

}  // namespace tarsier::zoo
