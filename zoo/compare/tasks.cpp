#include "zoo/compare/tasks.h"

#include <utility>

#include "autograd/ops.h"

namespace tarsier::zoo::compare {
namespace {

// Tokens: blank, mark, symbols (as digits: 0 to 3), keys, pairs of a key and a symbol.
constexpr int64_t kBlank = 0, kMark = 1, kSymbol = 2, kSymbols = 4, kKey = kSymbol + kSymbols,
                  kPair = kKey + kSymbols;
constexpr int64_t kItems = 4;  // symbols, pairs or digits in a sequence

/// The random numbers of one sequence.
class Dice {
 public:
  Dice(RandomKey key, int64_t sequence) : key_(key), at_(static_cast<uint64_t>(sequence) << 20) {}
  /// From 0 to n − 1.
  int64_t below(int64_t n) {
    return static_cast<int64_t>(uniform<double>(key_, at_++) * static_cast<double>(n));
  }
  /// `count` different numbers from 0 to n − 1, in random order.
  std::vector<int64_t> different(int64_t count, int64_t n) {
    std::vector<int64_t> all(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i) all[static_cast<size_t>(i)] = i;
    for (int64_t i = 0; i < count; ++i)
      std::swap(all[static_cast<size_t>(i)], all[static_cast<size_t>(i + below(n - i))]);
    all.resize(static_cast<size_t>(count));
    return all;
  }

 private:
  RandomKey key_;
  uint64_t at_;
};

/// Makes a batch: fill(dice, tokens, answers) writes one sequence, whose tokens are blank before.
template <class Fill>
Batch batch_of(int64_t size, int64_t length, int64_t questions, RandomKey key, const Fill& fill) {
  std::vector<int64_t> tokens(static_cast<size_t>(size * length), kBlank);
  std::vector<int64_t> answers(static_cast<size_t>(size * questions));
  for (int64_t b = 0; b < size; ++b) {
    Dice dice(key, b);
    fill(dice, tokens.data() + b * length, answers.data() + b * questions);
  }
  return {from_vector(tokens, {size, length}), from_vector(answers, {size, questions})};
}

Batch copy_batch(int64_t size, int64_t D, RandomKey key) {
  return batch_of(size, D + kItems, kItems, key,
                  [&](Dice& dice, int64_t* tokens, int64_t* answers) {
                    for (int64_t i = 0; i < kItems; ++i) {
                      answers[i] = dice.below(kSymbols);
                      tokens[i] = kSymbol + answers[i];
                      tokens[D + i] = kMark;
                    }
                  });
}

Batch recall_batch(int64_t size, int64_t D, RandomKey key) {
  return batch_of(
      size, D + kItems, kItems, key, [&](Dice& dice, int64_t* tokens, int64_t* answers) {
        const std::vector<int64_t> keys = dice.different(kItems, kSymbols);
        const std::vector<int64_t> order = dice.different(kItems, kItems);
        for (int64_t i = 0; i < kItems; ++i)
          tokens[i] = kPair + keys[static_cast<size_t>(i)] * kSymbols + dice.below(kSymbols);
        for (int64_t i = 0; i < kItems; ++i) {
          const int64_t pair = tokens[order[static_cast<size_t>(i)]] - kPair;
          tokens[D + i] = kKey + pair / kSymbols;
          answers[i] = pair % kSymbols;
        }
      });
}

Batch sum_batch(int64_t size, int64_t D, RandomKey key) {
  return batch_of(size, D + 1, 1, key, [&](Dice& dice, int64_t* tokens, int64_t* answers) {
    for (const int64_t place : dice.different(kItems, D)) {
      const int64_t digit = dice.below(kSymbols);
      tokens[place] = kSymbol + digit;
      *answers += digit;
    }
    tokens[D] = kMark;
  });
}

}  // namespace

const std::vector<SyntheticTask>& synthetic_tasks() {
  static_assert(kPair + kSymbols * kSymbols == kTokens && kItems * (kSymbols - 1) + 1 == kAnswers);
  // 44 of the 256 sequences of four digits have the sum 6, the commonest.
  static const std::vector<SyntheticTask> all = {
      {"copy", "say four symbols again, D tokens after each", kItems, kItems, 1.0 / kSymbols,
       copy_batch},
      {"recall", "say the value of a key, about D tokens after the pair of both", kItems, kItems,
       1.0 / kSymbols, recall_batch},
      {"sum", "add four digits that lie anywhere in the last D tokens", kItems, 1, 44.0 / 256,
       sum_batch}};
  return all;
}

}  // namespace tarsier::zoo::compare
