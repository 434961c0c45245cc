#pragma once
// How the Vision Transformer is trained: data, sizes, rates.

#include <memory>

#include "../task/task.h"

namespace tarsier::zoo {

/// The task "learn what an image shows". Data: a folder with the files of MNIST (or Fashion-MNIST
/// and others in its format) or of CIFAR-10; by default digits drawn by the program itself.
/// A tenth of the training images, drawn by the seed, validates.
std::unique_ptr<Task> make_vit_task();

}  // namespace tarsier::zoo
