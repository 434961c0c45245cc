// Text as characters: the whole text, or byte by byte if it is not UTF-8.
#include "autograd/io/utf8.h"

#include "tests/fuzz/fuzz.h"
#include "zoo/data/text.h"
#include "zoo/data/unicode.h"
#include "zoo/data/words.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  size_t length = 0;
  for (std::string_view rest = bytes; !rest.empty(); rest.remove_prefix(length)) {
    const zoo::NextCharacter next = zoo::next_character(rest);
    length = next.bytes;
    promise(length >= 1 && length <= rest.size(), "a character lies inside the text");
    zoo::describe_character(next.character);
    zoo::class_of(next.character);
  }
  zoo::to_lower(bytes);
  size_t bad = bytes.size();
  const bool valid = is_utf8(bytes, &bad);
  promise(valid || bad < bytes.size(), "the first wrong byte lies inside the text");
  const std::vector<char32_t> characters = zoo::decode_utf8(bytes, "the input");
  promise(valid, "only UTF-8 is decoded");
  const zoo::CharVocabulary vocabulary(characters);
  promise(vocabulary.decode(vocabulary.encode(characters, "the input")) == bytes,
          "characters join to the text");
  zoo::CharVocabulary::from_characters(bytes).characters();
}
