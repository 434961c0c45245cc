#pragma once
// What users took, in order of time: split by leave one out, and as batches.

#include <cstdint>
#include <vector>

#include "../data/cut.h"
#include "../data/sampler.h"
#include "../task/batch.h"

namespace tarsier::zoo::recommend {

/// The items of a user, oldest first.
using History = std::vector<int32_t>;

/// A history to judge a recommender by: what it sees, and the item that followed.
struct Question {
  History seen;
  int32_t next;
};

/// Leave one out: of every history of three items or more the last one is for the test, the one
/// before for validation, and the others train. Shorter histories only train.
struct Split {
  std::vector<History> train;
  std::vector<Question> validation, test;  ///< of the same users, the shortest history first

  Split() = default;
  explicit Split(const std::vector<History>& histories);
};

/// Pieces of histories to train on: up to `max_length` items, each with the one that follows it.
/// Every item but the first of a history is a target once. Of a history that is longer, the later
/// pieces begin with an item that was a target in the piece before.
class Windows {
 public:
  Windows() = default;
  Windows(std::vector<History> histories, int64_t max_length);

  int64_t size() const { return static_cast<int64_t>(rows_.size()); }
  int64_t targets() const { return targets_; }
  /// The items of window `i`, of which the first is no target.
  const History& operator[](int64_t i) const { return rows_[static_cast<size_t>(i)]; }
  /// All training items of the user of window `i`.
  const History& whole(int64_t i) const { return histories_[owners_[static_cast<size_t>(i)]]; }
  /// Batches of windows of similar length.
  BatchSampler sampler(int64_t batch_size, RandomKey key) const;

  /// The windows with these numbers: "index" (B, T) i64, padded at the end with item 0; "places"
  /// (N) i64, the places b·T + t without padding; "targets" (N) i64, the items that follow there.
  /// Windows of more than `length` items are cut.
  Batch batch(const std::vector<int64_t>& chosen, int64_t length = kNoLimit) const;

 private:
  std::vector<History> histories_, rows_;
  std::vector<size_t> owners_;  // of each row: which of the histories
  int64_t targets_ = 0;
};

/// The last `max_length` items of histories as "index" (B, T) i64, padded at the end with item 0,
/// and in "places" (B) i64 the place b·T + t of the last item of each. Throws Error("data") for an
/// empty history.
Batch last_items(const std::vector<History>& histories, int64_t max_length);

}  // namespace tarsier::zoo::recommend
