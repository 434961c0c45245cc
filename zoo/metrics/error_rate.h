#pragma once
// The error rates of speech recognition: wrong words, and wrong characters.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarsier::zoo {

/// The fewest insertions, deletions and substitutions that turn `from` into `to`.
/// Source: Levenshtein 1966, "Binary codes capable of correcting deletions, insertions and
/// reversals".
int64_t edit_distance(const std::vector<std::string>& from, const std::vector<std::string>& to);

/// Errors over many texts.
struct ErrorRate {
  int64_t errors = 0;  ///< the sum of the edit distances
  int64_t length = 0;  ///< of all references: words or characters

  /// errors / length; the number of errors if the references are empty. May exceed 1.
  double rate() const;
};

/// The word error rate (WER) of text i compared with reference i. Words are what spaces part: tabs,
/// capitals and punctuation count. The same as jiwer.wer with its defaults.
/// Throws Error("metric") if the numbers of texts differ.
ErrorRate word_errors(const std::vector<std::string>& texts,
                      const std::vector<std::string>& references);

/// The character error rate (CER): the same of Unicode characters, without spaces at the ends, with
/// all those between words. The same as jiwer.cer with its defaults.
ErrorRate character_errors(const std::vector<std::string>& texts,
                           const std::vector<std::string>& references);

}  // namespace tarsier::zoo
