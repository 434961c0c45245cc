#pragma once
// How the Vision Transformer is trained: data, sizes, rates.

#include <vector>

#include "../task/model_entry.h"

namespace tarsier::zoo::vit {

/// The task "classify images". Data: a folder with the files of MNIST (or Fashion-MNIST and others
/// in its format) or of CIFAR-10; by default digits drawn by the program. A tenth of the training
/// images is for validation.
std::vector<ModelEntry> models();

}  // namespace tarsier::zoo::vit
