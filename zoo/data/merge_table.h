#pragma once
// The merges of byte-pair encoding, and what they make of a word.

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tarsier::zoo {

/// Two neighbouring tokens.
using TokenPair = std::pair<int32_t, int32_t>;

/// Which pairs of tokens become one, earlier merges first.
class MergeTable {
 public:
  /// The next merge. Of a pair that is there twice, the later one counts.
  void add(TokenPair pair, int32_t token) { merges_[key(pair)] = {next_rank_++, token}; }
  bool contains(TokenPair pair) const { return merges_.contains(key(pair)); }

  /// Joins neighbours again and again, of all pairs that are there the earliest merge first, and of
  /// equal ones the leftmost. n log n steps.
  void apply(std::vector<int32_t>& tokens) const;

  /// The pair as one number.
  static uint64_t key(TokenPair pair) {
    return static_cast<uint64_t>(static_cast<uint32_t>(pair.first)) << 32 |
           static_cast<uint32_t>(pair.second);
  }

 private:
  struct Merge {
    int64_t rank = -1;
    int32_t token = -1;
  };
  int64_t next_rank_ = 0;
  std::unordered_map<uint64_t, Merge> merges_;
};

/// The tokens of words encoded so far. A copy starts empty; concurrent calls take turns.
class WordCache {
 public:
  WordCache() = default;
  WordCache(const WordCache&) {}
  WordCache& operator=(const WordCache&) { return *this; }

  /// Appends the tokens of `word`, which encode(word, tokens) appends if they are not known.
  template <class Encode>
  void append(std::string_view word, std::vector<int32_t>& out, const Encode& encode) {
    constexpr size_t kLongestKept = 64, kMostKept = 1 << 17;
    if (word.size() > kLongestKept) {
      encode(word, out);
      return;
    }
    const std::lock_guard lock(mutex_);
    if (words_.size() > kMostKept) words_.clear();
    const auto [entry, is_new] = words_.try_emplace(std::string(word));
    if (is_new) encode(word, entry->second);
    out.insert(out.end(), entry->second.begin(), entry->second.end());
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::vector<int32_t>> words_;
};

}  // namespace tarsier::zoo
