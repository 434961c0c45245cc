// Word and character error rates: the numbers of jiwer 4.0.0.
#include "zoo/metrics/error_rate.h"

#include <doctest/doctest.h>

#include "tests/error_of.h"

namespace tarsier::zoo {
namespace {

using Texts = std::vector<std::string>;

// In jiwer's order: the reference first.
double wer(const Texts& references, const Texts& texts) {
  return word_errors(texts, references).rate();
}
double cer(const Texts& references, const Texts& texts) {
  return character_errors(texts, references).rate();
}

TEST_CASE("word error rates are jiwer's") {
  CHECK(wer({"Hello world"}, {"hello world"}) == 0.5);
  CHECK(wer({"hello, world"}, {"hello world"}) == 0.5);
  CHECK(wer({"don't"}, {"dont"}) == 1);
  CHECK(wer({"\xC3\xA1"}, {"a\xCC\x81"}) == 1);  // á composed and decomposed
  CHECK(wer({"  a   b "}, {"a b"}) == 0);
  CHECK(wer({"a\tb"}, {"a b"}) == 2);  // only spaces part words
  CHECK(wer({"a\nb"}, {"a b"}) == 2);
  CHECK(wer({"a b"}, {""}) == 1);
  CHECK(wer({"a"}, {"b c d"}) == 3);
  CHECK(wer({"a b c d"}, {"a x d e"}) == 0.75);
  CHECK(wer({"a b"}, {"b a"}) == 1);
}

TEST_CASE("with an empty reference, the error rate is the number of words too many") {
  CHECK(wer({""}, {"a b"}) == 2);
  CHECK(wer({""}, {""}) == 0);
  CHECK(wer({""}, {"a b c"}) == 3);
  CHECK(wer({}, {}) == 0);
}

TEST_CASE("the error rate of many texts is pooled, not a mean of rates") {
  CHECK(wer({"a", "b c d"}, {"x", "b c d"}) == 0.25);
  CHECK(wer({"", "a b"}, {"x y", "a b"}) == 1);
  check_error("1 texts for 2 references", [] { wer({"a", "b"}, {"a"}); });
}

TEST_CASE("character error rates are jiwer's: spaces between words count") {
  CHECK(cer({"a  b"}, {"a b"}) == 0.25);
  CHECK(cer({"ab c"}, {"abc"}) == 0.25);
  CHECK(cer({" abcd "}, {"abxd"}) == 0.25);
  CHECK(cer({"\xC3\xA4\xE2\x82\xAC"}, {"\xC3\xA4"}) == 0.5);  // ä€: characters, not bytes
}

TEST_CASE("edit distances") {
  const auto letters = [](const std::string& text) {
    Texts out;
    for (const char c : text) out.emplace_back(1, c);
    return out;
  };
  const auto distance = [&](const std::string& a, const std::string& b) {
    CHECK(edit_distance(letters(a), letters(b)) == edit_distance(letters(b), letters(a)));
    return edit_distance(letters(a), letters(b));
  };
  CHECK(distance("kitten", "sitting") == 3);
  CHECK(distance("intention", "execution") == 5);
  CHECK(distance("", "abc") == 3);
  CHECK(distance("abc", "abc") == 0);
  CHECK(distance("abcdef", "azced") == 3);
}

}  // namespace
}  // namespace tarsier::zoo
