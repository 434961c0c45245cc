#pragma once
// How well lists of recommendations rank what was wanted.

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "metric.h"

namespace tarsier::zoo {

/// The place of an item that is not listed: beyond any list, however few items there are.
inline constexpr int64_t kNotListed = std::numeric_limits<int64_t>::max();

/// The place of item `wanted` among all items by falling score, from 1; `left_out` are not listed.
/// Of equal scores the lower index comes first. A wanted item that is left out has the place
/// kNotListed. NaN comes last. Throws Error("metric") for an index outside the scores.
int64_t place_in(const float* scores, int64_t items, int64_t wanted,
                 const std::vector<int32_t>& left_out);

/// The normalised discounted cumulative gain of the first `k` places of a list:
///   DCG = Σ 1/log₂(1 + place) over the wanted items up to place k,
/// divided by that of the best list, in which the first min(wanted, k) places are hits. `places`
/// are those of the wanted items that are listed, from 1.
/// Source: Järvelin and Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques".
double ndcg_at(int64_t k, const std::vector<int64_t>& places, int64_t wanted);

/// HR@k and NDCG@k of lists with one wanted item each (leave one out).
class RankingScore {
 public:
  /// Counts a list in which the wanted item stands at `place`, from 1.
  void add(int64_t place) { places_.push_back(place); }

  int64_t lists() const { return static_cast<int64_t>(places_.size()); }
  /// How many of them do not have the wanted item at all, and so cannot be hits.
  int64_t without_wanted() const;
  /// The share of lists with the wanted item among the first k. NaN without lists.
  double hit_rate(int64_t k) const;
  /// The mean of ndcg_at(). NaN without lists.
  double ndcg(int64_t k) const;
  /// HR@10 and NDCG@10 for one line, which begins with `prefix`.
  Metrics metrics(const std::string& prefix) const;

 private:
  std::vector<int64_t> places_;
};

}  // namespace tarsier::zoo
