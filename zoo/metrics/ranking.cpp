#include "zoo/metrics/ranking.h"

#include <algorithm>
#include <cmath>

#include "autograd/base/error.h"

namespace tarsier::zoo {

namespace {

/// Whether `item` stands before one with `score` at index `wanted`.
bool comes_before(const float* scores, int64_t item, float score, int64_t wanted) {
  const float other = scores[item];
  if (std::isnan(score)) return !std::isnan(other) || item < wanted;
  return other > score || (other == score && item < wanted);
}

/// How many of all items do. Without a branch, which the compiler turns into vector code.
int64_t count_before(const float* scores, int64_t items, float score, int64_t wanted) {
  int32_t greater = 0, equal = 0;
  for (int64_t item = 0; item < items; ++item) greater += scores[item] > score ? 1 : 0;
  for (int64_t item = 0; item < wanted; ++item) equal += scores[item] == score ? 1 : 0;
  return greater + equal;
}

}  // namespace

int64_t place_in(const float* scores, int64_t items, int64_t wanted,
                 const std::vector<int32_t>& left_out) {
  check(wanted >= 0 && wanted < items, "metric", "item ", wanted, " of ", items, " with a score");
  const float score = scores[wanted];
  int64_t place = 1;
  if (std::isnan(score))
    for (int64_t item = 0; item < items; ++item)
      place += comes_before(scores, item, score, wanted) ? 1 : 0;
  else
    place += count_before(scores, items, score, wanted);
  std::vector<int32_t> once = left_out;
  std::sort(once.begin(), once.end());
  once.erase(std::unique(once.begin(), once.end()), once.end());
  for (const int32_t item : once) {
    check(item >= 0 && item < items, "metric", "item ", item, " of ", items, " with a score");
    if (item == wanted) return kNotListed;
    place -= comes_before(scores, item, score, wanted) ? 1 : 0;
  }
  return place;
}

double ndcg_at(int64_t k, const std::vector<int64_t>& places, int64_t wanted) {
  const auto gain = [](int64_t place) { return 1 / std::log2(1 + static_cast<double>(place)); };
  double found = 0, best = 0;
  for (const int64_t place : places) found += place <= k ? gain(place) : 0;
  for (int64_t place = 1; place <= std::min(wanted, k); ++place) best += gain(place);
  return best > 0 ? found / best : 0;
}

int64_t RankingScore::without_wanted() const {
  return std::count(places_.begin(), places_.end(), kNotListed);
}

double RankingScore::hit_rate(int64_t k) const {
  const auto hits =
      std::count_if(places_.begin(), places_.end(), [&](int64_t place) { return place <= k; });
  return static_cast<double>(hits) / static_cast<double>(places_.size());
}

double RankingScore::ndcg(int64_t k) const {
  double sum = 0;
  for (const int64_t place : places_) sum += ndcg_at(k, {place}, 1);
  return sum / static_cast<double>(places_.size());
}

Metrics RankingScore::metrics(const std::string& prefix) const {
  Metric hit_rate{.name = prefix + "HR@10", .value = this->hit_rate(10), .higher_is_better = true},
      ndcg{.name = "NDCG@10", .value = this->ndcg(10), .higher_is_better = true};
  ndcg.same_line = true;
  return {hit_rate, ndcg};
}

}  // namespace tarsier::zoo
