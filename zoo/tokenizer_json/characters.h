#pragma once
// Classes of characters as Hugging Face's tokenizers has them, and normal forms of text.

#include <string>
#include <string_view>

#include "../../autograd/io/utf8.h"
#include "../data/unicode.h"

namespace tarsier::zoo::tokenizer_json {

bool is_space(char32_t character);
/// What BertPreTokenizer takes for punctuation.
bool is_punctuation(char32_t character);
/// What BertNormalizer removes to clean a text: control characters, U+FFFD, private and unassigned
/// code points.
bool is_unclean(char32_t character);
/// Marks that BertNormalizer removes from letters (Mn).
bool is_bert_accent(char32_t character);
/// Marks that StripAccents removes (M).
bool is_accent(char32_t character);
/// \w of regular expressions: letters, marks, digits and connectors.
bool is_word(char32_t character);
/// What Digits takes for a digit: \p{N}.
bool is_digit(char32_t character);
/// What BertNormalizer puts spaces around: Chinese ideographs.
bool is_ideograph(char32_t character);

/// Appends the lower case of a character: one, or two for İ.
void append_lower_case(std::string& out, char32_t character);

/// Calls f(character, bytes) with each character of UTF-8 text and its bytes.
template <class F>
void for_each_character(std::string_view text, const F& f) {
  while (!text.empty()) {
    const NextCharacter next = next_character(text);
    f(next.character, text.substr(0, next.bytes));
    text.remove_prefix(next.bytes);
  }
}

/// Unicode's normal forms of UTF-8 text: NFD takes composed characters apart (é is e and an accent)
/// and sorts the marks of each; NFC composes the result again.
/// Source: https://unicode.org/reports/tr15
std::string nfd(std::string_view text);
std::string nfc(std::string_view text);

}  // namespace tarsier::zoo::tokenizer_json
