#pragma once
// Summaries without a model: how a document begins. What a model must beat to be worth its training.

#include <cstdint>
#include <string>
#include <vector>

#include "../data/parallel.h"
#include "../metrics/rouge.h"

namespace tarsier::zoo::summarize {

/// The text up to the first full stop, exclamation or question mark before a space; all of it if
/// there is none.
std::string first_sentence(const std::string& text);

/// The first `count` words, as spaces part them.
std::string first_words(const std::string& text, int64_t count);

/// How well one way to sum up does.
struct Baseline {
  std::string name;  ///< "first sentence"
  MeanRouge rouge;
};

/// The first sentence, and the first 8 words, as summaries of text.source, which is not empty.
std::vector<Baseline> baselines(const ParallelText& text);

}  // namespace tarsier::zoo::summarize
