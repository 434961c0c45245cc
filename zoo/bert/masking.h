#pragma once
// Hides tokens of a text, for the model to guess.

#include <cstdint>
#include <vector>

#include "../../autograd/base/random.h"
#include "../data/cut.h"
#include "../task/batch.h"

namespace tarsier::zoo::bert {

struct Masking {
  int32_t mask = 0;      ///< the id of [MASK]; the ids of words are kSpecialTokens … mask − 1
  double share = 0.15;   ///< of a text's tokens that are to be guessed
  double masked = 0.8;   ///< of these, the fraction that becomes [MASK]
  double swapped = 0.1;  ///< and the fraction that becomes a random word; the others stay
};

/// Chooses max(1, round(share · n)) of the n tokens of `row` that are no special tokens, each set
/// equally likely, and hides them in `row`. Returns their positions, rising. In use no text has
/// hidden tokens: therefore some stay as they are, and any word may be a wrong one.
/// Depends only on the row, the masking and the key, of which it uses two streams.
/// Source: Devlin et al. 2019, "BERT", 3.1, and create_pretraining_data.py of its code.
std::vector<int64_t> hide(std::vector<int32_t>& row, const Masking& masking, RandomKey key);

/// The rows with these numbers, each cut to `length`, with hidden tokens:
///   "index" (B, T) i64      what the model reads, padded with kPad
///   "targets" (B, T) i64    what stood there
///   "padding" (B, T) bool   true at padding
///   "places" (M) i64        b·T + t for every token that is to be guessed
/// Example i draws from the streams key.stream + 2i and + 1. Batch::weight is M.
Batch masked_batch(const std::vector<std::vector<int32_t>>& rows,
                   const std::vector<int64_t>& chosen, const Masking& masking, RandomKey key,
                   int64_t length = kNoLimit);

}  // namespace tarsier::zoo::bert
