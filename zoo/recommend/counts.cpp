#include "zoo/recommend/counts.h"

#include <algorithm>
#include <cmath>

namespace tarsier::zoo::recommend {

namespace {

using Lists = std::vector<std::vector<int32_t>>;

/// How often each item stands in each list, by rising item. The lists are emptied.
std::vector<std::vector<Count>> counted(Lists& lists) {
  std::vector<std::vector<Count>> all;
  for (std::vector<int32_t>& list : lists) {
    std::sort(list.begin(), list.end());
    std::vector<Count>& counts = all.emplace_back();
    for (const int32_t item : list) {
      if (counts.empty() || counts.back().item != item) counts.push_back({item, 0});
      ++counts.back().times;
    }
    list = {};
  }
  return all;
}

}  // namespace

Counter::Counter(const std::vector<History>& training, int64_t items)
    : users(static_cast<size_t>(items)) {
  Lists after(users.size()), together(users.size());
  for (const History& history : training) {
    for (size_t t = 1; t < history.size(); ++t)
      after[static_cast<size_t>(history[t - 1])].push_back(history[t]);
    History once = history;
    std::sort(once.begin(), once.end());
    once.erase(std::unique(once.begin(), once.end()), once.end());
    for (const int32_t item : once) {
      ++users[static_cast<size_t>(item)];
      for (const int32_t other : once)
        if (other != item) together[static_cast<size_t>(item)].push_back(other);
    }
  }
  followers = counted(after);
  neighbours = counted(together);
}

std::vector<float> Counter::by_popularity(const History&) const {
  return {users.begin(), users.end()};
}

std::vector<float> Counter::by_neighbours(const History& seen) const {
  std::vector<float> scores(users.size());
  double factor = 1;
  for (auto item = seen.rbegin(); item != seen.rend(); ++item, factor *= kDecay) {
    const auto i = static_cast<size_t>(*item);
    for (const auto& [other, times] : neighbours[i]) {
      const auto j = static_cast<size_t>(other);
      scores[j] += static_cast<float>(factor * static_cast<double>(times) /
                                      std::sqrt(static_cast<double>(users[i] * users[j])));
    }
  }
  return scores;
}

std::vector<float> Counter::by_followers(const History& seen) const {
  std::vector<float> scores(users.size());
  if (seen.empty()) return scores;
  for (const auto& [item, times] : followers[static_cast<size_t>(seen.back())])
    scores[static_cast<size_t>(item)] = static_cast<float>(times);
  return scores;
}

std::vector<Baseline> baselines(const Counter& counter, const std::vector<Question>& questions) {
  std::vector<Baseline> all = {{"popularity", {}}, {"item-kNN", {}}, {"Markov chain", {}}};
  for (const Question& question : questions) {
    const History& seen = question.seen;
    const std::vector<float> scores[] = {counter.by_popularity(seen), counter.by_neighbours(seen),
                                         counter.by_followers(seen)};
    for (size_t i = 0; i < all.size(); ++i)
      all[i].score.add(place_in(scores[i].data(), std::ssize(scores[i]), question.next, seen));
  }
  return all;
}

}  // namespace tarsier::zoo::recommend
