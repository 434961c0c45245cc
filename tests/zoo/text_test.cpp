// Characters, vocabularies, windows of text, and the embedded source.
#include "zoo/data/text.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "autograd/base/error.h"
#include "autograd/io/file.h"
#include "tests/data.h"
#include "tests/zoo/scratch.h"
#include "zoo/data/batches.h"
#include "zoo/data/embedded.h"

namespace tarsier::zoo {
namespace {

TEST_CASE("UTF-8 becomes characters and comes back") {
  const std::string text = "aß€😀\n";
  const std::vector<char32_t> characters = decode_utf8(text, "text");
  CHECK(characters == std::vector<char32_t>{U'a', U'ß', U'€', U'😀', U'\n'});
  std::string back;
  for (char32_t character : characters) back += encode_utf8(character);
  CHECK(back == text);
}

TEST_CASE("bytes that are not UTF-8 are an error with their position") {
  CHECK_THROWS_WITH_AS(
      decode_utf8("ab\ncd\xFF", "'x.txt'"),
      doctest::Contains("[data] 'x.txt' is not UTF-8 text: byte 0xFF at offset 5, in line 2; "
                        "convert it (iconv -t UTF-8), or use another text"),
      Error);
  // Cut off, overlong, a surrogate, beyond Unicode, a continuation without a beginning.
  for (const char* text : {"\xE2\x82", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(decode_utf8(text, "x"), Error);
  }
}

TEST_CASE("a vocabulary is sorted, and the same after saving") {
  const std::vector<char32_t> text = decode_utf8("hello wörld", "text");
  const CharVocabulary vocabulary(text);
  CHECK(vocabulary.characters() == " dehlorwö");
  CHECK(vocabulary.size() == 9);
  const std::vector<int32_t> indices = vocabulary.encode(text, "text");
  CHECK(indices == std::vector<int32_t>{3, 2, 4, 4, 5, 0, 7, 8, 6, 4, 1});
  CHECK(vocabulary.decode(indices) == "hello wörld");
  const CharVocabulary again = CharVocabulary::from_characters(vocabulary.characters());
  CHECK(again.encode(text, "text") == indices);
  CHECK_THROWS_AS(CharVocabulary::from_characters("ba"), Error);
  CHECK_THROWS_AS(CharVocabulary::from_characters(""), Error);
  CHECK_THROWS_WITH_AS(
      vocabulary.encode(decode_utf8("hi é\n", "p"), "the prompt"),
      doctest::Contains("[data] the prompt has characters that the model has never seen: '\\n', "
                        "'i', 'é' (U+00E9)"),
      Error);
}

TEST_CASE("windows give every character its successor") {
  const TokenWindows windows({10, 11, 12, 13, 14, 15});
  const TokenBatch batch = windows.at({0, 2}, 3);
  CHECK(batch.inputs.shape() == Shape{2, 3});
  CHECK(batch.inputs.to_vector<int64_t>() == std::vector<int64_t>{10, 11, 12, 12, 13, 14});
  CHECK(batch.targets.to_vector<int64_t>() == std::vector<int64_t>{11, 12, 13, 13, 14, 15});
  CHECK_THROWS_AS(windows.at({3}, 3), Error);
  CHECK_THROWS_AS(windows.at({-1}, 3), Error);
}

TEST_CASE("adjacent windows predict every token but the first once, whatever their length") {
  std::vector<int32_t> tokens(5000);
  std::iota(tokens.begin(), tokens.end(), 0);
  const TokenWindows windows(tokens);
  for (const int64_t length : {1, 7, 1666, 2048, 4999, 6000}) {
    std::vector<int64_t> inputs, targets;
    int64_t most = 0;
    windows.for_each(length, [&](const TokenBatch& batch) {
      CHECK(batch.inputs.shape() == batch.targets.shape());
      most = std::max(most, batch.inputs.size(1));
      for (int64_t t : batch.inputs.to_vector<int64_t>()) inputs.push_back(t);
      for (int64_t t : batch.targets.to_vector<int64_t>()) targets.push_back(t);
    });
    std::vector<int64_t> all(4999);
    std::iota(all.begin(), all.end(), 0);
    CHECK(inputs == all);
    std::iota(all.begin(), all.end(), 1);
    CHECK(targets == all);
    CHECK(most == std::min<int64_t>(length, 4999));
  }
}

TEST_CASE("training batches depend only on seed and step, and reach both ends of the text") {
  std::vector<int32_t> tokens(20);
  for (int32_t i = 0; i < 20; ++i) tokens[static_cast<size_t>(i)] = i;
  const TokenWindows windows(tokens);
  const auto starts = [&](uint64_t seed, int64_t step) {
    const Tensor inputs = windows.training_batch({seed, 0}, step, 8, 4).inputs;
    std::vector<int64_t> out;
    for (int64_t b = 0; b < 8; ++b)
      out.push_back(inputs.to_vector<int64_t>()[static_cast<size_t>(4 * b)]);
    return out;
  };
  CHECK(starts(1, 5) == starts(1, 5));
  CHECK(starts(1, 5) != starts(1, 6));
  CHECK(starts(1, 5) != starts(2, 5));
  std::vector<bool> seen(16);
  for (int64_t step = 1; step <= 100; ++step)
    for (int64_t start : starts(3, step)) seen.at(static_cast<size_t>(start)) = true;
  CHECK(seen == std::vector<bool>(16, true));
  CHECK(windows.training_batch({1, 0}, 1, 2, 19).inputs.to_vector<int64_t>()[19] == 0);
  CHECK_THROWS_AS(windows.training_batch({1, 0}, 1, 1, 20), Error);
}

TEST_CASE("a byte-order mark is not part of the text") {
  const Scratch scratch;
  CHECK(read_text_file(scratch.write("marked.txt", "\xEF\xBB\xBFtext")) == "text");
  CHECK_THROWS_AS(read_text_file(scratch.write("mark.txt", "\xEF\xBB\xBF")), Error);
}

TEST_CASE("invalid data files are refused with the reason") {
  const Scratch scratch;
  const auto message = [](const std::string& path) -> std::string {
    try {
      read_text_file(path);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(message(scratch.path("nothing")) ==
        "[data] there is no file '" + scratch.path("nothing") + "'");
  CHECK(message(scratch.path("")).find("is a folder") != std::string::npos);
  CHECK(message(scratch.write("empty", "")).find("is empty") != std::string::npos);
}

TEST_CASE("the embedded files are the project's own, byte for byte") {
  const std::string text = embedded_text();
  CHECK(text.size() > 200'000);
  CHECK_NOTHROW(decode_utf8(text, "the embedded text"));
  // The file with the rule that embeds it is the hardest: it contains the delimiters.
  for (const std::string name : {"zoo/embed.cmake", "autograd/ops.h", "CMakeLists.txt"}) {
    CAPTURE(name);
    const auto file = std::ranges::find(embedded_files(), name, &EmbeddedFile::path);
    REQUIRE(file != embedded_files().end());
    CHECK(file->text == read_file(source_file(name).string()));
    CHECK(text.find("// " + name + "\n") != std::string::npos);
  }
  for (size_t i = 1; i < embedded_files().size(); ++i)
    CHECK(embedded_files()[i - 1].path < embedded_files()[i].path);
}

}  // namespace
}  // namespace tarsier::zoo
