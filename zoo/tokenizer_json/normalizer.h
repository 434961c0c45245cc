#pragma once
// What happens to a text before it is split: normal forms, lower case, accents, replacements.

#include <functional>
#include <string>
#include <vector>

#include "section.h"

namespace tarsier::zoo::tokenizer_json {

class Normalizer {
 public:
  Normalizer() = default;  ///< changes nothing
  /// The part "normalizer" of the file. Read are NFC, NFD, Lowercase, StripAccents, Strip,
  /// BertNormalizer, Prepend, Replace of a fixed text, and Sequences of them. Throws
  /// Error("tokenizer") that names what is not: NFKC and NFKD, whose tables are large, Precompiled,
  /// Nmt, ByteLevel, and regular expressions.
  explicit Normalizer(const Section& file);

  /// `text` is UTF-8 and not empty.
  std::string operator()(std::string text) const;
  /// Whether it may remove the beginning of a text.
  bool may_remove() const { return may_remove_; }

 private:
  std::vector<std::function<std::string(const std::string&)>> steps_;
  bool may_remove_ = false;
};

/// `text` with `to` in place of every `from`, which is not empty.
std::string replaced(const std::string& text, const std::string& from, const std::string& to);

/// The fixed text of a part's "pattern". Throws Error("tokenizer") for a regular expression that is
/// more than that.
std::string fixed_pattern(const Section& part);

}  // namespace tarsier::zoo::tokenizer_json
