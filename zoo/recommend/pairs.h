#pragma once
// What pairs of items tell: the wide part of the model, next to its deep one.

#include <cstdint>
#include <vector>

#include "../../nn/nn.h"
#include "histories.h"

namespace tarsier::zoo::recommend {

/// What counts of pairs say about the next item, for N histories: item cells[m] mod V for history
/// cells[m] / V.
struct Evidence {
  Tensor cells;   ///< (M) i64: n·V + item, no cell twice
  Tensor values;  ///< (M, kEvidence)
};
constexpr int64_t kEvidence = 4;

/// Remembers which items came together in training, and adds to the score of item j
///   Σ_f weight_f · value_f(history, j),   with   d = how often j directly followed the last item,
///   s = Σ_i 0.8^age(i) · |U_i ∩ U_j| / √(|U_i| · |U_j|)  over the last 8 items i of the history
///   values: [d > 0], ln(1 + d), s, ln(1 + 20·s)
/// where U_i are the users who took i. Of each item the `kept` commonest followers and neighbours
/// are remembered. A table of pairs holds single facts that a few dozen numbers per item cannot;
/// the deep part generalises beyond them.
/// In training, what a user did is taken out of the counts for this user. Otherwise the pair to be
/// predicted would always be in the table, and the weights would trust it too much.
/// Source: Cheng et al. 2016, "Wide & deep learning for recommender systems".
struct PairMemory : nn::Layer<PairMemory> {
  const int64_t items, kept;
  Tensor weight;  ///< (kEvidence), zeros at the start
  Tensor users;   ///< (V) i64: how many users took an item
  // (V, kept, 2) i64: item and count, the greatest count first; −1 where there are no more.
  Tensor followers, neighbours;

  PairMemory(int64_t items, int64_t kept);

  /// Counts the pairs in the training histories. Call it once, before training.
  void count(const std::vector<History>& training);

  /// The evidence after each of `histories`, none of which is empty. `own` has all training items
  /// of the user of each, whose counts are taken out; it is empty for users who did not train.
  Evidence evidence(const std::vector<History>& histories,
                    const std::vector<const History*>& own = {}) const;

  /// scores (N, V) with what the evidence says → (N, V).
  Tensor forward(const Arg& scores, const Evidence& evidence);
};

}  // namespace tarsier::zoo::recommend
