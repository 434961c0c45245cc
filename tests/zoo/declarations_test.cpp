// Comments above declarations, and the words of the names declared.
#include "zoo/data/declarations.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/error_of.h"

namespace tarsier::zoo {
namespace {

TEST_CASE("names are parted into words") {
  for (const auto& [name, words] :
       std::vector<std::pair<std::string, std::string>>{{"max_length", "max length"},
                                                        {"maxLength", "max length"},
                                                        {"kEndToken", "end token"},
                                                        {"BatchSampler", "batch sampler"},
                                                        {"LSTMCell", "lstm cell"},
                                                        {"Conv2d", "conv2d"},
                                                        {"path_", "path"},
                                                        {"k", "k"},
                                                        {"key", "key"},
                                                        {"", ""}}) {
    CAPTURE(name);
    CHECK(words_of_name(name) == words);
  }
}

TEST_CASE("the declared name is found") {
  for (const auto& [line, name] : std::vector<std::pair<std::string, std::string>>{
           {"struct LSTM : Layer<LSTM> {", "LSTM"},
           {"class Page {", "Page"},
           {"enum class Header { automatic, yes, no };", "Header"},
           {"std::vector<int64_t> permutation(int64_t n, RandomKey key);", "permutation"},
           {"explicit Scratch(int64_t = 3);", "Scratch"},
           {"constexpr int64_t kNoLimit = 4;", "kNoLimit"},
           {"Tensor weight;", "weight"},
           {"using History = std::vector<int32_t>;", "History"},
           {"Tensor operator+(const Arg& a, const Arg& b);", ""},
           {"the end of a comment", ""},
           {"}", ""},
           {"", ""}}) {
    CAPTURE(line);
    CHECK(declared_name(line) == name);
  }
}

TEST_CASE("comments of headers become pairs, split without loss") {
  std::string header, source;
  for (int i = 0; i < 20; ++i)
    header += concat("  /// Number ", i, " of many,\n  /// on two lines.\n  template <class T>\n",
                     "  int the_function(int x", i, ");\n\n");
  header +=
      "/// Too short.\nint left_out(); \n/// Number 3 of many,\n/// on two lines.\nint again();\n";
  header +=
      "/// A comment of a constructor's operator.\nint operator+(int);\n  int x;  ///< a b c d\n";
  const std::vector<EmbeddedFile> files = {{"a/x.h", header}, {"a/x.cpp", header}};
  const ParallelFolder data = declarations_data(files, {1, 0});
  REQUIRE(data.tests.size() == 1);
  CHECK(data.train.size() == 16);
  CHECK(data.val.size() == 2);
  CHECK(data.tests[0].size() == 2);
  std::set<std::string> all;
  for (const ParallelText* part : {&data.train, &data.val, &data.tests[0]}) {
    all.insert(part->source.begin(), part->source.end());
    for (const std::string& name : part->target) CHECK(name == "the function");
  }
  CHECK(all.size() == 20);
  CHECK(all.contains("Number 7 of many, on two lines."));
  check_error("[data] the project's text has 0 pairs, too few", [] { declarations_data({}, {}); });
}

TEST_CASE("the project's text has more than a thousand comments with names") {
  const ParallelFolder data = declarations_data(embedded_files(), {1, 0});
  CHECK(data.train.size() > 800);
  CHECK(data.val.size() > 100);
  bool found = false;
  for (const ParallelText* part : {&data.train, &data.val, &data.tests[0]})
    for (size_t k = 0; k < part->source.size(); ++k)
      found = found || (part->target[k] == "batch sampler" &&
                        part->source[k].starts_with("Batches of examples of similar length"));
  CHECK(found);
}

}  // namespace
}  // namespace tarsier::zoo
