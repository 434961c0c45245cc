#pragma once
// What is known of a piece when a note is to be predicted, as numbers of rows of one table.

#include <cstdint>
#include <vector>

#include "../../autograd/tensor/tensor.h"
#include "score.h"

namespace tarsier::zoo::music {

/// A model predicts the notes one after the other: at each step the highest voice first, each voice
/// in view of those above it. Before note i, of voice v at step t, it is told
///   the V notes before it, of which the last but V − 1 is the note that its own voice had
///   the intervals from that note to the V − 1 others
///   how long its voice has held that note, the voice, the place in the bar
///   which of the voices above have moved at this step
/// All but the last three follow from the notes alone, and attention could find them: given
/// directly, they need no learning. Each of these facts is a row of a table.
class Facts {
 public:
  /// Of pieces whose pitches are low … high. A bar has so many steps.
  Facts(int64_t voices, int32_t low, int32_t high, int64_t bar);

  /// The number of facts of a note, F, and of rows of the table.
  int64_t count() const { return 2 * voices_ + 3; }
  int64_t rows() const { return rows_; }
  /// The notes that may be predicted: low … high, then silence: V.
  int64_t notes() const { return pitches_ + 1; }

  /// A pitch or kSilence as a number from 0 to notes() − 1, and back. Throws Error("music") for a
  /// pitch outside low … high.
  int64_t index_of(int32_t note) const;
  int32_t note_of(int64_t index) const;

  /// Appends the facts of note `i` of `score`, of which only earlier notes are read, to `out`.
  void append(const Score& score, int64_t i, std::vector<int64_t>& out) const;

  /// The number of the note that the voice had before, for facts (…, F) → (…); notes() at the
  /// beginning.
  Tensor previous(const Tensor& facts) const;

 private:
  int64_t token(const Score& score, int64_t i) const;

  int64_t voices_, pitches_, bar_;
  int32_t low_;
  int64_t rows_ = 0;
  // The first row of each kind of fact.
  int64_t intervals_, held_, voice_, place_, moved_;
};

}  // namespace tarsier::zoo::music
