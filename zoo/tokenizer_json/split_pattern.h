#pragma once
// Where a text is split: the regular expressions that tokenizers use, written by hand.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "../data/unicode.h"
#include "section.h"

namespace tarsier::zoo::tokenizer_json {

/// What is at the beginning of a text: a match, or what lies before the next one (or the end).
struct Chunk {
  size_t bytes = 0;
  bool is_match = false;
};

/// The first chunk of a text that is not empty.
using SplitPattern = std::function<Chunk(std::string_view text)>;

/// The "pattern" of a Split: a fixed text, or one of the regular expressions of GPT-2, Llama 3 and
/// Qwen. Throws Error("tokenizer") that quotes another one.
SplitPattern pattern_of(const Section& part);

/// A text, not empty, as a pattern.
SplitPattern fixed_text(std::string text);
/// GPT-2's regular expression.
Chunk gpt2_chunk(std::string_view text);
/// \w+|[^\w\s]+
Chunk word_chunk(std::string_view text);

/// The longest run of characters at the beginning of `text` that are all of a kind, which is a match,
/// or all not.
template <class IsOfKind>
Chunk run_chunk(std::string_view text, const IsOfKind& is_of_kind) {
  Chunk chunk;
  while (chunk.bytes < text.size()) {
    const NextCharacter next = next_character(text.substr(chunk.bytes));
    const bool is_match = is_of_kind(next.character);
    if (chunk.bytes > 0 && is_match != chunk.is_match) break;
    chunk.is_match = is_match;
    chunk.bytes += next.bytes;
  }
  return chunk;
}

}  // namespace tarsier::zoo::tokenizer_json
