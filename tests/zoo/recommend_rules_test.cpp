// Rules of recommend that only show where several users, equal scores or long names meet.
#include <doctest/doctest.h>

#include <cmath>
#include <memory>

#include "nn/init.h"
#include "tests/error_of.h"
#include "zoo/recommend/catalogue.h"
#include "zoo/recommend/counts.h"
#include "zoo/recommend/lists.h"
#include "zoo/recommend/model.h"

namespace tarsier::zoo::recommend {
namespace {

using Cells = std::vector<int64_t>;

/// A model of seven items with large weights, in eval().
std::unique_ptr<SasRec> seven_items(const Config& more = {}) {
  Config config = more;
  config.items = 7, config.max_length = 3, config.width = 4, config.mlp_width = 5;
  config.pairs = 0;
  Generator generator(4);
  auto model = std::make_unique<SasRec>(config, generator);
  for (const Tensor& parameter : model->parameters()) nn::normal_(parameter, 0, 0.6, generator);
  model->eval();
  return model;
}

TEST_CASE("counting: who takes an item twice is one user of it") {
  const Counter counter({{0, 1, 0}, {1}}, 2);
  CHECK(counter.by_popularity({}) == std::vector<float>{1, 2});
  CHECK(counter.by_neighbours({0})[1] == doctest::Approx(1 / std::sqrt(2.0)));
  CHECK(counter.neighbours[0].size() == 1);
}

TEST_CASE("pairs: what one history leaves out of the counts, the next one has again") {
  const std::vector<History> histories = {{0, 1, 2}, {0, 1, 2}, {0, 1}};
  PairMemory memory(3, 3);
  memory.count(histories);
  const Evidence alone = memory.evidence({{0}}, {&histories[2]}),
                 after = memory.evidence({{1}, {0}}, {&histories[0], &histories[2]});
  const int64_t n = alone.cells.numel(), all = after.cells.numel();
  REQUIRE(all > n);
  CHECK(slice(after.values, 0, all - n, all).to_vector() == alone.values.to_vector());
}

TEST_CASE("the last items of several histories stand at the place of the last one of each") {
  const Batch batch = last_items({{1, 2, 3}, {4}, {5, 6}}, 2);
  CHECK(batch["index"].to_vector<int64_t>() == Cells{2, 3, 4, 0, 5, 6});
  CHECK(batch["places"].to_vector<int64_t>() == Cells{1, 2, 5});
}

TEST_CASE("several questions are judged as each of them alone") {
  const auto made = seven_items();
  SasRec& model = *made;
  const std::vector<Question> questions = {{{1, 2, 3}, 4}, {{5}, 6}, {{0, 2, 4, 6}, 1}};
  const Judgement all = judge(model, questions);
  double loss = 0, ndcg = 0;
  for (const Question& question : questions) {
    const Judgement one = judge(model, {question});
    loss += one.loss;
    ndcg += one.score.ndcg(10);
    CHECK(one.score.ndcg(10) ==
          doctest::Approx(1 / std::log2(1 + static_cast<double>(place_of_next(model, question)))));
  }
  CHECK(all.loss == doctest::Approx(loss));
  CHECK(all.score.ndcg(10) == doctest::Approx(ndcg / 3));
}

TEST_CASE("of items with equal scores the lower number is recommended first") {
  const auto made = seven_items();
  SasRec& model = *made;
  nn::zeros_(model.embedding.weight);
  const std::vector<Recommendation> list = recommended(model, {2}, 4);
  Cells items;
  for (const Recommendation& one : list) items.push_back(one.item);
  CHECK(items == Cells{0, 1, 3, 4});
}

TEST_CASE("a SASRec scales embeddings where they are read, not where they score") {
  // The same numbers reach the encoder if the matrix is twice and the scale half as large.
  const auto made = seven_items({.embedding_scale = 4}),
             other = seven_items({.embedding_scale = 2});
  SasRec &a = *made, &b = *other;
  const NoGrad no_grad;
  copy_(b.embedding.weight, a.embedding.weight * 2);
  const Tensor index = from_vector<int64_t>({3, 1, 2}, {1, 3}),
               last = from_vector<int64_t>({2}, {1});
  CHECK(allclose(b(index, last), a(index, last) * 2, 1e-4, 1e-4));
}

TEST_CASE("embeddings and positions of a new SASRec have the deviation of its config") {
  Generator generator(1);
  const SasRec model({.items = 200, .embedding_deviation = 0.05}, generator);
  for (const Tensor& table : {model.embedding.weight, model.positions.weight})
    CHECK(std::abs(std::sqrt(mean(square(table)).item()) - 0.05) < 0.005);
}

TEST_CASE("a name without the year is the whole title, even if others begin so") {
  const Catalogue catalogue(
      {.items = {"1", "2", "3", "4"},
       .titles = {"Heat (1995)", "Heatwave (2022)", "Heat of Noon", "4 Rooms"},
       .histories = {}});
  CHECK(catalogue.find("heat") == 0);
  CHECK(catalogue.find("HEAT (1995)") == 0);
  CHECK(catalogue.find("heatw") == 1);
  CHECK(catalogue.find("4") == 3);  // the item, before the beginning of a title
  CHECK(catalogue.find("3") == 2);
  check_error("several begin so, such as 'Heat (1995)', 'Heatwave (2022)' and 'Heat of Noon'",
              [&] { catalogue.find("hea"); });
}

}  // namespace
}  // namespace tarsier::zoo::recommend
