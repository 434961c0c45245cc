#pragma once
// How Image GPT is trained: data, sizes, rates.

#include <vector>

#include "../task/model_entry.h"

namespace tarsier::zoo::image_gpt {

/// The task "draw pictures". Data: folders of picture files or IDX files (drawings.h); by default
/// digits drawn by the program.
std::vector<ModelEntry> models();

}  // namespace tarsier::zoo::image_gpt
