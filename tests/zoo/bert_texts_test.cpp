// How BERT hides tokens, and what it reads of texts.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "zoo/bert/fill.h"
#include "zoo/bert/masking.h"
#include "zoo/bert/texts.h"
#include "zoo/bert/vocabulary.h"

namespace tarsier::zoo {
namespace {

using Row = std::vector<int32_t>;
using Rows = std::vector<Row>;

// ---- masking ----

constexpr int32_t kMask = 104;  // after 100 words

/// kBegin and `n` words, word 10 throughout.
Row words(int n) {
  Row row(static_cast<size_t>(n) + 1, 10);
  row[0] = kBegin;
  return row;
}

TEST_CASE("of the hidden tokens 80 % become [MASK], 10 % any word, and 10 % stay") {
  const bert::Masking masking{.mask = kMask};
  std::map<int32_t, int> found;
  std::vector<int> hidden(41);
  int places = 0;
  for (uint64_t i = 0; i < 5000; ++i) {
    Row row = words(40);
    const std::vector<int64_t> chosen = bert::hide(row, masking, {7, 2 * i});
    REQUIRE(chosen.size() == 6);  // 15 % of 40, always
    CHECK(std::is_sorted(chosen.begin(), chosen.end()));
    CHECK(std::set<int64_t>(chosen.begin(), chosen.end()).size() == 6);
    for (const int64_t t : chosen) {
      ++found[row[static_cast<size_t>(t)]];
      ++hidden[static_cast<size_t>(t)];
      row[static_cast<size_t>(t)] = 10;
    }
    CHECK(row == words(40));  // nothing else changed
    places += 6;
  }
  // Of 30,000: the deviation is below 0.3 %, so 1.2 % is four of them.
  const auto share = [&](double count) { return count / places; };
  CHECK(std::abs(share(found[kMask]) - 0.8) < 0.012);
  CHECK(std::abs(share(found[10]) - 0.101) < 0.012);  // 10 % stay, and 1 % of the random words
  double others = 0;
  for (const auto& [id, count] : found) {
    CHECK(id >= kSpecialTokens);
    CHECK(id <= kMask);
    if (id == 10 || id == kMask) continue;
    others += count;
    CHECK(count < 80);  // 30 on average
  }
  CHECK(found.size() == 101);  // every word occurs
  CHECK(std::abs(share(others) - 0.099) < 0.012);
  CHECK(hidden[0] == 0);  // kBegin
  for (size_t t = 1; t < hidden.size(); ++t) CHECK(std::abs(hidden[t] - 750) < 4 * 26);
}

TEST_CASE("special tokens are not hidden, and of a short text one token is") {
  const bert::Masking masking{.mask = kMask, .masked = 1, .swapped = 0};
  for (uint64_t i = 0; i < 50; ++i) {
    Row row = {kBegin, kUnknown, 20, kEnd, kPad, 30};
    const std::vector<int64_t> chosen = bert::hide(row, masking, {1, 2 * i});
    REQUIRE(chosen.size() == 1);
    CHECK((chosen[0] == 2 || chosen[0] == 5));
    CHECK(row[static_cast<size_t>(chosen[0])] == kMask);
    Row nothing = {kBegin, kUnknown, kEnd};
    CHECK(bert::hide(nothing, masking, {1, 2 * i}).empty());
  }
}

TEST_CASE("a masked batch says what was hidden, depends on its key only, and cuts rows") {
  Rows rows;
  for (int n = 3; n < 30; ++n) rows.push_back(words(n));
  for (Row& row : rows)
    for (size_t t = 1; t < row.size(); ++t) row[t] = static_cast<int32_t>(10 + t);
  const bert::Masking masking{.mask = kMask};
  const std::vector<int64_t> chosen = {20, 4, 11};
  const Batch batch = bert::masked_batch(rows, chosen, masking, {3, 5});
  CHECK(same_bits(batch.tensors, bert::masked_batch(rows, chosen, masking, {3, 5}).tensors));
  CHECK_FALSE(same_bits(batch.tensors, bert::masked_batch(rows, chosen, masking, {4, 5}).tensors));
  const int64_t T = 24;
  REQUIRE(batch["index"].shape() == Shape{3, T});
  CHECK(batch.items == 24 + 8 + 15);
  const auto index = batch["index"].to_vector<int64_t>(),
             targets = batch["targets"].to_vector<int64_t>(),
             places = batch["places"].to_vector<int64_t>();
  CHECK(batch.weight == static_cast<double>(places.size()));
  CHECK(places.size() == 3 + 1 + 2);  // 15 % of 23, of 7 and of 14
  for (int64_t b = 0; b < 3; ++b)
    for (int64_t t = 0; t < T; ++t) {
      const auto at = static_cast<size_t>(b * T + t);
      const Row& row = rows[static_cast<size_t>(chosen[static_cast<size_t>(b)])];
      CHECK(targets[at] == (t < std::ssize(row) ? row[static_cast<size_t>(t)] : kPad));
      const bool hidden = std::find(places.begin(), places.end(), b * T + t) != places.end();
      if (!hidden) CHECK(index[at] == targets[at]);
    }
  // An example is hidden alike in every batch of the same key, whatever stands next to it.
  const Batch alone = bert::masked_batch(rows, {4}, masking, {3, 5});
  const auto row = alone["index"].to_vector<int64_t>();
  CHECK(std::equal(row.begin(), row.end(), index.begin() + T));
  CHECK(bert::masked_batch(rows, chosen, masking, {3, 5}, 6)["index"].shape() == Shape{3, 6});
}

// ---- texts ----

TEST_CASE("texts are a file, each file of a folder, or the training texts of a table") {
  const Scratch scratch;
  const auto read = [](const std::string& path) {
    return bert::read_documents(path, {}, kSplitKey).all;
  };
  const std::string file = scratch.write("a.txt", "one\ntwo\n");
  REQUIRE(read(file).size() == 1);
  CHECK(read(file)[0].text == "one\ntwo\n");
  CHECK_FALSE(read(file)[0].table);

  std::filesystem::create_directories(scratch.path("texts/below"));
  scratch.write("texts/b.txt", "second");
  scratch.write("texts/a.md", "first");
  scratch.write("texts/.hidden", "not this");
  scratch.write("texts/below/c.txt", "nor this");
  REQUIRE(read(scratch.path("texts")).size() == 2);
  CHECK(read(scratch.path("texts"))[0].text == "first");
  CHECK(read(scratch.path("texts"))[1].text == "second");

  std::filesystem::create_directories(scratch.path("reviews"));
  scratch.write("reviews/train.tsv", "good\ta b\nbad\tc d\n");
  scratch.write("reviews/val.tsv", "bad\tnot read\n");
  const auto reviews = read(scratch.path("reviews"));
  REQUIRE(reviews.size() == 1);
  CHECK(reviews[0].text == "a b\nc d\n");
  CHECK(reviews[0].table);

  // Of a single table, what the classifier would not train on is left out.
  std::string rows;
  for (int i = 0; i < 40; ++i) rows += concat(i % 2 == 0 ? "good" : "bad", "\ttext ", i, "\n");
  const std::string table = scratch.write("table.tsv", rows);
  const LabelledData data = read_labelled_data(table, {}, kSplitKey);
  CHECK(read(table)[0].text == joined(data.train.texts));
  CHECK(data.train.size() < 36);
}

TEST_CASE("every tenth line validates, or the last tenth of a running text") {
  std::string text;
  for (int i = 0; i < 40; ++i) text += concat("line ", i, i % 3 == 0 ? "\n\n" : "\n");
  const bert::Document file{.text = text}, table{.text = text, .table = true};
  for (const auto& [document, examples] :
       {std::pair{file, bert::Examples::lines}, {table, bert::Examples::automatic}}) {
    const bert::Split parts = bert::split({document}, examples);
    CHECK(parts.train.size() == 36);
    REQUIRE(parts.validation.size() == 4);
    CHECK(parts.validation[0].text == "line 9");
    CHECK(parts.validation[3].text == "line 39");
    CHECK_FALSE(parts.train[0].running);
  }
  for (const auto& [document, examples] :
       {std::pair{file, bert::Examples::automatic}, {table, bert::Examples::windows}}) {
    const bert::Split parts = bert::split({document}, examples);
    REQUIRE(parts.train.size() == 1);
    CHECK(parts.train[0].text + parts.validation[0].text == text);
    CHECK(parts.train[0].text.size() == text.size() * 9 / 10);
    CHECK(parts.train[0].running);
  }
}

std::unique_ptr<Tokenizer> tokenizer_of(const std::string& text, const std::string& kind) {
  return Tokenizer::train({text}, {.kind = kind, .min_count = 1, .size = 300});
}

TEST_CASE("a long line becomes several rows, and a running text windows without a gap") {
  const auto tokenizer = tokenizer_of("a b c d e f", "words");
  const auto id = [&](const char* word) { return tokenizer->encode(word).front(); };
  const auto rows = [&](const bert::Passage& passage) {
    return bert::token_rows({passage}, *tokenizer, 4);
  };
  CHECK(rows({"a b c d e f a"}) == Rows{{kBegin, id("a"), id("b"), id("c")},
                                        {kBegin, id("d"), id("e"), id("f")},
                                        {kBegin, id("a")}});
  CHECK(rows({"a b\n\nc d", true}) ==
        Rows{{kBegin, id("a"), id("b"), kEnd}, {kBegin, id("c"), id("d"), kEnd}});
  CHECK(rows({"x y z"}).empty());  // no known word
  CHECK(rows({""}).empty());
}

// ---- [MASK] ----

TEST_CASE("[MASK] in a text is one token, and the text around it is cut as if it were a word") {
  const std::string text = "He said (no, never): don't go. A film that moves you";
  for (const char* kind : {"words", "bpe"}) {
    CAPTURE(kind);
    // Twice, so that byte pairs learn " a".
    const bert::Vocabulary vocabulary(tokenizer_of(text + " a a" + text, kind));
    CHECK(vocabulary.size() == vocabulary.tokenizer().size() + 1);
    for (const auto& [before, word, after] :
         {std::array<const char*, 3>{"A film that ", "moves", " you"},
          {"He said (", "no", ", never)"},
          {"", "He", " said"},
          {"don't ", "go", "."}}) {
      CAPTURE(before);
      const Row whole = vocabulary.encode(concat(before, word, after)),
                hidden = vocabulary.encode(concat(before, "[MASK]", after));
      const auto at = std::find(hidden.begin(), hidden.end(), vocabulary.mask()) - hidden.begin();
      REQUIRE(at < std::ssize(hidden));
      // The same tokens up to the word, and after it.
      CHECK(std::equal(hidden.begin(), hidden.begin() + at, whole.begin()));
      CHECK(std::equal(hidden.begin() + at + 1, hidden.end(),
                       whole.end() - (std::ssize(hidden) - at - 1)));
    }
    const Row three = vocabulary.encode("[MASK] film [MASK][MASK]");
    CHECK(std::count(three.begin(), three.end(), vocabulary.mask()) == 3);
    CHECK(vocabulary.word(vocabulary.mask()) == "[MASK]");
    CHECK(vocabulary.encode("") == Row{kBegin});
  }
  const bert::Vocabulary words(tokenizer_of(text, "words"));
  CHECK(words.text(words.encode("A film [MASK] xyz you.")) == "a film [MASK] <unk> you.");
  CHECK(words.word(words.encode("film,")[2]) == ",");  // without the mark of a joiner
}

TEST_CASE("riddles hide one word each, the same every time") {
  Rows rows;
  for (int n = 0; n < 40; ++n) rows.push_back(words(5 + n % 7));
  const auto riddles = bert::riddles(rows, kMask, 8);
  REQUIRE(riddles.size() == 8);
  for (const bert::Riddle& riddle : riddles) {
    CHECK(std::count(riddle.row.begin(), riddle.row.end(), kMask) == 1);
    CHECK(riddle.row[static_cast<size_t>(riddle.place)] == kMask);
    CHECK(riddle.truth == 10);
  }
  CHECK(bert::riddles(rows, kMask, 8)[3].row == riddles[3].row);
  CHECK(bert::riddles({words(3)}, kMask, 8).size() == 1);
}

}  // namespace
}  // namespace tarsier::zoo
