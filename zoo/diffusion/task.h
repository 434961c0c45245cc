#pragma once
// How the Diffusion Transformer is trained: data, sizes, rates.

#include <vector>

#include "../task/model_entry.h"

namespace tarsier::zoo::diffusion {

/// The task "draw pictures of classes". Data: as vit's; by default digits drawn by the program.
std::vector<ModelEntry> models();

}  // namespace tarsier::zoo::diffusion
