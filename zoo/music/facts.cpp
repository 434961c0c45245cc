#include "zoo/music/facts.h"

#include <algorithm>

#include "autograd/ops.h"

namespace tarsier::zoo::music {

namespace {
constexpr int64_t kLongest = 32;  // steps for which a held note is counted
}

Facts::Facts(int64_t voices, int32_t low, int32_t high, int64_t bar)
    : voices_(voices), pitches_(high - low + 1), bar_(bar), low_(low) {
  check(voices > 0 && voices <= 16 && pitches_ > 0 && bar > 0, "music", voices,
        " voices with pitches from ", low, " to ", high, " and bars of ", bar,
        " steps: expected 1 to 16 voices, and the lowest pitch first");
  const auto next = [this](int64_t rows) { return rows_ += rows; };
  intervals_ = next(voices * (notes() + 1));
  held_ = next((voices - 1) * 2 * pitches_);
  voice_ = next(kLongest + 1);
  place_ = next(voices);
  moved_ = next(bar);
  next(int64_t{1} << (voices - 1));
}

int64_t Facts::index_of(int32_t note) const {
  if (note == kSilence) return pitches_;
  if (note >= low_ && note < low_ + pitches_) return note - low_;
  fail("music", "the note ", note_name(note), " (MIDI pitch ", note,
       ") is outside the range of the model, ", note_name(low_), " to ",
       note_name(low_ + static_cast<int32_t>(pitches_) - 1), ": transpose the piece");
}

int32_t Facts::note_of(int64_t index) const {
  return index == pitches_ ? kSilence : low_ + static_cast<int32_t>(index);
}

/// The number of note i; notes() before the first one.
int64_t Facts::token(const Score& score, int64_t i) const {
  return i < 0 ? notes() : index_of(score.notes[static_cast<size_t>(i)]);
}

void Facts::append(const Score& score, int64_t i, std::vector<int64_t>& out) const {
  const int64_t v = i % voices_, own = token(score, i - voices_);
  for (int64_t lag = 1; lag <= voices_; ++lag)
    out.push_back((lag - 1) * (notes() + 1) + token(score, i - lag));
  for (int64_t lag = 1; lag < voices_; ++lag) {
    const int64_t other = token(score, i - lag);
    const bool both = own < pitches_ && other < pitches_;
    out.push_back(intervals_ + (lag - 1) * 2 * pitches_ +
                  (both ? other - own + pitches_ - 1 : 2 * pitches_ - 1));
  }
  int64_t held = 0;
  while (held < kLongest && i >= (held + 1) * voices_ &&
         token(score, i - (held + 1) * voices_) == own)
    ++held;
  out.push_back(held_ + held);
  out.push_back(voice_ + v);
  out.push_back(place_ + i / voices_ % bar_);
  int64_t moved = 0;
  for (int64_t above = 0; above < v; ++above)
    if (token(score, i - v + above) != token(score, i - v + above - voices_))
      moved |= int64_t{1} << above;
  out.push_back(moved_ + moved);
}

Tensor Facts::previous(const Tensor& facts) const {
  return select(facts, -1, voices_ - 1) - static_cast<double>((voices_ - 1) * (notes() + 1));
}

}  // namespace tarsier::zoo::music
