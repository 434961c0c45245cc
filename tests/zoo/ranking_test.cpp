// HR@k and NDCG@k. Numbers named RecBole and implicit are those of RecBole 1.2.1 and implicit
// 0.7.2 for the same lists.
#include "zoo/metrics/ranking.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/error_of.h"

namespace tarsier::zoo {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST_CASE("NDCG is RecBole's: hits of lists with one wanted item, and with five") {
  // The list 0 1 0, at k = 1, 2, 3.
  CHECK(ndcg_at(1, {2}, 1) == 0);
  CHECK(ndcg_at(2, {2}, 1) == doctest::Approx(0.6309).epsilon(1e-4));
  CHECK(ndcg_at(3, {2}, 1) == doctest::Approx(0.6309).epsilon(1e-4));
  // The list 1 0 1, of five wanted items: the best list has min(5, k) hits.
  CHECK(ndcg_at(1, {1, 3}, 5) == 1);
  CHECK(ndcg_at(2, {1, 3}, 5) == doctest::Approx(0.6131).epsilon(1e-4));
  CHECK(ndcg_at(3, {1, 3}, 5) == doctest::Approx(0.7039).epsilon(1e-4));
  CHECK(ndcg_at(10, {}, 3) == 0);
  CHECK(ndcg_at(10, {}, 0) == 0);
}

TEST_CASE("NDCG is implicit's: the mean over users who wanted one and two items") {
  // At 3: user A wanted the item in place 2; user B that in place 1, and one that is not listed.
  CHECK((ndcg_at(3, {2}, 1) + ndcg_at(3, {1}, 2)) / 2 == doctest::Approx(0.622038).epsilon(1e-6));
}

TEST_CASE("a ranking score counts lists with the wanted item among the first") {
  RankingScore score;
  for (const int64_t place : {2, 11, 1, 10}) score.add(place);
  CHECK(score.lists() == 4);
  CHECK(score.hit_rate(1) == 0.25);
  CHECK(score.hit_rate(2) == 0.5);
  CHECK(score.hit_rate(10) == 0.75);
  const double gains = 1 / std::log2(3) + 1 + 1 / std::log2(11);
  CHECK(score.ndcg(10) == doctest::Approx(gains / 4));
  CHECK(std::isnan(RankingScore().hit_rate(10)));
  CHECK(std::isnan(RankingScore().ndcg(10)));
  CHECK(lines_of(score.metrics("")) == "HR@10 0.7500 NDCG@10 0.4800\n");
  CHECK(lines_of(score.metrics("best ")) == "best HR@10 0.7500 NDCG@10 0.4800\n");
}

TEST_CASE("the place of an item is that among falling scores, of equal ones by the lower index") {
  const float scores[] = {1, 3, 2, 3, 2};
  const auto place = [&](int64_t wanted, const std::vector<int32_t>& left_out) {
    return place_in(scores, 5, wanted, left_out);
  };
  CHECK(place(1, {}) == 1);
  CHECK(place(3, {}) == 2);
  CHECK(place(2, {}) == 3);
  CHECK(place(4, {}) == 4);
  CHECK(place(0, {}) == 5);
  // Items that are left out stand nowhere, however often they are named.
  CHECK(place(2, {1}) == 2);
  CHECK(place(2, {1, 3, 1, 1}) == 1);
  CHECK(place(2, {0, 4}) == 3);
  CHECK(place(2, {1, 2}) == kNotListed);
  check_error("[metric] item 5 of 5", [&] { place(5, {}); });
  check_error("[metric] item 7 of 5", [&] { place(0, {7}); });
}

TEST_CASE("a wanted item that is left out is no hit, even of a list with room for all items") {
  const float scores[] = {2, 1};
  RankingScore score;
  score.add(place_in(scores, 2, 1, {1}));
  CHECK(score.hit_rate(10) == 0);
  CHECK(score.ndcg(10) == 0);
  CHECK(score.without_wanted() == 1);
  score.add(10'000);  // a place far down is one
  CHECK(score.without_wanted() == 1);
}

TEST_CASE("an item whose score is not a number is never recommended before others") {
  const float scores[] = {kNan, 1, kNan, -std::numeric_limits<float>::infinity()};
  CHECK(place_in(scores, 4, 1, {}) == 1);
  CHECK(place_in(scores, 4, 3, {}) == 2);
  CHECK(place_in(scores, 4, 0, {}) == 3);
  CHECK(place_in(scores, 4, 2, {}) == 4);
}

}  // namespace
}  // namespace tarsier::zoo
