#include "zoo/tokenizer_json/characters.h"

#include "zoo/data/find_range.h"
#include "zoo/tokenizer_json/character_tables.h"

namespace tarsier::zoo::tokenizer_json {

bool is_space(char32_t c) { return class_of(c) == CharClass::space; }

bool is_punctuation(char32_t c) { return find_range(kPunctuation, c) != nullptr; }

bool is_unclean(char32_t c) { return find_range(kCleaned, c) != nullptr; }

bool is_bert_accent(char32_t c) { return find_range(kBertAccents, c) != nullptr; }

bool is_accent(char32_t c) { return is_mark(c) != (find_range(kAccentsNotMarks, c) != nullptr); }

bool is_word(char32_t c) {
  const CharClass kind = class_of(c);
  const bool is_likely = kind == CharClass::letter || kind == CharClass::number || is_mark(c);
  return is_likely != (find_range(kWordsNotLetters, c) != nullptr);
}

bool is_digit(char32_t c) {
  return (class_of(c) == CharClass::number) != (find_range(kDigitsNotNumbers, c) != nullptr);
}

bool is_ideograph(char32_t c) {
  constexpr CodeRange kIdeographs[] = {{0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},
                                       {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F},
                                       {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F}};
  return find_range(kIdeographs, c) != nullptr;
}

void append_lower_case(std::string& out, char32_t c) {
  if (c == 0x130) {  // İ: i and a dot
    out += "i\u0307";
    return;
  }
  const LowerRange* added = find_range(kNewCapitals, c);
  const auto distance = added != nullptr ? added->distance : 0;
  append_utf8(out, lower_case(static_cast<char32_t>(static_cast<int32_t>(c) + distance)));
}

}  // namespace tarsier::zoo::tokenizer_json
