#pragma once
// Windows of pieces, as what is known before each note and the note itself.

#include <cstdint>
#include <functional>
#include <vector>

#include "../../autograd/base/random.h"
#include "../../autograd/tensor/tensor.h"
#include "../task/batch.h"
#include "facts.h"

namespace tarsier::zoo::music {

/// A stretch of a piece, in notes. Targets before `first` were predicted in an earlier window.
struct Window {
  const Score* score;
  int64_t begin, end;
  int64_t first = begin;
};

/// The targets of padding, and of notes that do not count: cross_entropy() leaves them out.
constexpr int64_t kNoTarget = -100;

/// "facts" (B, T, F) i64 and "targets" (B, T) i64, T the longest window; its weight and items are
/// the number of targets that count.
Batch window_batch(const Facts& facts, const std::vector<Window>& windows);

/// How training changes a piece: it is shifted by `least` to `most` semitones, within the range of
/// each voice, each shift equally likely.
struct Transposition {
  int64_t least = 0, most = 0;
};

/// Batch `number` (from 1) of training: `size` windows of `length` notes that begin at any step of
/// any piece, each transposed. A piece is drawn in proportion to its length. Depends only on key,
/// number, pieces and sizes.
Batch training_batch(const Facts& facts, const std::vector<Score>& pieces, const Range& range,
                     const Transposition& transposition, RandomKey key, int64_t number,
                     int64_t size, int64_t length);

/// All windows of the pieces in batches of about 4,096 notes: every note is a target exactly once.
/// Windows overlap by half, so that each note but the first ones is predicted from at least that
/// much.
void for_each_window(const std::vector<Score>& pieces, int64_t length,
                     const std::function<void(const std::vector<Window>&)>& use);

}  // namespace tarsier::zoo::music
