#pragma once
// How the GPT is trained: data, sizes, rates. Source: nanoGPT's config/train_shakespeare_char.py
// and its README's settings for a computer without a GPU.

#include <vector>

#include "../task/model_entry.h"

namespace tarsier::zoo::gpt {

/// The task "continue a text", in characters, words or byte pairs, with its presets. Data: any
/// UTF-8 text; by default tarsier's own source. The first 90 % of the characters are for training,
/// the rest for validation.
std::vector<ModelEntry> models();

}  // namespace tarsier::zoo::gpt
