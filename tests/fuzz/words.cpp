// Words: any bytes are split into tokens that join to the same text.
#include "zoo/data/words.h"

#include "tests/fuzz/fuzz.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const bool lower = take_byte(bytes) & 1;
  const std::vector<std::string> words = zoo::split_words(bytes, lower);
  const std::string text = zoo::join_words(words);
  promise(zoo::split_words(text, lower) == words, "the joined text has the same words");
  const zoo::WordVocabulary vocabulary({words}, 1);
  promise(vocabulary.decode(vocabulary.encode(words)) == words, "all words are known");
  promise(zoo::WordVocabulary::from_json(vocabulary.to_json()).size() == vocabulary.size(),
          "a vocabulary is read as it was written");
}
