// Tokenizers of all kinds: text to ids and back, through JSON, with unknown and awkward text.
#include "zoo/data/tokenizer.h"
#include "autograd/io/json.h"

#include <doctest/doctest.h>

#include "tests/error_of.h"

namespace tarsier::zoo {
namespace {

const std::vector<std::string> kTexts = {"The cat sat.", "the cat ran, the dog sat.",
                                         "Ein schöner Tag: 日本 🙂 the"};

std::unique_ptr<Tokenizer> trained(const std::string& kind, int64_t min_count = 1,
                                   bool lower = false) {
  return Tokenizer::train(kTexts,
                          {.kind = kind, .lower = lower, .min_count = min_count, .size = 280});
}

TEST_CASE("every tokenizer gives back the texts that it was trained on, also through JSON") {
  for (const char* kind : {"words", "characters", "bpe"}) {
    CAPTURE(kind);
    const std::unique_ptr<Tokenizer> tokenizer = trained(kind);
    const std::unique_ptr<Tokenizer> copy =
        Tokenizer::from_json(Json::parse(tokenizer->to_json().dump()));
    CHECK(copy->size() == tokenizer->size());
    CHECK(copy->to_json() == tokenizer->to_json());
    for (const std::string& text : kTexts) {
      const std::vector<int32_t> ids = tokenizer->encode(text);
      CHECK(tokenizer->decode(ids) == text);
      CHECK(copy->encode(text) == ids);
      CHECK(copy->decode(ids) == text);
      for (const int32_t id : ids) {
        CHECK(id >= kSpecialTokens);  // none is unknown, and text never gives a special token
        CHECK(id < tokenizer->size());
        CHECK(copy->show(id) == tokenizer->show(id));
      }
    }
  }
}

TEST_CASE("special tokens have the same ids everywhere; text ends at <eos>") {
  for (const char* kind : {"words", "characters", "bpe"}) {
    CAPTURE(kind);
    const std::unique_ptr<Tokenizer> tokenizer = trained(kind);
    CHECK(tokenizer->show(kPad) == "<pad>");
    CHECK(tokenizer->show(kUnknown) == "<unk>");
    CHECK(tokenizer->show(kBegin) == "<bos>");
    CHECK(tokenizer->show(kEnd) == "<eos>");
    std::vector<int32_t> ids = tokenizer->encode("the cat");
    ids.insert(ids.begin(), kBegin);
    ids.insert(ids.end(), {kPad, kEnd, ids.back(), kPad});
    CHECK(tokenizer->decode(ids) == "the cat");
    CHECK(tokenizer->encode("").empty());
    CHECK(tokenizer->decode({}) == "");
    // The names of special tokens in a text are text.
    for (const int32_t id : tokenizer->encode("<eos>")) {
      CHECK(id != kEnd);
      CHECK(id != kPad);
    }
  }
}

TEST_CASE("rare or new words and characters are unknown; byte pairs encode every text") {
  const auto words = trained("words", 2), characters = trained("characters", 2);
  // "cat" and "sat" occur twice, "ran" and "Tag" once.
  CHECK(words->encode("cat sat")[0] >= kSpecialTokens);
  CHECK(words->encode("ran Tag unseen") == std::vector<int32_t>{kUnknown, kUnknown, kUnknown});
  CHECK(words->decode(words->encode("cat ran")) == "cat <unk>");
  CHECK(characters->encode("日a") == std::vector<int32_t>{kUnknown, characters->encode("a").at(0)});
  CHECK(characters->encode("a").at(0) >= kSpecialTokens);
  const auto bpe = trained("bpe");
  for (const int32_t id : bpe->encode("ℵ unseen")) CHECK(id >= kSpecialTokens);
  CHECK(bpe->decode(bpe->encode("ℵ unseen")) == "ℵ unseen");
  CHECK(bpe->size() <= kSpecialTokens + 280);
}

TEST_CASE("words in lower case, if requested") {
  const auto lower = trained("words", 1, true), cased = trained("words", 1, false);
  CHECK(lower->encode("THE") == lower->encode("the"));
  CHECK(cased->encode("The") != cased->encode("the"));
  CHECK(lower->decode(lower->encode("The SCHÖNER")) == "the schöner");
  // The setting is stored with the vocabulary.
  CHECK(Tokenizer::from_json(lower->to_json())->encode("THE") == lower->encode("the"));
  CHECK(Tokenizer::from_json(cased->to_json())->encode("The") == cased->encode("The"));
}

TEST_CASE("every text works: truncated and invalid UTF-8, zeros, line ends, combining marks") {
  const std::vector<std::string> awkward = {
      "\xff\xfe",   "a\xc3",     "\xe6\x97",     "\xf0\x9f\x99", "\x80\x80", std::string("a\0b", 3),
      "a\r\nb\n\n", "e\xcc\x81", "\xed\xa0\x80", "\xc0\xaf",     " \t ",     "\xef\xbb\xbfthe"};
  for (const char* kind : {"words", "characters", "bpe"}) {
    const std::unique_ptr<Tokenizer> tokenizer = trained(kind);
    for (const std::string& text : awkward) {
      CAPTURE(kind);
      CAPTURE(text);
      const std::vector<int32_t> ids = tokenizer->encode(text);
      for (const int32_t id : ids) {
        CHECK(id >= 0);
        CHECK(id < tokenizer->size());
      }
      const std::string back = tokenizer->decode(ids);
      if (std::string(kind) == "bpe") CHECK(back == text);
    }
  }
  // Trained on such text, each still makes it through JSON.
  for (const char* kind : {"words", "characters", "bpe"}) {
    CAPTURE(kind);
    const auto tokenizer = Tokenizer::train({"a\0b", "schön 日本 🙂 e\xcc\x81"},
                                            {.kind = kind, .min_count = 1, .size = 260});
    const auto copy = Tokenizer::from_json(Json::parse(tokenizer->to_json().dump()));
    CHECK(copy->decode(copy->encode("schön 日本 🙂 e\xcc\x81")) ==
          "schön 日本 🙂 e\xcc\x81");
  }
}

TEST_CASE("a tokenizer of an unknown kind is refused, and so is one without tokens") {
  check_error("unknown kind of tokens 'letters': use words, characters or bpe",
              [] { trained("letters"); });
  check_error("'letters' is not a kind of tokens", [] {
    Tokenizer::from_json(Json::Object{{"kind", "letters"}});
  });
  check_error("lower min_count", [] { trained("words", 100); });
  check_error("[json]", [] { Tokenizer::from_json(Json::Object{{"kind", "words"}}); });
  check_error("[json]", [] { Tokenizer::from_json(Json::Object{}); });
}

}  // namespace
}  // namespace tarsier::zoo
