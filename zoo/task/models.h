#pragma once
// What is in the zoo. A new model is one more entry in models.cpp.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "run_folder.h"
#include "task.h"

namespace tarsier::zoo {

/// A model with one of its presets, as `tarsier list` shows it.
struct ModelEntry {
  std::string name;     ///< what train takes: "gpt", "gpt-baby"
  std::string family;   ///< the model: "gpt"
  std::string preset;   ///< the preset of that model: "cpu", "baby"
  std::string learns;   ///< what it learns
  std::string data;     ///< from which data of its own, and from which that --data names
  std::string reaches;  ///< how well, on which data
  std::string takes;    ///< how long, on what
  std::unique_ptr<Task> (*make)();
};

const std::vector<ModelEntry>& models();

/// The entry of that name. Throws UsageError that lists all.
const ModelEntry& find_model(const std::string& name);

/// The entry of that family with that preset. Throws UsageError that lists the family's presets.
const ModelEntry& find_preset(const std::string& family, const std::string& preset);

/// The task that a run's config.json describes, ready for load_data() and build().
/// Throws Error("config").
std::unique_ptr<Task> make_task(const RunConfig& config);

/// The same with the model built and its weights loaded.
std::unique_ptr<Task> make_trained_task(const RunFolder& folder, const RunConfig& config);

/// Loads the data `given`, or else those that the run was trained on.
void load_trained_data(Task& task, const RunConfig& config,
                       const std::optional<std::string>& given);

}  // namespace tarsier::zoo
