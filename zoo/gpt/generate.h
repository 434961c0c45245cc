#pragma once
// Generates text with a trained model, token by token.

#include <cstdint>
#include <functional>
#include <vector>

#include "model.h"
#include "sampling.h"

namespace tarsier::zoo::gpt {

/// Continues `prompt` (not empty) by `count` tokens and calls `emit` with each as soon as it is
/// known. Each costs a pass over one token, because the keys and values of earlier ones are kept
/// (Cache). With relative positions there is no limit: each token sees the last block_size tokens,
/// whose keys carry information from before those. Other positions end at block_size: beyond it the
/// window moves by one position per token, and the last block_size tokens are recomputed.
void generate(Gpt& model, const std::vector<int32_t>& prompt, int64_t count,
              const Sampling& sampling, const std::function<void(int32_t)>& emit);

}  // namespace tarsier::zoo::gpt
