#include "zoo/data/merge_table.h"

#include <queue>

namespace tarsier::zoo {

namespace {

/// Two neighbours that can be merged. The queue returns the lowest rank first, and of equal
/// ranks the leftmost.
struct Candidate {
  int64_t rank;
  int32_t place, next;  // of the two in the word
  int32_t left, right;  // their tokens when this was queued; they may have changed since

  bool operator<(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : place > other.place;
  }
};

/// A token in a linked list, so that merging two of them moves none of the others.
struct Symbol {
  int32_t token, previous, next;
};

}  // namespace

void MergeTable::apply(std::vector<int32_t>& tokens) const {
  const auto count = static_cast<int32_t>(tokens.size());
  std::vector<Symbol> symbols;
  for (int32_t i = 0; i < count; ++i)
    symbols.push_back({tokens[static_cast<size_t>(i)], i - 1, i + 1 < count ? i + 1 : -1});
  // The queue finds the earliest merge. Searching all pairs each time would take n² steps.
  std::priority_queue<Candidate> queue;
  const auto note = [&](int32_t place) {
    if (place < 0) return;
    const Symbol& left = symbols[static_cast<size_t>(place)];
    if (left.next < 0) return;
    const int32_t right = symbols[static_cast<size_t>(left.next)].token;
    const auto merge = merges_.find(key({left.token, right}));
    if (merge != merges_.end())
      queue.push({merge->second.rank, place, left.next, left.token, right});
  };
  for (int32_t i = 0; i < count; ++i) note(i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Symbol &left = symbols[static_cast<size_t>(best.place)],
           &right = symbols[static_cast<size_t>(best.next)];
    if (left.token != best.left || right.token != best.right || left.next != best.next) continue;
    left.token = merges_.at(key({best.left, best.right})).token;
    right.token = -1;  // no longer there
    left.next = right.next;
    if (left.next >= 0) symbols[static_cast<size_t>(left.next)].previous = best.place;
    note(left.previous);
    note(best.place);
  }
  size_t kept = 0;
  for (int32_t i = count > 0 ? 0 : -1; i >= 0; i = symbols[static_cast<size_t>(i)].next)
    tokens[kept++] = symbols[static_cast<size_t>(i)].token;
  tokens.resize(kept);
}

}  // namespace tarsier::zoo
