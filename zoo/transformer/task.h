#pragma once
// How the translator is trained: data, sizes, rates.

#include <vector>

#include "../task/model_entry.h"

namespace tarsier::zoo::transformer {

/// The task "learn to translate", with its presets. Data: a folder or a table of parallel text
/// (data/parallel.h), of which the settings source and target name the languages; by default dates
/// as people write them, to be written as ISO 8601 does.
std::vector<ModelEntry> models();

}  // namespace tarsier::zoo::transformer
