#pragma once
// How the GPT is trained: data, sizes, rates. Source: nanoGPT's config/train_shakespeare_char.py
// and its README's settings for a computer without a GPU.

#include <memory>

#include "../task/task.h"

namespace tarsier::zoo {

enum class GptPreset {
  cpu,   ///< nanoGPT's settings for a CPU: 0.8 million weights
  baby,  ///< nanoGPT's train_shakespeare_char: 10.7 million weights
  fast,  ///< our own: the lowest loss that two cores reach in three minutes
};

/// The task "learn to continue text", by characters, words or byte pairs. Data: any UTF-8 text; by
/// default tarsier's own source. The first 90 % of the characters are for training, the rest for
/// validation.
std::unique_ptr<Task> make_gpt_task(GptPreset preset);

}  // namespace tarsier::zoo
