#pragma once
// How the Vision Transformer is trained: data, sizes, rates.

#include <vector>

#include "../task/model_entry.h"

namespace tarsier::zoo::vit {

/// The task "learn what an image shows". Data: a folder with the files of MNIST (or Fashion-MNIST
/// and others in its format) or of CIFAR-10; by default digits drawn by the program itself. A tenth
/// of the training images validates.
std::vector<ModelEntry> models();

}  // namespace tarsier::zoo::vit
