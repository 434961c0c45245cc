#include "zoo/recommend/histories.h"

#include <algorithm>
#include <utility>

#include "autograd/ops.h"

namespace tarsier::zoo::recommend {

Split::Split(const std::vector<History>& histories) {
  for (const History& items : histories) {
    const bool asks = items.size() >= 3;
    train.emplace_back(items.begin(), items.end() - (asks ? 2 : 0));
    if (!asks) continue;
    validation.push_back({train.back(), items[items.size() - 2]});
    test.push_back({{items.begin(), items.end() - 1}, items.back()});
  }
  for (std::vector<Question>* part : {&validation, &test})
    std::stable_sort(part->begin(), part->end(), [](const Question& a, const Question& b) {
      return a.seen.size() < b.seen.size();
    });
}

Windows::Windows(std::vector<History> histories, int64_t max_length)
    : histories_(std::move(histories)) {
  for (size_t owner = 0; owner < histories_.size(); ++owner) {
    const History& items = histories_[owner];
    const auto size = static_cast<int64_t>(items.size());
    for (int64_t end = size; end >= 2; end -= max_length) {
      const int64_t begin = std::max<int64_t>(0, end - max_length - 1);
      rows_.emplace_back(items.begin() + begin, items.begin() + end);
      owners_.push_back(owner);
      targets_ += end - begin - 1;
    }
  }
}

BatchSampler Windows::sampler(int64_t batch_size, RandomKey key) const {
  std::vector<int64_t> lengths;
  for (const History& row : rows_) lengths.push_back(static_cast<int64_t>(row.size()) - 1);
  // Coarse buckets: little padding, and batches that still mix short histories with longer ones.
  return BatchSampler(std::move(lengths), {.examples = batch_size, .bucket = 16}, key);
}

Batch Windows::batch(const std::vector<int64_t>& chosen, int64_t length) const {
  std::vector<History> inputs;
  std::vector<int64_t> places, targets;
  size_t longest = 1;
  for (const int64_t i : chosen) {
    const History& row = (*this)[i];
    inputs.emplace_back(row.begin(), row.begin() + std::min<int64_t>(std::ssize(row) - 1, length));
    longest = std::max(longest, inputs.back().size());
  }
  for (size_t b = 0; b < inputs.size(); ++b)
    for (size_t t = 0; t < inputs[b].size(); ++t) {
      places.push_back(static_cast<int64_t>(b * longest + t));
      targets.push_back((*this)[chosen[b]][t + 1]);
    }
  const auto count = std::ssize(targets);
  return {{{"index", pad_rows(inputs, 0)},
           {"places", from_vector(places, {count})},
           {"targets", from_vector(targets, {count})}},
          count};
}

Batch last_items(const std::vector<History>& histories, int64_t max_length) {
  std::vector<History> rows;
  int64_t longest = 0;
  for (const History& items : histories) {
    check(!items.empty(), "data", "an empty history: nothing to go by");
    rows.emplace_back(items.end() - std::min<int64_t>(std::ssize(items), max_length), items.end());
    longest = std::max<int64_t>(longest, std::ssize(rows.back()));
  }
  std::vector<int64_t> places;
  for (size_t b = 0; b < rows.size(); ++b)
    places.push_back(static_cast<int64_t>(b) * longest + std::ssize(rows[b]) - 1);
  const auto count = std::ssize(rows);
  return {{{"index", pad_rows(rows, 0)}, {"places", from_vector(places, {count})}}, count};
}

}  // namespace tarsier::zoo::recommend
