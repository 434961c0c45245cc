#pragma once
// Generates text with a trained model, token by token.

#include <cstdint>
#include <functional>
#include <vector>

#include "model.h"

namespace tarsier::zoo::gpt {

/// How the next token is chosen from the model's probabilities.
struct Sampling {
  double temperature = 0.8;  ///< below 1: safer, above 1: bolder; 0: always the likeliest
  int64_t top_k = 0;         ///< only the k likeliest; 0: all
  double top_p = 1;          ///< only the likeliest that together have this probability
  uint64_t seed = 0;
};

/// The index chosen by `u`, a uniform random number in [0, 1), from softmax(logits / temperature)
/// restricted by top_k, then top_p (Holtzman et al., "The curious case of neural text
/// degeneration", 2020). Of equally likely indices the first comes first. Throws Error("generate")
/// for logits that are not finite.
int64_t sample_index(const std::vector<double>& logits, const Sampling& sampling, double u);

/// Continues `prompt` (not empty) by `count` tokens and calls `emit` with each as soon as it is
/// known. Each costs a pass over one token, because the keys and values of earlier ones are kept
/// (Cache). With relative positions there is no limit: each token sees the last block_size tokens,
/// whose keys carry information from before those. Other positions end at block_size: beyond it the
/// window moves by one position per token, and the last block_size tokens are recomputed.
void generate(Gpt& model, const std::vector<int32_t>& prompt, int64_t count,
              const Sampling& sampling, const std::function<void(int32_t)>& emit);

}  // namespace tarsier::zoo::gpt
