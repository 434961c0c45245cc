#pragma once
// How the Vision Transformer is trained: data, sizes, rates.

#include <vector>

#include "../task/model_entry.h"

namespace tarsier::zoo::vit {

/// The task "classify images". Data as read_image_folder() reads them: folders of pictures, the files
/// of MNIST or CIFAR-10; by default digits drawn by the program. Without images for validation, a
/// tenth of the training images is for that.
std::vector<ModelEntry> models();

}  // namespace tarsier::zoo::vit
