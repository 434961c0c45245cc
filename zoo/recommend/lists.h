#pragma once
// Lists of recommendations, and how good they are.

#include <cstdint>
#include <string>
#include <vector>

#include "../metrics/metric.h"
#include "../metrics/ranking.h"
#include "histories.h"
#include "model.h"

namespace tarsier::zoo::recommend {

struct Recommendation {
  int32_t item;
  double probability;  ///< to come next, among the items that are not in the history
};

/// Up to `count` items that may follow `seen`, the likeliest first, of equal ones the lower; none
/// that is in it. Under NoGrad, in eval(). Throws Error("predict") for an empty history.
std::vector<Recommendation> recommended(SasRec& model, const History& seen, int64_t count);

/// The place of question.next among them, from 1.
int64_t place_of_next(SasRec& model, const Question& question);

/// How well a model answers questions.
struct Judgement {
  RankingScore score;
  double loss = 0;  ///< the sum of the cross-entropies over all items

  /// HR@10 and NDCG@10, in one line, which also says how many users took an item again: that is no
  /// hit. And the mean cross-entropy under the name `loss_name`.
  Metrics metrics(const std::string& loss_name) const;
};
/// Ranks all items that are not in the history of each question. Under NoGrad.
Judgement judge(SasRec& model, const std::vector<Question>& questions);

}  // namespace tarsier::zoo::recommend
