// ROUGE compared with rouge-score.
#include "zoo/metrics/rouge.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/io/file.h"
#include "autograd/io/json.h"
#include "tests/data.h"
#include "tests/error_of.h"

namespace tarsier::zoo {
namespace {

using Words = std::vector<std::string>;

const Json& golden() {
  static const Json json =
      Json::parse(read_file(source_file("tests/golden/rouge.json").string()), "rouge.json");
  return json;
}

/// Equal up to the rounding of a few operations in f64.
void check_score(const RougeScore& score, const Json& expected) {
  const Json::Array& values = expected.as_array();
  CHECK(std::abs(score.precision - values[0].as_double()) < 1e-14);
  CHECK(std::abs(score.recall - values[1].as_double()) < 1e-14);
  CHECK(std::abs(score.f1 - values[2].as_double()) < 1e-14);
}

TEST_CASE("ROUGE splits texts into the tokens of rouge-score") {
  for (const Json& sample : golden()["tokens"].as_array()) {
    const std::string text = sample.as_array()[0].as_string();
    CAPTURE(text);
    Words expected;
    for (const Json& token : sample.as_array()[1].as_array()) expected.push_back(token.as_string());
    CHECK(rouge_tokens(text) == expected);
  }
  CHECK(rouge_tokens("a\xFF"
                     "b") == Words{"a", "b"});  // not UTF-8
}

TEST_CASE("ROUGE-1, -2, -3, -L and -Lsum are those of rouge-score") {
  for (const Json& sample : golden()["pairs"].as_array()) {
    const std::string text = sample["text"].as_string(),
                      reference = sample["reference"].as_string();
    CAPTURE(text);
    CAPTURE(reference);
    for (const int64_t n : {1, 2, 3})
      check_score(rouge_n(text, reference, n), sample[concat("rouge", n)]);
    check_score(rouge_l(text, reference), sample["rougeL"]);
    check_score(rouge_lsum(text, reference), sample["rougeLsum"]);
  }
}

TEST_CASE("of several references the best one counts") {
  const Json& sample = golden()["several"];
  Words references;
  for (const Json& one : sample["references"].as_array()) references.push_back(one.as_string());
  const std::string text = sample["text"].as_string();
  const auto one = [](std::string_view a, std::string_view b) { return rouge_n(a, b, 1); };
  check_score(best_rouge(text, references, one), sample["rouge1"]);
  check_score(best_rouge(text, references, rouge_l), sample["rougeL"]);
  CHECK(best_rouge(text, {}, rouge_l).f1 == 0);
}

TEST_CASE("ROUGE of many pairs is the mean, in one line") {
  // F1 of ROUGE-1: 1, 0.5, 0; of ROUGE-2: 1, 0, 0; of ROUGE-L: 1, 0.5, 0.
  const MeanRouge mean = mean_rouge({"a b", "c d", "e"}, {"A b.", "x c", "f"});
  CHECK(mean.rouge_1 == doctest::Approx(50));
  CHECK(mean.rouge_2 == doctest::Approx(100.0 / 3));
  CHECK(mean.rouge_l == doctest::Approx(50));
  CHECK(lines_of(mean.metrics()) == "ROUGE 50.0 33.3 50.0\n");
  CHECK(lines_of(mean.metrics("first sentence ", " test")) ==
        "first sentence ROUGE test 50.0 33.3 50.0\n");
  CHECK(mean.metrics()[1].name == "ROUGE-2");
  CHECK(mean.metrics()[2].name == "ROUGE-L");
  CHECK(error_of([] { mean_rouge({"a"}, {}); }) ==
        "[metric] 1 texts and 0 references: give one reference for each text");
  check_error("0 texts and 0 references", [] { mean_rouge({}, {}); });
  check_error("ROUGE of 0 words in a row", [] { rouge_n("a", "a", 0); });
}

}  // namespace
}  // namespace tarsier::zoo
