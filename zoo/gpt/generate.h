#pragma once
// Writing with a trained model: one character after another.

#include <cstdint>
#include <functional>
#include <vector>

#include "zoo/gpt/gpt.h"

namespace tarsier::zoo {

/// How the next character is chosen from the model's probabilities.
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

/// Continues `prompt` (not empty) by `count` indices and calls `emit` with each as soon as it is
/// known. The model sees the last block_size indices. As long as these are all, a new one costs one
/// pass of one token, since keys and values of the others are kept (GptCache). Beyond, all move on
/// by a position with each new one, and are computed anew: the positions are learned, and end.
void generate(Gpt& model, const std::vector<int32_t>& prompt, int64_t count,
              const Sampling& sampling, const std::function<void(int32_t)>& emit);

}  // namespace tarsier::zoo
