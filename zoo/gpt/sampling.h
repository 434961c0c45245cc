#pragma once
// How a token is drawn from what a model thinks of it.

#include <cstdint>
#include <string>
#include <vector>

#include "../task/settings.h"

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

/// Sampling as the options of `tarsier predict`. `what` is written: "text".
struct SamplingOptions {
  Sampling sampling = {};
  int64_t seed = 1;

  void add_to(Settings& options, const std::string& what);
  /// The sampling that the options say.
  Sampling chosen() const;
};

}  // namespace tarsier::zoo::gpt
