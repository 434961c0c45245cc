#pragma once
// Writing with a trained model: one token after another.

#include <cstdint>
#include <functional>
#include <vector>

#include "model.h"

namespace tarsier::zoo::gpt {

/// How the next token is chosen from the model's probabilities.
struct Sampling {
  double temperature = 0.8;  ///< below 1: safer, above: bolder; 0 takes the likeliest, always
  int64_t top_k = 0;         ///< only among the k likeliest; 0: among all
  double top_p = 1;          ///< only among the likeliest that together have this probability
  uint64_t seed = 0;
};

/// The index chosen by `u`, a uniform random number in [0, 1), from softmax(logits / temperature)
/// restricted by top_k, then top_p (Holtzman et al., "The curious case of neural text
/// degeneration", 2020). Of equally likely indices the first comes first. Throws Error("generate")
/// for logits that are not finite.
int64_t sample_index(const std::vector<double>& logits, const Sampling& sampling, double u);

/// Continues `prompt` (not empty) by `count` tokens and calls `emit` with each as soon as it is
/// known. Each costs one pass of one token, since keys and values of those before are kept
/// (Cache). Where positions are relative, this goes on for ever: each token sees the block_size
/// last ones, and their keys know what was before those. Other positions end at block_size: beyond,
/// the last block_size tokens move on by a position with each new one, and are computed anew.
void generate(Gpt& model, const std::vector<int32_t>& prompt, int64_t count,
              const Sampling& sampling, const std::function<void(int32_t)>& emit);

}  // namespace tarsier::zoo::gpt
