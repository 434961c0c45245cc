// SASRec, what pairs of items tell it, and counting without a network.
#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "autograd/check/gradcheck.h"
#include "nn/init.h"
#include "optim/optim.h"
#include "tests/data.h"
#include "tests/error_of.h"
#include "zoo/data/interactions.h"
#include "zoo/recommend/counts.h"
#include "zoo/recommend/lists.h"
#include "zoo/recommend/model.h"

namespace tarsier::zoo::recommend {
namespace {

using Cells = std::vector<int64_t>;

Config tiny_config(int64_t pairs) {
  return {.items = 7,
          .max_length = 5,
          .width = 4,
          .layers = 2,
          .heads = 2,
          .mlp_width = 5,
          .dropout = 0,
          .pairs = pairs};
}

const std::vector<History> kHistories = {{0, 1, 2, 3}, {1, 2, 4}, {6, 5, 4, 0, 1}, {3, 2}};

/// A batch of all of kHistories.
Batch all_windows(SasRec& model) {
  const Windows windows(kHistories, model.config.max_length);
  Batch batch = windows.batch({0, 1, 2, 3});
  if (!model.pairs) return batch;
  std::vector<History> seen;
  std::vector<const History*> own;
  for (int64_t i = 0; i < windows.size(); ++i)
    for (int64_t t = 1; t < std::ssize(windows[i]); ++t) {
      seen.emplace_back(windows[i].begin(), windows[i].begin() + t);
      own.push_back(&windows.whole(i));
    }
  const Evidence evidence = model.pairs->evidence(seen, own);
  batch.tensors.add("cells", evidence.cells);
  batch.tensors.add("evidence", evidence.values);
  return batch;
}

Tensor loss_of(SasRec& model, const Batch& batch) {
  Evidence evidence;
  if (model.pairs) evidence = {batch["cells"], batch["evidence"]};
  return cross_entropy(model(batch["index"], batch["places"], evidence), batch["targets"]);
}

TEST_CASE("the gradient of every weight of a whole SASRec is right, with padding and pairs") {
  for (const int64_t pairs : {0, 3}) {
    CAPTURE(pairs);
    Generator generator(3);
    SasRec model(tiny_config(pairs), generator);
    if (pairs > 0) model.pairs->count(kHistories);
    model.to(f64);
    for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.6, generator);
    const Batch batch = all_windows(model);
    CHECK_NOTHROW(gradcheck([&](const std::vector<Tensor>&) { return loss_of(model, batch); },
                            model.parameters()));
  }
}

TEST_CASE("a SASRec memorises one batch") {
  for (const int64_t pairs : {0, 3}) {
    CAPTURE(pairs);
    Config config = tiny_config(pairs);
    config.width = 16;
    config.mlp_width = 32;
    Generator generator(6);
    SasRec model(config, generator);
    if (pairs > 0) model.pairs->count(kHistories);
    optim::AdamW optimizer(model.named_parameters(), {.lr = 1e-2, .weight_decay = 0});
    // Each target follows from the items before it: no two histories begin alike.
    const Batch batch = all_windows(model);
    double loss = 0;
    for (int step = 0; step < 150; ++step) {
      optimizer.zero_grad();
      const Tensor y = loss_of(model, batch);
      y.backward();
      optimizer.step();
      loss = y.item();
    }
    CHECK(loss < 0.02);
  }
}

TEST_CASE("a SASRec sees no later items, and no padding; but it sees the order") {
  Generator generator(4);
  SasRec model(tiny_config(0), generator);
  for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.6, generator);
  model.to(f64);
  model.eval();
  const NoGrad no_grad;
  const auto scores = [&](const Cells& index, int64_t rows, int64_t place) {
    return model(from_vector(index, {rows, std::ssize(index) / rows}),
                 from_vector<int64_t>({place}, {1}));
  };
  const Tensor alone = scores({3, 1, 2}, 1, 2);
  CHECK(alone.shape() == Shape{1, 7});
  CHECK(allclose(scores({3, 1, 2, 6, 5}, 1, 2), alone, 1e-12));
  CHECK(allclose(scores({4, 4, 4, 4, 3, 1, 2, 0}, 2, 6), alone, 1e-12));
  CHECK_FALSE(allclose(scores({1, 3, 2}, 1, 2), alone, 1e-3));
  // Attention to each item sums to 1, and there is none to later ones.
  const Tensor seen = model.attention(from_vector<int64_t>({3, 1, 2}, {1, 3}));
  CHECK(allclose(sum(seen, -1), ones({1, 3}, f64), 1e-12));
  CHECK(select(select(select(seen, 0, 0), 0, 0), 0, 1).item() == 0);
}

