#pragma once
// Fills in hidden words.

#include <cstdint>
#include <string>
#include <vector>

#include "model.h"
#include "vocabulary.h"

namespace tarsier::zoo::bert {

/// A word that may stand at a place.
struct Guess {
  int32_t id = 0;
  double probability = 0;  ///< among all ids, the special ones included
};

/// The `count` likeliest words at each of `places` of a text, likeliest first; no special tokens.
/// Fewer if the vocabulary has fewer words.
std::vector<std::vector<Guess>> guesses(BertForMaskedLM& model, const std::vector<int32_t>& row,
                                        const std::vector<int64_t>& places, int64_t count);

/// "moves (12.1 %), grabs (8.0 %)".
std::string described(const std::vector<Guess>& guesses, const Vocabulary& vocabulary);

/// A text with one hidden word, for people to see.
struct Riddle {
  std::vector<int32_t> row;  ///< with [MASK]
  int64_t place = 0;         ///< of it
  int32_t truth = 0;         ///< what it hides
};

/// `count` rows, or all if there are fewer, spread over `rows`: in each a random word is hidden,
/// the same in every call.
std::vector<Riddle> riddles(const std::vector<std::vector<int32_t>>& rows, int32_t mask,
                            int64_t count);

}  // namespace tarsier::zoo::bert
