#include "zoo/recommend/pairs.h"

#include <algorithm>
#include <cmath>

#include "zoo/recommend/counts.h"

namespace tarsier::zoo::recommend {

namespace {

/// How far back items count as evidence.
constexpr int64_t kReach = 8;

/// Writes the commonest of `counts` to row `item` of `table`, the commonest first; of equal ones
/// the lower item.
void keep_commonest(std::vector<Count> counts, int64_t item, const Tensor& table) {
  std::stable_sort(counts.begin(), counts.end(),
                   [](const Count& a, const Count& b) { return a.times > b.times; });
  const int64_t kept = table.size(1);
  counts.resize(static_cast<size_t>(std::min<int64_t>(kept, std::ssize(counts))));
  int64_t* to = table.data<int64_t>() + item * kept * 2;
  for (const auto& [other, times] : counts) {
    *to++ = other;
    *to++ = times;
  }
}

/// Collects the evidence of one history after the other.
class Collector {
 public:
  explicit Collector(const PairMemory& memory)
      : memory_(memory),
        direct_(static_cast<size_t>(memory.items)),
        shared_(direct_.size()),
        owned_(direct_.size()) {}

  void add(const History& seen, const History* own) {
    if (own != nullptr) mark(*own, 1);
    const int32_t last = seen.back();
    each(memory_.followers, last, [&](int64_t item, int64_t count) {
      if (owned(item)) count -= times_followed(*own, last, static_cast<int32_t>(item));
      touch(item);
      direct_[static_cast<size_t>(item)] += static_cast<double>(count);
    });
    double factor = 1;
    for (int64_t age = 0; age < std::min<int64_t>(kReach, std::ssize(seen));
         ++age, factor *= kDecay) {
      const int64_t from = seen[seen.size() - 1 - static_cast<size_t>(age)];
      each(memory_.neighbours, from, [&](int64_t item, int64_t count) {
        if (owned(item)) --count;
        if (count <= 0) return;
        touch(item);
        shared_[static_cast<size_t>(item)] +=
            factor * static_cast<double>(count) /
            std::sqrt(static_cast<double>(others(from) * others(item)));
      });
    }
    write();
    if (own != nullptr) mark(*own, 0);
    ++row_;
  }

  Evidence evidence() const {
    const auto count = std::ssize(cells_);
    return {from_vector(cells_, {count}), from_vector(values_, {count, kEvidence})};
  }

 private:
  /// Calls f(item, count) for the entries of a row.
  template <class F>
  void each(const Tensor& table, int64_t item, const F& f) const {
    const int64_t* entry = table.data<int64_t>() + item * memory_.kept * 2;
    for (int64_t k = 0; k < memory_.kept && entry[0] >= 0; ++k, entry += 2) f(entry[0], entry[1]);
  }
  bool owned(int64_t item) const { return owned_[static_cast<size_t>(item)] != 0; }
  /// The number of users who took `item`, without the owner.
  int64_t others(int64_t item) const {
    return memory_.users.data<int64_t>()[item] - (owned(item) ? 1 : 0);
  }
  void mark(const History& own, char value) {
    for (const int32_t item : own) owned_[static_cast<size_t>(item)] = value;
  }
  static int64_t times_followed(const History& own, int32_t first, int32_t second) {
    int64_t times = 0;
    for (size_t t = 1; t < own.size(); ++t) times += own[t - 1] == first && own[t] == second;
    return times;
  }
  void touch(int64_t item) {
    if (direct_[static_cast<size_t>(item)] == 0 && shared_[static_cast<size_t>(item)] == 0)
      touched_.push_back(item);
  }
  void write() {
    std::sort(touched_.begin(), touched_.end());
    touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
    for (const int64_t item : touched_) {
      double &d = direct_[static_cast<size_t>(item)], &s = shared_[static_cast<size_t>(item)];
      if (d > 0 || s > 0) {
        cells_.push_back(row_ * memory_.items + item);
        for (const double value : {d > 0 ? 1.0 : 0.0, std::log1p(d), s, std::log1p(20 * s)})
          values_.push_back(static_cast<float>(value));
      }
      d = s = 0;
    }
    touched_.clear();
  }

  const PairMemory& memory_;
  std::vector<double> direct_, shared_;  // of every item; 0 but for the touched ones
  std::vector<char> owned_;
  std::vector<int64_t> touched_, cells_;
  std::vector<float> values_;
  int64_t row_ = 0;
};

}  // namespace

PairMemory::PairMemory(int64_t items, int64_t kept) : items(items), kept(kept) {
  register_parameter("weight", weight, zeros({kEvidence}));
  register_buffer("users", users, zeros({items}, i64));
  register_buffer("followers", followers, full({items, kept, 2}, -1, i64));
  register_buffer("neighbours", neighbours, full({items, kept, 2}, -1, i64));
}

void PairMemory::count(const std::vector<History>& training) {
  const Counter counter(training, items);
  copy_(users, from_vector(counter.users, {items}));
  for (int64_t item = 0; item < items; ++item) {
    keep_commonest(counter.followers[static_cast<size_t>(item)], item, followers);
    keep_commonest(counter.neighbours[static_cast<size_t>(item)], item, neighbours);
  }
}

Evidence PairMemory::evidence(const std::vector<History>& histories,
                              const std::vector<const History*>& own) const {
  Collector collector(*this);
  for (size_t i = 0; i < histories.size(); ++i)
    collector.add(histories[i], own.empty() ? nullptr : own[i]);
  return collector.evidence();
}

Tensor PairMemory::forward(const Arg& scores, const Evidence& evidence) {
  const Tensor more = matmul(tarsier::to(evidence.values, weight.dtype()), weight);
  return reshape(index_add(flatten(scores), 0, evidence.cells, more), scores.shape());
}

}  // namespace tarsier::zoo::recommend
