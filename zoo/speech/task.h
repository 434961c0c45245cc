#pragma once
// How speech recognition is trained: data, augmentation, sizes, rates.

#include <vector>

#include "../task/model_entry.h"

namespace tarsier::zoo::speech {

/// The task "write down what is said". Data: WAV files with their texts (recordings.h); by default
/// digits that the program speaks.
std::vector<ModelEntry> models();

}  // namespace tarsier::zoo::speech
