#pragma once
// How the translator is trained: data, sizes, rates.

#include <vector>

#include "../task/model_entry.h"

namespace tarsier::zoo::transformer {

/// The task "translate", with its presets. Data: a folder or a table of parallel text
/// (data/parallel.h), whose languages the settings source and target name; by default dates as
/// people write them, to be rewritten in ISO 8601.
std::vector<ModelEntry> models();

}  // namespace tarsier::zoo::transformer
