#pragma once
// Recommendations by counting, without a network: what a model must beat to be worth its training.

#include <cstdint>
#include <string>
#include <vector>

#include "../metrics/ranking.h"
#include "histories.h"

namespace tarsier::zoo::recommend {

/// How often an item was counted.
struct Count {
  int32_t item;
  int64_t times;
};

/// How much less an earlier item of a history counts than the one after it.
constexpr double kDecay = 0.8;

/// What can be counted in training histories over V items, and how it ranks items. Memory grows
/// with the number of pairs of items that one user took.
struct Counter {
  std::vector<int64_t> users;                 ///< how many users took each item
  std::vector<std::vector<Count>> followers;  ///< by item: what came directly after it
  /// By item: what the same users took, and how many of them.
  std::vector<std::vector<Count>> neighbours;

  Counter(const std::vector<History>& training, int64_t items);

  /// The number of users: the same for every history.
  std::vector<float> by_popularity(const History&) const;
  /// Item-kNN: s_j = Σ_i kDecay^age(i) · |U_i ∩ U_j| / √(|U_i| · |U_j|) over the items i of the
  /// history, of which the last has age 0; U_i are the users who took i. An item is not its own
  /// neighbour.
  /// Source: Sarwar et al. 2001, "Item-based collaborative filtering recommendation algorithms".
  std::vector<float> by_neighbours(const History& seen) const;
  /// A Markov chain: how often j directly followed the last item.
  /// Source: Rendle et al. 2010, "Factorizing personalized Markov chains" (its MC).
  std::vector<float> by_followers(const History& seen) const;
};

/// How well one way to recommend ranks.
struct Baseline {
  std::string name;  ///< "popularity"
  RankingScore score;
};

/// Popularity, item-kNN and Markov chain, by `counter`, on `questions`.
std::vector<Baseline> baselines(const Counter& counter, const std::vector<Question>& questions);

}  // namespace tarsier::zoo::recommend
