#pragma once
// How the translator is trained: data, sizes, rates.

#include <memory>

#include "../task/task.h"

namespace tarsier::zoo {

enum class TransformerPreset {
  dates,        ///< for the default data
  translation,  ///< for sentences
};

/// The task "learn to translate". Data: a folder or a table of parallel text (data/parallel.h), of
/// which the settings source and target name the languages; by default dates as people write them,
/// to be written as ISO 8601 does.
std::unique_ptr<Task> make_transformer_task(TransformerPreset preset);

}  // namespace tarsier::zoo
