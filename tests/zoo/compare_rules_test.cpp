// `tarsier compare`: chance, where the answers lie, and when a run gives up.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "autograd/autograd.h"
#include "zoo/compare/compare.h"

namespace tarsier::zoo::compare {
namespace {

const SyntheticTask& task(const std::string& name) {
  return *std::ranges::find(synthetic_tasks(), name, &SyntheticTask::name);
}

TEST_CASE("compare: chance is the share of the commonest answer") {
  for (const SyntheticTask& one : synthetic_tasks()) {
    CAPTURE(one.name);
    std::map<int64_t, double> count;
    const std::vector<int64_t> answers =
        one.make(4000 / one.questions, 8, {3, 1}).answers.to_vector<int64_t>();
    for (const int64_t answer : answers) ++count[answer];
    double most = 0;
    for (const auto& [answer, times] : count) most = std::max(most, times);
    CHECK(std::abs(most / static_cast<double>(answers.size()) - one.chance) < 0.03);
  }
}

TEST_CASE("compare: digits of a sum lie at every place of the distance, equally often") {
  constexpr int64_t kDistance = 10, kSequences = 1000;
  const Batch batch = task("sum").make(kSequences, kDistance, {4, 1});
  const std::vector<double> filled = sum(to(batch.tokens > 1, f64), 0).to_vector();
  for (int64_t place = 0; place < kDistance; ++place)
    CHECK(std::abs(filled[static_cast<size_t>(place)] / kSequences - 0.4) < 0.06);
}

TEST_CASE("compare: every pair is asked for first equally often, and sequences differ") {
  constexpr int64_t kSequences = 800, kDistance = 8;
  const std::vector<int64_t> tokens =
      task("recall").make(kSequences, kDistance, {5, 1}).tokens.to_vector<int64_t>();
  constexpr int64_t kKey = 6, kPair = 10, kLength = kDistance + 4;
  std::vector<double> first(4);
  std::set<std::vector<int64_t>> different;
  for (int64_t b = 0; b < kSequences; ++b) {
    const auto row = tokens.begin() + b * kLength;
    different.insert({row, row + kLength});
    for (int64_t i = 0; i < 4; ++i)
      if ((row[i] - kPair) / 4 == row[kDistance] - kKey) ++first[static_cast<size_t>(i)];
  }
  for (const double count : first) CHECK(std::abs(count / kSequences - 0.25) < 0.06);
  CHECK(different.size() > kSequences * 9 / 10);
}

TEST_CASE("compare: a sequence tells nothing of the next one") {
  constexpr int64_t kSequences = 1000;
  const std::vector<int64_t> answers =
      task("copy").make(kSequences, 6, {6, 1}).answers.to_vector<int64_t>();
  for (size_t shift = 1; shift < 4; ++shift) {
    double same = 0;
    for (size_t b = 0; b + 1 < kSequences; ++b)
      same += answers[4 * b + shift] == answers[4 * (b + 1)] ? 1 : 0;
    CHECK(std::abs(same / kSequences - 0.25) < 0.06);
  }
}

TEST_CASE("compare: the forget gates of an LSTM begin open, and no other gate") {
  constexpr int64_t C = 8, H = 2 * C;
  const auto kind = std::ranges::find(model_kinds(), "lstm", &ModelKind::name);
  const auto model = kind->make(C);
  for (const auto& [name, parameter] : model->named_parameters()) {
    if (!name.ends_with("bias_ih_l0")) continue;
    const std::vector<double> bias = parameter.to_vector();
    for (int64_t i = 0; i < 4 * H; ++i)
      CHECK((bias[static_cast<size_t>(i)] == 1) == (i >= H && i < 2 * H));
  }
}

TEST_CASE("compare: a run on few sequences takes all of them in turn") {
  const auto trained_on = [](int64_t examples) {
    return *train({"sum", "convolution", 6, true},
                  {.channels = 8, .batch = 16, .steps = 12, .examples = examples},
                  [] { return false; });
  };
  const Outcome one_batch = trained_on(16), two = trained_on(32);
  CHECK((one_batch.trained != two.trained || one_batch.accuracy != two.accuracy));
}

TEST_CASE("compare: what is tested are new sequences, for a run on few ones as well") {
  // A model that does not learn is as often right on the same 256 sequences, whenever it sees them.
  const auto same = [](bool few, const Recipe& recipe) {
    const Outcome outcome = *train({"recall", "convolution", 6, few}, recipe, [] { return false; });
    CHECK(outcome.trained > 0.1);
    return outcome.trained == outcome.accuracy;
  };
  CHECK_FALSE(same(true, {.channels = 8, .batch = 16, .steps = 16, .examples = 256, .lr = 0}));
  CHECK_FALSE(same(false, {.channels = 8, .batch = 256, .steps = 1, .lr = 0}));
}

TEST_CASE("compare: a run that only guesses ends soon; memory of others is not its own") {
  const Tensor other = zeros({4'000'000});
  const Outcome outcome =
      *train({"recall", "convolution", 6}, {.channels = 8, .batch = 2, .steps = 300, .lr = 0},
             [] { return false; });
  CHECK(outcome.steps >= kPatience);
  CHECK(outcome.steps < 300);
  CHECK(outcome.peak_bytes > 0);
  CHECK(outcome.peak_bytes < other.numel() * 4);
}

}  // namespace
}  // namespace tarsier::zoo::compare