TEST_CASE("a SASRec refuses sizes that do not fit, and names them") {
  check_error("heads=3 does not divide width=16", [] { SasRec({.width = 16, .heads = 3}); });
  SasRec model(tiny_config(0));
  check_error("(B, T) with T up to max_length 5", [&] {
    model(zeros({1, 6}, i64), zeros({1}, i64));
  });
}

// ------------------------------------------------------------------------------------------ pairs

TEST_CASE("pairs: the evidence is what the formula says, without the user's own counts") {
  PairMemory memory(7, 4);
  memory.count(kHistories);
  CHECK(memory.users.to_vector<int64_t>() == Cells{2, 3, 3, 2, 2, 1, 1});
  // 1 was followed by 2 twice; with 1 were 0 (twice), 2 (twice), 3, 4 (twice), 5 and 6.
  const auto row = [](const Tensor& table, int64_t item) {
    return select(table, 0, item).to_vector<int64_t>();
  };
  CHECK(row(memory.followers, 1) == Cells{2, 2, -1, -1, -1, -1, -1, -1});
  CHECK(row(memory.neighbours, 1) == Cells{0, 2, 2, 2, 4, 2, 3, 1});

  const Evidence evidence = memory.evidence({{3, 1}});
  CHECK(evidence.cells.to_vector<int64_t>() == Cells{0, 1, 2, 3, 4});
  // Item 2: d = 2; s from 1 (age 0): 2/√(3·3), and from 3 (age 1): 2/√(2·3), times 0.8.
  const double s = 2 / 3.0 + 0.8 * 2 / std::sqrt(6.0);
  const std::vector<double> values = evidence.values.to_vector();
  CHECK(values[8] == 1);
  CHECK(values[9] == doctest::Approx(std::log(3.0)));
  CHECK(values[10] == doctest::Approx(s));
  CHECK(values[11] == doctest::Approx(std::log(1 + 20 * s)));

  // For the user of the first history: 2 follows 1 once more, and 2 and 3 have another user each.
  const Evidence others = memory.evidence({{3, 1}}, {&kHistories[0]});
  const Cells cells = others.cells.to_vector<int64_t>();
  const auto at = std::find(cells.begin(), cells.end(), 2) - cells.begin();
  REQUIRE(at < std::ssize(cells));
  const std::vector<double> rest = others.values.to_vector();
  CHECK(rest[static_cast<size_t>(4 * at + 1)] == doctest::Approx(std::log(2.0)));
  CHECK(rest[static_cast<size_t>(4 * at + 2)] ==
        doctest::Approx(1 / std::sqrt(2.0 * 2) + 0.8 / std::sqrt(1.0 * 2)));
  // A pair that only this user had is no evidence.
  CHECK(memory.evidence({{6}}, {&kHistories[2]}).cells.numel() == 0);
  CHECK(memory.evidence({{6}}).cells.numel() == 4);
}

TEST_CASE("pairs: the evidence is added to the scores with its weights") {
  PairMemory memory(4, 2);
  memory.count({{0, 1}, {0, 1}, {0, 2}});
  copy_(memory.weight.detach(), tensor({1, 10, 100, 1000}));
  const NoGrad no_grad;
  const Evidence evidence = memory.evidence({{3}, {0}});
  const Tensor scores = arange(0, 8, 1, f32);
  const std::vector<double> sums = memory(reshape(scores, {2, 4}), evidence).to_vector();
  for (size_t i : {0, 1, 2, 3, 4, 7}) CHECK(sums[i] == doctest::Approx(static_cast<double>(i)));
  const double s = 2 / std::sqrt(6.0);
  CHECK(sums[5] ==
        doctest::Approx(5 + 1 + 10 * std::log(3.0) + 100 * s + 1000 * std::log(1 + 20 * s)));
}

// --------------------------------------------------------------------------------------- counting

TEST_CASE("leave one out: the last item tests, the one before validates; short histories train") {
  const Split split({{1, 2, 3, 4}, {5, 6}, {7, 8, 9}});
  CHECK(split.train == std::vector<History>{{1, 2}, {5, 6}, {7}});
  REQUIRE(split.test.size() == 2);  // the shortest first
  CHECK(split.validation[0].seen == History{7});
  CHECK(split.validation[0].next == 8);
  CHECK(split.test[0].seen == History{7, 8});
  CHECK(split.test[0].next == 9);
  CHECK(split.test[1].seen == History{1, 2, 3});
}

