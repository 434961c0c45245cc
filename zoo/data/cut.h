#pragma once
// How much of the data a model does not see because it reads a limited number of tokens per text.

#include <cstdint>
#include <limits>
#include <ostream>
#include <string>

#include "tokenizer.h"

namespace tarsier::zoo {

/// The limit of models whose positions have no end.
constexpr int64_t kNoLimit = std::numeric_limits<int32_t>::max();

/// Counts examples, and the tokens that are cut off.
struct Cut {
  int64_t examples = 0, cut_examples = 0;
  int64_t tokens = 0, cut_tokens = 0;

  /// Counts an example of `of` tokens, of which `lost` are cut off.
  void add(int64_t of, int64_t lost);
  bool any() const { return cut_examples > 0; }
  /// "12 of 29,000 pairs, which lose 340 of 812,345 tokens"; `what` names the examples, `unit` what
  /// they consist of. "" if nothing is cut.
  std::string text(const std::string& what, const std::string& unit = "tokens") const;
};

/// For Task::cut_facts(): what is cut of training and validation examples, called "texts", and the
/// remedy; "" if nothing is.
std::string cut_facts_of(const Cut& train, const Cut& validation, const std::string& what,
                         int64_t max_length);

/// For Metric::note: what is cut of the metric's examples to `limit`, the value of a setting; "" if
/// nothing is.
std::string cut_note(const Cut& cut, const std::string& what, int64_t limit,
                     const std::string& setting = "max_length", const std::string& unit = "tokens");

/// Writes a line to `notes` if `text` has more than `max_length` tokens, including `special` tokens
/// that the model adds.
void note_cut(const std::string& text, const Tokenizer& tokenizer, int64_t special,
              int64_t max_length, std::ostream& notes);

}  // namespace tarsier::zoo
