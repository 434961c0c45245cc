#pragma once
// The list of models. A new model is one more line in models.cpp.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model_entry.h"
#include "run_folder.h"

namespace tarsier::zoo {

/// The entries of all models, in the order of the list.
const std::vector<ModelEntry>& models();

/// The entry of that name. Throws UsageError that lists all names.
const ModelEntry& find_model(const std::string& name);

/// The entry of that family with that preset. Throws UsageError that lists the family's presets.
const ModelEntry& find_preset(const std::string& family, const std::string& preset);

/// The task that a run's config.json describes, ready for load_data() and build().
/// Throws Error("config").
std::unique_ptr<Task> make_task(const RunConfig& config);

/// The same, with the model built and its weights loaded.
std::unique_ptr<Task> make_trained_task(const RunFolder& folder, const RunConfig& config);

/// Loads the data `given`, or else the data that the run was trained on.
void load_trained_data(Task& task, const RunConfig& config,
                       const std::optional<std::string>& given);

}  // namespace tarsier::zoo
