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
///   the echo, if asked for: music repeats itself, so it is sought where the longest stretch of the
///   notes just before was heard last, among 2,048 notes and of at most 16 steps; the fact is how
///   long it is (steps: 1, 2–3, 4–7, 8–15, 16), and the interval from the voice's own last note to
///   the note that followed there
/// All but the three before the echo follow from the notes alone. Attention could find them: given
/// directly, they need no learning. Each of these facts is a row of a table.
class Facts {
 public:
  /// Of pieces whose pitches are low … high. A bar has so many steps. With `echo`, it is told too.
  Facts(int64_t voices, int32_t low, int32_t high, int64_t bar, bool echo = false);

  /// The number of facts of a note, F, and of rows of the table.
  int64_t count() const { return 2 * voices_ + (has_echo_ ? 4 : 3); }
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
  int64_t interval(int64_t from, int64_t to) const;
  int64_t echo(const Score& score, int64_t i) const;

  int64_t voices_, pitches_, bar_;
  int32_t low_;
  bool has_echo_;
  int64_t rows_ = 0;
  // The first row of each kind of fact.
  int64_t intervals_, held_, voice_, place_, moved_, echo_;
};

}  // namespace tarsier::zoo::music
