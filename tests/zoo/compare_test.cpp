// `tarsier compare`: its tasks, its models, a run, and what is kept of it.
#include "zoo/compare/compare.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "autograd/autograd.h"
#include "autograd/io/file.h"
#include "tests/error_of.h"
#include "tests/threads.h"
#include "tests/zoo/markup.h"
#include "tests/zoo/scratch.h"
#include "zoo/compare/claims.h"
#include "zoo/compare/results.h"

namespace tarsier::zoo::compare {
namespace {

constexpr int64_t kMarkToken = 1, kFirstSymbol = 2, kFirstKey = 6, kFirstPair = 10;

const SyntheticTask& task(const std::string& name) {
  return *std::ranges::find(synthetic_tasks(), name, &SyntheticTask::name);
}

/// The numbers of row b.
std::vector<int64_t> row(const Tensor& x, int64_t b) {
  std::vector<int64_t> out;
  for (const double value : select(x, 0, b).to_vector()) out.push_back(static_cast<int64_t>(value));
  return out;
}

TEST_CASE("compare: copy asks for each symbol exactly the distance after it came") {
  const Batch batch = task("copy").make(50, 9, {1, 2});
  CHECK(batch.tokens.shape() == Shape{50, task("copy").length(9)});
  for (int64_t b = 0; b < 50; ++b) {
    const auto tokens = row(batch.tokens, b), answers = row(batch.answers, b);
    for (size_t i = 0; i < 4; ++i) {
      CHECK(tokens[i] == kFirstSymbol + answers[i]);
      CHECK(tokens[i + 9] == kMarkToken);
    }
    CHECK(std::count(tokens.begin(), tokens.end(), 0) == 5);
  }
}

TEST_CASE("compare: recall asks for the value that followed each key, in another order") {
  const Batch batch = task("recall").make(50, 20, {1, 2});
  int in_order = 0;
  for (int64_t b = 0; b < 50; ++b) {
    const auto tokens = row(batch.tokens, b), answers = row(batch.answers, b);
    std::map<int64_t, int64_t> value;  // of each key
    for (size_t i = 0; i < 4; ++i) {
      const int64_t pair = tokens[i] - kFirstPair;
      CHECK(pair >= 0);
      value[kFirstKey + pair / 4] = pair % 4;
    }
    CHECK(value.size() == 4);
    for (size_t i = 0; i < 4; ++i) {
      REQUIRE(value.contains(tokens[20 + i]));
      CHECK(value[tokens[20 + i]] == answers[i]);
    }
    in_order += (tokens[20] - kFirstKey) == (tokens[0] - kFirstPair) / 4;
  }
  CHECK(in_order > 2);
  CHECK(in_order < 30);
}

TEST_CASE("compare: sum asks for the sum of four digits in any places; guessing is 44 in 256") {
  const Batch batch = task("sum").make(2000, 6, {1, 2});
  double six = 0;
  for (int64_t b = 0; b < 2000; ++b) {
    const auto tokens = row(batch.tokens, b);
    int64_t sum = 0;
    for (const int64_t token : tokens) sum += std::max<int64_t>(0, token - kFirstSymbol);
    CHECK(tokens.back() == kMarkToken);
    CHECK(row(batch.answers, b)[0] == sum);
    six += sum == 6;
  }
  CHECK(six / 2000 == doctest::Approx(task("sum").chance).epsilon(0.2));
}

TEST_CASE("compare: sequences depend on the key alone") {
  for (const SyntheticTask& one : synthetic_tasks()) {
    const Batch whole = one.make(8, 12, {3, 4}), part = one.make(5, 12, {3, 4}),
                other = one.make(8, 12, {3, 5});
    CHECK(part.tokens.to_vector() == slice(whole.tokens, 0, 0, 5).to_vector());
    CHECK(whole.tokens.to_vector() != other.tokens.to_vector());
    CHECK(amax(whole.tokens).item() < kTokens);
    CHECK(amax(whole.answers).item() < kAnswers);
    CHECK_NOTHROW(one.make(2, one.least_distance, {1, 1}));
  }
}

TEST_CASE("compare: the models are of equal size, and an answer sees no later token") {
  const Tensor tokens = task("recall").make(3, 12, {1, 1}).tokens;
  const NoGrad guard;
  for (const ModelKind& kind : model_kinds()) {
    CAPTURE(kind.name);
    const auto model = kind.make(32);
    CHECK(model->num_parameters() == doctest::Approx(27'000).epsilon(0.06));
    const Tensor y = (*model)(tokens, 4);
    CHECK(y.shape() == Shape{3, 4, kAnswers});
    const Tensor changed = clone(tokens);
    fill_(slice(changed, 1, 14), 0);  // the last two of 16
    CHECK(allclose(slice((*model)(changed, 4), 1, 0, 2), slice(y, 1, 0, 2), 1e-5, 1e-6));
    CHECK_FALSE(allclose((*model)(changed, 4), y));
    CHECK_FALSE(allclose(slice((*model)(flip(tokens, {0}), 4), 1, 0, 2), slice(y, 1, 0, 2)));
  }
}

TEST_CASE("compare: gradients of the whole models are those of differences") {
  const Tensor tokens = task("sum").make(2, 4, {1, 1}).tokens;
  for (const ModelKind& kind : model_kinds()) {
    CAPTURE(kind.name);
    const auto model = kind.make(8);
    model->to(f64);
    const TensorDict parameters = model->named_parameters();
    std::vector<Tensor> leaves;  // one of each kind: all would take long
    for (const auto& [name, parameter] : parameters)
      if (parameter.dim() == 1) leaves.push_back(parameter);
    REQUIRE(leaves.size() >= 3);
    CHECK_NOTHROW(gradcheck([&](const auto&) { return (*model)(tokens, 1); }, leaves));
  }
}

const auto kNever = [] { return false; };

TEST_CASE(
    "compare: a run learns, stops when its task is solved, and has the same bits over threads") {
  const Recipe recipe{.steps = 400};
  const Run run{"copy", "convolution", 4};
  const Threads guard;
  set_num_threads(1);
  const Outcome one = *train(run, recipe, kNever);
  CHECK(one.accuracy > 0.97);
  CHECK(one.trained >= kSolved);
  CHECK(one.steps < 400);
  CHECK(one.tokens == one.steps * recipe.batch * 8);
  CHECK(one.peak_bytes > 4 * 4 * one.parameters);  // weights, gradients, Adam's two moments
  CHECK(one.seconds > 0);
  CHECK(one.processor > 0);
  for (const ModelKind& kind : model_kinds()) {
    const Run other{"recall", kind.name, 8, true};
    const Recipe shorter{.steps = 3, .examples = 20};
    set_num_threads(1);
    const Outcome a = *train(other, shorter, kNever);
    set_num_threads(3);
    const Outcome b = *train(other, shorter, kNever);
    CHECK(a.accuracy == b.accuracy);
    CHECK(a.trained == b.trained);
    CHECK(a.accuracy < 0.3);
  }
}

TEST_CASE("compare: a run that is stopped has no outcome, and an unknown one is an error") {
  int calls = 0;
  CHECK_FALSE(train({"sum", "gru", 4}, {}, [&] { return ++calls == 3; }));
  CHECK(calls == 3);
  CHECK(error_of([] { train({"sort", "gru", 4}, {}, kNever); }) == "[compare] there is no 'sort'");
  CHECK(error_of([] {
          train({"sum", "mamba", 4}, {}, kNever);
        }) == "[compare] there is no 'mamba'");
}

Outcome outcome(const Run& run, double accuracy, double seconds) {
  return {.run = run,
          .parameters = 26'000,
          .steps = 100,
          .accuracy = accuracy,
          .trained = 1,
          .seconds = seconds,
          .processor = 3 * seconds * seconds,
          .tokens = 1600 * run.distance,
          .peak_bytes = 1'000'000 * run.distance};
}

TEST_CASE("compare: results are kept in their folder, and not those of another recipe") {
  const Scratch scratch;
  const Recipe recipe{.steps = 100};
  const Run first{"copy", "attention", 16}, few{"copy", "attention", 16, true};
  {
    Results results(scratch.path("out"), recipe);
    CHECK(results.outcomes().empty());
    results.add(outcome(first, 1, 2));
    results.add(outcome(few, 0.25, 2));
  }
  const Results read(scratch.path("out"), recipe);
  REQUIRE(read.outcomes().size() == 2);
  REQUIRE(read.find(few) != nullptr);
  CHECK(read.find(few)->to_json() == outcome(few, 0.25, 2).to_json());
  CHECK(read.find({"copy", "attention", 17}) == nullptr);
  check_error("has results of other settings",
              [&] { Results(scratch.path("out"), Recipe{.steps = 101}); });
  scratch.write("out/results.json", read_file(scratch.path("out/results.json")).substr(0, 100));
  check_error("results.json", [&] { Results(scratch.path("out"), recipe); });
}

TEST_CASE("compare: tables, claims and the page say what was measured") {
  std::vector<Outcome> all;
  for (const int64_t distance : {16, 64}) {
    all.push_back(outcome({"copy", "attention", distance}, 1, distance == 16 ? 1 : 8));
    all.push_back(outcome({"copy", "lstm", distance}, distance == 16 ? 0.995 : 0.125, 2));
  }
  all.push_back(outcome({"copy", "lstm", 16, true}, 0.5, 1));
  CHECK(accuracy_table(all).head == std::vector<std::string>{"task", "model", "16", "64"});
  CHECK(accuracy_table(all).rows ==
        std::vector<std::vector<std::string>>{{"copy", "attention", "100.0", "100.0"},
                                              {"copy", "lstm", "99.5", "12.5"}});
  CHECK(cost_table(all).rows ==
        std::vector<std::vector<std::string>>{{"tokens/s", "attention", "25,600", "12,800"},
                                              {"tokens/s", "lstm", "12,800", "51,200"},
                                              {"MB", "attention", "16.0", "64.0"},
                                              {"MB", "lstm", "16.0", "64.0"}});
  CHECK(few_table(all).rows ==
        std::vector<std::vector<std::string>>{{"copy", "lstm", "16", "100.0", "50.0"}});
  const std::vector<Claim> said = claims(all);
  REQUIRE(said.size() == 4);
  CHECK(said[0].measured.find("copy: attention 64, lstm 16.") != std::string::npos);
  CHECK(said[1].measured.find("attention 25,600 tokens/s at distance 16, 12,800 at 64; lstm 12,800 "
                              "tokens/s at distance 16, 51,200 at 64.") != std::string::npos);
  CHECK(said[2].measured.find(
            "attention takes 64 times the processor time and 4.0 times the memory for 4.0 "
            "times the tokens; lstm takes 1.0 times") != std::string::npos);
  CHECK(said[3].measured.find("copy, lstm 100 → 50 %.") != std::string::npos);
  CHECK(claims({})[0].measured.ends_with("no runs."));

  const std::string page = report_page({}, all);
  CHECK(flaw(page) == "");
  for (const char* text : {"tokens per second", "guessing", "Few sequences", "99.5", "lstm"})
    CHECK(page.find(text) != std::string::npos);
  CHECK(flaw(report_page({}, {})) == "");
}

}  // namespace
}  // namespace tarsier::zoo::compare
