#pragma once
// Documents and their summaries as tokens. Words that the vocabulary lacks keep their identity
// within a document, so that they can be copied.

#include <cstdint>
#include <string>
#include <vector>

#include "../data/cut.h"
#include "../data/parallel.h"
#include "../data/tokenizer.h"
#include "../transformer/pairs.h"

namespace tarsier::zoo::summarize {

/// A document as the model reads it.
struct Document {
  /// Its tokens, then kEnd. A word that is not one of the vocabulary's V has the number V + k, the
  /// same at each of its places.
  std::vector<int32_t> ids = {};
  std::vector<std::string> words = {};  ///< the tokens as strings, as the tokenizer has them
  std::vector<std::string> as_is = {};  ///< the same with the document's capitals
  std::vector<std::string> own = {};    ///< the word V + k is own[k]
  int64_t cut = 0;                      ///< tokens that were cut off
};

/// The first tokens of `text`, at most `max_length` with kEnd.
Document read_document(const std::string& text, const Tokenizer& tokenizer, int64_t max_length);

/// The tokens of a summary, at most `max_length` with kEnd, between kBegin and kEnd (a summary that
/// is cut has no kEnd). A word that is neither in the vocabulary nor in the document is kUnknown.
std::vector<int32_t> read_summary(const std::string& text, const Document& document,
                                  const Tokenizer& tokenizer, int64_t max_length, int64_t& cut);

/// The tokens `ids` as strings. A word of the document has the capitals that it has there; at the
/// beginning of a sentence a capital means nothing.
std::vector<std::string> words_of(const std::vector<int32_t>& ids, const Document& document,
                                  const Tokenizer& tokenizer);

/// Pairs for training, and what was cut off of both sides.
struct SummaryPairs {
  transformer::TokenPairs pairs;
  std::vector<std::vector<std::string>> own;  ///< Document::own of each
  Cut cut;
  int64_t vocab = 0;  ///< V

  SummaryPairs() = default;
  SummaryPairs(const ParallelText& text, const Tokenizer& tokenizer, int64_t max_length);

  /// The batch of TokenPairs, with "places" (N) i64: the numbers b·T + t of what "next" holds
  /// besides padding. If a document is cut to `length` tokens, its own words beyond are kUnknown.
  Batch batch(const std::vector<int64_t>& chosen, int64_t length = kNoLimit) const;
};

}  // namespace tarsier::zoo::summarize
