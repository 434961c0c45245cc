// Learning the merges of byte-pair encoding.
#include <algorithm>
#include <array>
#include <map>
#include <queue>
#include <unordered_map>

#include "autograd/base/error.h"
#include "zoo/data/bpe.h"

namespace tarsier::zoo {

namespace {

/// A piece of text as tokens, and how often it occurs.
struct Word {
  std::vector<int32_t> tokens;
  int64_t count = 0;
};

/// A pair of neighbours, and how often it occurred when it was queued. The queue returns the most
/// frequent first, and of equally frequent ones the pair with the smallest ids.
struct Candidate {
  int64_t count;
  std::pair<int32_t, int32_t> pair;

  bool operator<(const Candidate& other) const {
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

/// How often a pair occurs, and in which words. The list may hold stale words and duplicates.
struct Occurrences {
  int64_t count = 0;
  std::vector<int32_t> words;
};

}  // namespace

/// The words of a text, as the tokens so far, and all pairs of neighbours in them.
struct Bpe::Training {
  std::vector<Word> words;
  std::unordered_map<uint64_t, Occurrences> pairs;

  Training(std::string_view text, const std::array<int32_t, 256>& byte_tokens) {
    std::map<std::string_view, int64_t> pieces;  // sorted, for a fixed order of words
    for (std::string_view piece : split_pieces(text)) ++pieces[piece];
    for (const auto& [piece, count] : pieces) {
      Word word{{}, count};
      for (char byte : piece) word.tokens.push_back(byte_tokens[static_cast<uint8_t>(byte)]);
      words.push_back(std::move(word));
    }
    for (size_t i = 0; i < words.size(); ++i) add_pairs(i, 1);
  }

  /// Adds the pairs of a word, `sign` times its count.
  void add_pairs(size_t index, int64_t sign) {
    const Word& word = words[index];
    for (size_t i = 0; i + 1 < word.tokens.size(); ++i) {
      Occurrences& found = pairs[key({word.tokens[i], word.tokens[i + 1]})];
      found.count += sign * word.count;
      const auto number = static_cast<int32_t>(index);
      if (sign > 0 && (found.words.empty() || found.words.back() != number))
        found.words.push_back(number);
    }
  }

  /// Makes `pair` one token wherever it stands. Returns the pairs with that token, sorted.
  std::vector<Pair> merge(Pair pair, int32_t token) {
    const std::vector<int32_t> places = std::move(pairs[key(pair)].words);
    std::vector<Pair> grown;
    for (int32_t index : places) {
      Word& word = words[static_cast<size_t>(index)];
      std::vector<int32_t> merged;
      for (size_t i = 0; i < word.tokens.size(); ++i) {
        const bool here = i + 1 < word.tokens.size() && word.tokens[i] == pair.first &&
                          word.tokens[i + 1] == pair.second;
        merged.push_back(here ? token : word.tokens[i]);
        i += here;
      }
      if (merged.size() == word.tokens.size()) continue;
      add_pairs(static_cast<size_t>(index), -1);
      word.tokens = std::move(merged);
      add_pairs(static_cast<size_t>(index), 1);
      for (size_t i = 0; i + 1 < word.tokens.size(); ++i)
        if (word.tokens[i] == token || word.tokens[i + 1] == token)
          grown.push_back({word.tokens[i], word.tokens[i + 1]});
    }
    pairs.erase(key(pair));
    std::sort(grown.begin(), grown.end());
    grown.erase(std::unique(grown.begin(), grown.end()), grown.end());
    return grown;
  }
};

Bpe Bpe::train(std::string_view text, int64_t size, int64_t min_count) {
  Bpe bpe;
  check(size >= bpe.size() && size <= INT32_MAX, "bpe", "a vocabulary of ", size,
        " tokens was requested, but the ", bpe.size(),
        " single bytes are always in it: ask for more");

  Training training(text, bpe.byte_tokens_);
  std::priority_queue<Candidate> queue;
  const auto pair_of = [](uint64_t key) {
    return Pair{static_cast<int32_t>(key >> 32), static_cast<int32_t>(key & 0xFFFFFFFF)};
  };
  for (const auto& [key, found] : training.pairs) queue.push({found.count, pair_of(key)});

  std::unordered_map<std::string, int32_t> made;  // tokens of several bytes
  while (bpe.size() < size && !queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    const auto found = training.pairs.find(key(best.pair));
    if (found == training.pairs.end()) continue;  // merged already: it was queued twice
    // The count may have fallen since the pair was queued: queue it again with the new one.
    if (found->second.count != best.count) {
      if (found->second.count > 0 && found->second.count < best.count)
        queue.push({found->second.count, best.pair});
      continue;
    }
    if (best.count < std::max<int64_t>(min_count, 1)) break;

    // Two pairs can make the same bytes (a + bc, ab + c): they share one token.
    const std::string bytes = bpe[best.pair.first] + bpe[best.pair.second];
    const auto [entry, is_new] = made.try_emplace(bytes, static_cast<int32_t>(bpe.size()));
    if (is_new) bpe.tokens_.push_back(bytes);
    if (!bpe.merge_of_.contains(best.pair)) bpe.add_merge(best.pair, entry->second);
    for (const Pair& pair : training.merge(best.pair, entry->second))
      queue.push({training.pairs[key(pair)].count, pair});
  }
  return bpe;
}

}  // namespace tarsier::zoo
