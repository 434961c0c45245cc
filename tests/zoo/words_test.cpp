// Words, punctuation, and their vocabulary.
#include "zoo/data/words.h"
#include "autograd/io/json.h"

#include <doctest/doctest.h>

#include "tests/data.h"
#include "tests/error_of.h"
#include "zoo/data/lines.h"

namespace tarsier::zoo {
namespace {

using Strings = std::vector<std::string>;

Strings words(const std::string& text) { return split_words(text, false); }

TEST_CASE("text is split at white space and around punctuation") {
  CHECK(words("").empty());
  CHECK(words(" \t\r\n ").empty());
  CHECK(words("A man, in an orange hat.") ==
        Strings{"A", "man", "￭,", "in", "an", "orange", "hat", "￭."});
  CHECK(words("a man , in a hat .") == Strings{"a", "man", ",", "in", "a", "hat", "."});
  CHECK(words("(No, she's 5.)") == Strings{"(￭", "No", "￭,", "she", "￭'s", "5", "￭.", "￭)"});
  CHECK(words("„Größe“ – saftig-grünes") == Strings{"„￭", "Größe", "￭“", "–", "saftig-grünes"});
  CHECK(words("and/or a-1 -3 3- --") ==
        Strings{"and", "￭/￭", "or", "a-1", "-￭", "3", "3", "￭-", "--"});
  CHECK(words("1,234.5 3.x x.3 5.") ==
        Strings{"1,234.5", "3", "￭.￭", "x", "x", "￭.￭", "3", "5", "￭."});
  CHECK(words("wait...what?!") == Strings{"wait", "￭...￭", "what", "￭?", "￭!"});
  CHECK(words("e\u0301te\u0301 हिन्दी 中文。") ==
        Strings{"e\u0301te\u0301", "हिन्दी", "中文", "￭。"});
  CHECK(words("😀😀👍") == Strings{"😀😀", "￭👍"});
}

TEST_CASE("apostrophes end a word, stay inside, or quote") {
  CHECK(words("don't they'll I've we’re") ==
        Strings{"don", "￭'t", "they", "￭'ll", "I", "￭'ve", "we", "￭’re"});
  CHECK(words("o'connor's 'quoted' birds'") ==
        Strings{"o'connor", "￭'s", "'￭", "quoted", "￭'", "birds", "￭'"});
  CHECK(words("rock'n'roll '") == Strings{"rock", "￭'n", "￭'￭", "roll", "'"});
  CHECK(words("a woman &apos;s don&apos;t &quot; x &quot;") ==
        Strings{"a", "woman", "&apos;s", "don", "￭&apos;t", "&quot;", "x", "&quot;"});
  CHECK(words("a&b; & c&;d") == Strings{"a", "￭&b;", "&", "c", "￭&", "￭;￭", "d"});
}

TEST_CASE("words come back as the text, with single spaces") {
  for (const char* text : {"A man, in (an) orange hat.", "don't \"say\" 'that'!", "a / b/c // d",
                           "x", "...", "( a )(b)", "1,234.5 %", "\xFF\xFE bytes\x80",
                           "&apos; &quot;a&quot; &amp;", "rock'n'roll", "<pad> <unk>"}) {
    CAPTURE(text);
    CHECK(join_words(words(text)) == text);
  }
  CHECK(join_words(words("  a\t b\u00A0\n c ")) == "a b c");
  CHECK(join_words(words("a ￭ b￭c")) == "a ■ b■c");
  CHECK(join_words({}) == "");
  // Tokens that a model may write.
  CHECK(join_words({"￭,", "a", "￭", "b￭"}) == ", a ￭ b");
}

TEST_CASE("lower case, and bytes that are not text") {
  CHECK(split_words("Der MÜLLER, ÇA", true) == Strings{"der", "müller", "￭,", "ça"});
  CHECK(to_lower("ÄÖÜ ΑΩ ЖЯ ẞ 123 \xFF") == "äöü αω жя ß 123 \xFF");
}

TEST_CASE("a vocabulary has special tokens, then words by count") {
  const std::vector<Strings> sentences = {{"b", "a", "c", "a"}, {"c", "d", "a", "<pad>"}, {}};
  const WordVocabulary all(sentences, 1);
  CHECK(all.size() == 8);
  CHECK(all[0] == "<pad>");
  CHECK(all[3] == "<eos>");
  CHECK(all[4] == "a");
  CHECK(all[5] == "c");
  CHECK(all[6] == "b");
  CHECK(all.id_of("<pad>") == WordVocabulary::kPad);
  const WordVocabulary frequent(sentences, 2);
  CHECK(frequent.size() == 6);
  CHECK(frequent.encode({"a", "b", "c", ""}) == std::vector<int32_t>{4, 1, 5, 1});
  CHECK(WordVocabulary(sentences, 1, 6).size() == 6);
  CHECK(frequent.decode({2, 4, 1, 0, 5, 3, 4}) == Strings{"a", "<unk>", "c"});
  CHECK_THROWS_AS(frequent.decode({6}), Error);
  CHECK_THROWS_AS(frequent.decode({-1}), Error);
  CHECK(error_of([&] { WordVocabulary(sentences, 9); }) ==
        "[data] none of 4 different words occurs 9 times: lower min_count, or give more text");
}

TEST_CASE("a vocabulary is the same after saving") {
  const WordVocabulary vocabulary({{"ä", "\"", "\\", "a"}}, 1);
  const WordVocabulary again = WordVocabulary::from_json(Json::parse(vocabulary.to_json().dump()));
  CHECK(again.size() == vocabulary.size());
  for (int64_t i = 0; i < again.size(); ++i) CHECK(again[i] == vocabulary[i]);
  CHECK(again.id_of("ä") == vocabulary.id_of("ä"));
  for (const char* json : {R"(["<pad>", "<unk>", "<bos>", "<eos>"])", R"(["a"])", "[]",
                           R"(["<unk>", "<pad>", "<bos>", "<eos>", "a"])",
                           R"(["<pad>", "<unk>", "<bos>", "<eos>", "a", "a"])", "[1]"})
    CHECK_THROWS_AS(WordVocabulary::from_json(Json::parse(json)), Error);
}

TEST_CASE("every line of Multi30k comes back") {
  if (!have_data("multi30k/train.en")) return;
  for (const char* name :
       {"train.en", "train.de", "val.en", "val.de", "test2016.en", "test2016.de"}) {
    CAPTURE(name);
    for (const std::string& line : read_lines(data_file(std::string("multi30k/") + name).string()))
      // All but one, which has two adjacent spaces and one at its end.
      if (line.find("  ") == std::string::npos) CHECK(join_words(words(line)) == line);
  }
}

}  // namespace
}  // namespace tarsier::zoo
