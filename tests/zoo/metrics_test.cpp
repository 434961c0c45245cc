// BLEU compared with sacreBLEU; accuracy and F1 with scikit-learn.
#include <doctest/doctest.h>

#include <algorithm>

#include "autograd/io/file.h"
#include "autograd/io/json.h"
#include "tests/data.h"
#include "tests/error_of.h"
#include "zoo/data/lines.h"
#include "zoo/metrics/bleu.h"
#include "zoo/metrics/classification.h"
#include "zoo/metrics/classifier_score.h"

namespace tarsier::zoo {
namespace {

const Json::Array& golden(const char* part) {
  static const Json json =
      Json::parse(read_file(source_file("tests/golden/metrics.json").string()), "metrics.json");
  return json[part].as_array();
}

template <class T>
std::vector<T> values(const Json& json) {
  std::vector<T> out;
  for (const Json& value : json.as_array()) {
    if constexpr (std::is_same_v<T, std::string>) out.push_back(value.as_string());
    if constexpr (std::is_same_v<T, int64_t>) out.push_back(value.as_int());
    if constexpr (std::is_same_v<T, double>) out.push_back(value.as_double());
  }
  return out;
}

/// Equal up to the rounding of a few operations in f64.
bool close(double a, double b) { return std::abs(a - b) <= 1e-12 * std::max(1.0, std::abs(b)); }

TEST_CASE("lines are split into words as in sacreBLEU") {
  for (const Json& sample : golden("words")) {
    CAPTURE(sample["line"].as_string());
    CHECK(bleu_words(sample["line"].as_string()) == values<std::string>(sample["words"]));
  }
  CHECK(bleu_words("a\xFF.") == std::vector<std::string>{"a\xFF", "."});
}

TEST_CASE("BLEU is sacreBLEU's") {
  for (const Json& sample : golden("bleu")) {
    const Bleu bleu = corpus_bleu(values<std::string>(sample["translations"]),
                                  values<std::string>(sample["references"]));
    CAPTURE(sample["text"].as_string());
    CHECK(close(bleu.score, sample["score"].as_double()));
    CHECK(close(bleu.brevity_penalty, sample["bp"].as_double()));
    for (size_t n = 0; n < 4; ++n) {
      CHECK(close(bleu.precisions[n], values<double>(sample["precisions"])[n]));
      CHECK(bleu.matches[n] == values<int64_t>(sample["matches"])[n]);
      CHECK(bleu.totals[n] == values<int64_t>(sample["totals"])[n]);
    }
    CHECK(bleu.length == sample["length"].as_int());
    CHECK(bleu.reference_length == sample["reference_length"].as_int());
    CHECK(bleu.describe() == sample["text"].as_string());
  }
}

TEST_CASE("a perfect translation scores 100") {
  const std::vector<std::string> lines = {"a b c d e.", "x"};
  CHECK(close(corpus_bleu(lines, lines).score, 100));
}

TEST_CASE("BLEU against several references is sacreBLEU's") {
  const Bleu bleu = corpus_bleu_multi(
      {"a large red circle above a blue square", "two small stars",
       "a green seven left of a circle on the floor"},
      {{"a red circle above a small blue square", "a large red disc over a blue square"},
       {"two little stars here", "two small yellow stars"},
       {"a green 7 left of a circle", "there is a green seven left of a round thing"}});
  CHECK(bleu.score == doctest::Approx(60.923030421066926).epsilon(1e-12));  // sacreBLEU 2.6.0
  CHECK(bleu.matches == std::array<int64_t, 4>{18, 14, 9, 5});
  CHECK(bleu.totals == std::array<int64_t, 4>{21, 18, 15, 12});
  CHECK(bleu.length == 21);
  CHECK(bleu.reference_length == 22);  // 8 + 4 + 10, the nearest
  CHECK_THROWS_AS(corpus_bleu_multi({"a"}, {{}}), Error);
}

TEST_CASE("translations without references are errors") {
  CHECK(error_of([] {
          corpus_bleu({"a", "b"}, {"a"});
        }) == "[bleu] there are 2 translations and 1 references, but every translation needs one");
  CHECK_THROWS_AS(corpus_bleu({}, {}), Error);
}

TEST_CASE("accuracy and F1 are scikit-learn's") {
  for (const Json& sample : golden("classes")) {
    ConfusionMatrix matrix(sample["classes"].as_int());
    matrix.add(values<int64_t>(sample["truth"]), values<int64_t>(sample["predicted"]));
    CHECK(close(matrix.accuracy(), sample["accuracy"].as_double()));
    CHECK(close(matrix.macro_f1(), sample["macro_f1"].as_double()));
    for (int64_t c = 0; c < matrix.classes(); ++c) {
      const auto i = static_cast<size_t>(c);
      CHECK(close(matrix.precision(c), values<double>(sample["precision"])[i]));
      CHECK(close(matrix.recall(c), values<double>(sample["recall"])[i]));
      CHECK(close(matrix.f1(c), values<double>(sample["f1"])[i]));
    }
  }
}

TEST_CASE("a confusion matrix counts truth in rows, and prints") {
  ConfusionMatrix matrix(2);
  matrix.add({0, 0, 0, 1}, {0, 1, 1, 1});
  CHECK(matrix.at(0, 1) == 2);
  CHECK(matrix.at(1, 0) == 0);
  CHECK(matrix.total() == 4);
  CHECK(matrix.to_json().dump() == Json::parse("[[1, 2], [0, 1]]").dump());
  CHECK(matrix.describe({"schön", "b"}) ==
        "predicted      schön          b   recall     F1\n"
        "    schön          1          2     33.3   50.0\n"
        "        b          0          1    100.0   50.0\n");
  ConfusionMatrix many(11);
  many.add(3, 4);
  many.add(3, 4);
  many.add(5, 1);
  std::vector<std::string> names;
  for (char c = 'a'; c < 'l'; ++c) names.emplace_back(1, c);
  const std::string text = many.describe(names);
  CHECK(text.ends_with("2 × d taken for e\n1 × f taken for b\n"));
  CHECK(split_lines(text).size() == 14);
}

TEST_CASE("the likeliest classes are named, three at most, and none below half a percent") {
  const std::vector<std::string> names{"a", "b", "c", "d"};
  CHECK(likeliest({0.1, 0.5, 0.15, 0.25}, names) == "b (50.0 %), d (25.0 %), c (15.0 %)");
  CHECK(likeliest({0.003, 0.991, 0.0055, 0.0005}, names) == "b (99.1 %), c (0.5 %)");
  CHECK(likeliest({0.5, 0.5}, {"x", "y"}) == "x (50.0 %), y (50.0 %)");
}

TEST_CASE("invalid classes are errors") {
  ConfusionMatrix matrix(2);
  CHECK(error_of([&] { matrix.add(2, 0); }) ==
        "[metric] class 2 predicted as 0, but there are only 2");
  CHECK_THROWS_AS(matrix.add(0, -1), Error);
  CHECK_THROWS_AS(matrix.add({0, 1}, {0}), Error);
  CHECK_THROWS_AS(matrix.accuracy(), Error);
  CHECK_THROWS_AS(matrix.macro_f1(), Error);
  CHECK_THROWS_AS(matrix.describe({"a"}), Error);
  CHECK_THROWS_AS(ConfusionMatrix(0), Error);
}

TEST_CASE("IoU of classes is torchmetrics', and their mean recall scikit-learn's") {
  const auto counted = [](int64_t classes, const std::vector<int64_t>& predicted,
                          const std::vector<int64_t>& truth) {
    ConfusionMatrix confusion(classes);
    confusion.add(truth, predicted);
    return confusion;
  };
  // JaccardIndex(average="macro") leaves out what occurs nowhere; "none" lists 0 for it.
  const ConfusionMatrix four = counted(4, {0, 0, 1, 1}, {0, 1, 1, 1});
  CHECK(four.mean_iou() == doctest::Approx((1.0 / 2 + 2.0 / 3) / 2));
  CHECK(four.iou(3) == 0);
  CHECK_FALSE(four.occurs(3));
  CHECK(four.mean_recall() == doctest::Approx((1 + 2.0 / 3) / 2));  // balanced_accuracy_score
  // A class only in the truth counts as 0.
  CHECK(counted(3, {0, 0}, {0, 2}).mean_iou() == doctest::Approx(0.25));
  // One only predicted: 0 for IoU; recall is of classes in the truth.
  CHECK(counted(3, {0, 2}, {0, 0}).mean_iou() == doctest::Approx(0.25));
  CHECK(counted(3, {0, 2}, {0, 0}).mean_recall() == doctest::Approx(0.5));
  CHECK(error_of([] { ConfusionMatrix(2).mean_iou(); }) == "[metric] no examples were counted");
  CHECK(error_of([] { ConfusionMatrix(2).mean_recall(); }) == "[metric] no examples were counted");
}

}  // namespace
}  // namespace tarsier::zoo