TEST_CASE("windows: every item but a history's first is a target once") {
  const Windows windows({{1}, {2, 3}, {0, 1, 2, 3, 4, 5, 6, 7}}, 3);
  CHECK(windows.targets() == 8);
  CHECK(windows.size() == 4);
  std::multiset<double> targets;
  for (int64_t i = 0; i < windows.size(); ++i) {
    const Batch one = windows.batch({i});
    CHECK(one["index"].size(1) <= 3);
    CHECK(one.items == one["targets"].numel());
    for (const double target : one["targets"].to_vector()) targets.insert(target);
  }
  CHECK(targets == std::multiset<double>{1, 2, 3, 3, 4, 5, 6, 7});
  const Batch two = windows.batch({1, 0});
  CHECK(two["index"].to_vector<int64_t>() == Cells{4, 5, 6, 2, 0, 0});
  CHECK(two["places"].to_vector<int64_t>() == Cells{0, 1, 2, 3});
  CHECK(two["targets"].to_vector<int64_t>() == Cells{5, 6, 7, 3});
  CHECK(windows.batch({1}, 2)["targets"].to_vector<int64_t>() == Cells{5, 6});
}

TEST_CASE("counting: popularity, neighbours and followers of a small example") {
  const Counter counter({{0, 1, 2}, {1, 2}, {2, 0}}, 4);
  CHECK(counter.by_popularity({}) == std::vector<float>{2, 2, 3, 0});
  CHECK(counter.by_followers({0, 1}) == std::vector<float>{0, 0, 2, 0});
  const std::vector<float> s = counter.by_neighbours({0, 1});
  CHECK(s[0] == doctest::Approx(1 / 2.0));
  CHECK(s[1] == doctest::Approx(0.8 / 2));
  CHECK(s[2] == doctest::Approx(2 / std::sqrt(6.0) + 0.8 * 2 / std::sqrt(6.0)));
  CHECK(s[3] == 0);
}

TEST_CASE("counting ranks the Beauty data as a program of its own in Python does") {
  const std::string name = "recommendation/beauty.txt";
  if (!have_data(name)) return;
  const Interactions data = read_interactions(data_file(name).string());
  const Split split(data.histories);
  CHECK(split.test.size() == 22'363);
  std::vector<Question> some;  // all of them take seconds
  for (size_t i = 0; i < split.test.size(); i += 20) some.push_back(split.test[i]);
  const std::vector<Baseline> all = baselines(Counter(split.train, data.size()), some);
  const double hits[] = {14, 77, 75}, ndcg[] = {0.005445, 0.041433, 0.047649};
  for (size_t i = 0; i < 3; ++i) {
    CAPTURE(all[i].name);
    CHECK(all[i].score.hit_rate(10) == doctest::Approx(hits[i] / 1119));
    CHECK(std::abs(all[i].score.ndcg(10) - ndcg[i]) < 1e-6);
  }
}

TEST_CASE("recommendations are the likeliest items that the user did not have") {
  Generator generator(5);
  SasRec model(tiny_config(0), generator);
  for (const Tensor& parameter : model.parameters()) nn::normal_(parameter, 0, 0.6, generator);
  model.eval();
  const std::vector<Recommendation> list = recommended(model, {2, 6, 2}, 10);
  REQUIRE(list.size() == 5);
  double sum = 0;
  std::set<int32_t> items;
  for (size_t i = 0; i < list.size(); ++i) {
    sum += list[i].probability;
    items.insert(list[i].item);
    if (i > 0) CHECK(list[i].probability <= list[i - 1].probability);
    CHECK(place_of_next(model, {{2, 6, 2}, list[i].item}) == static_cast<int64_t>(i) + 1);
  }
  CHECK(items == std::set<int32_t>{0, 1, 3, 4, 5});
  CHECK(sum == doctest::Approx(1));
  CHECK(recommended(model, {2, 6, 2}, 2).size() == 2);
  // A long history: attention reads its end, and the whole is left out.
  const std::vector<Recommendation> rest = recommended(model, {0, 1, 2, 3, 4, 5}, 10);
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].item == 6);
  CHECK(rest[0].probability == doctest::Approx(1));
  check_error("[predict] no items", [&] { recommended(model, {}, 10); });
}

}  // namespace
}  // namespace tarsier::zoo::recommend
