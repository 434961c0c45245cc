#include "zoo/music/facts.h"

#include <algorithm>
#include <bit>

#include "autograd/ops.h"

namespace tarsier::zoo::music {

namespace {
constexpr int64_t kLongest = 32;    // steps for which a held note is counted
constexpr int64_t kMemory = 2048;   // notes in which an echo is sought
constexpr int64_t kEchoSteps = 16;  // its length, at most
constexpr int64_t kEchoes = 5;      // kinds of length: as many bits as kEchoSteps has
}  // namespace

Facts::Facts(int64_t voices, int32_t low, int32_t high, int64_t bar, bool echo)
    : voices_(voices), pitches_(high - low + 1), bar_(bar), low_(low), has_echo_(echo) {
  check(voices > 0 && voices <= 16 && pitches_ > 0 && bar > 0, "music", voices,
        " voices with pitches from ", low, " to ", high, " and bars of ", bar,
        " steps: expected 1 to 16 voices, and the lowest pitch first");
  const auto next = [this](int64_t rows) { return rows_ += rows; };
  intervals_ = next(voices * (notes() + 1));
  held_ = next((voices - 1) * 2 * pitches_);
  voice_ = next(kLongest + 1);
  place_ = next(voices);
  moved_ = next(bar);
  echo_ = next(int64_t{1} << (voices - 1));
  if (echo) next(1 + kEchoes * 2 * pitches_);
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

/// The interval as a number from 0; the last one where one of both is no pitch.
int64_t Facts::interval(int64_t from, int64_t to) const {
  return from < pitches_ && to < pitches_ ? to - from + pitches_ - 1 : 2 * pitches_ - 1;
}

int64_t Facts::echo(const Score& score, int64_t i) const {
  int64_t longest = 0, where = 0;
  for (int64_t j = i - voices_; j > std::max<int64_t>(0, i - kMemory); j -= voices_) {
    const auto here = score.notes.rend() - i, there = score.notes.rend() - j;
    const int64_t most = std::min(j, kEchoSteps * voices_);
    const int64_t same = std::mismatch(there, there + most, here).first - there;
    if (same > longest) longest = same, where = j;
  }
  if (longest < voices_) return echo_;
  const int64_t kind = std::bit_width(static_cast<uint64_t>(longest / voices_)) - 1;
  return echo_ + 1 + kind * 2 * pitches_ + interval(token(score, i - voices_), token(score, where));
}

void Facts::append(const Score& score, int64_t i, std::vector<int64_t>& out) const {
  const int64_t v = i % voices_, own = token(score, i - voices_);
  for (int64_t lag = 1; lag <= voices_; ++lag)
    out.push_back((lag - 1) * (notes() + 1) + token(score, i - lag));
  for (int64_t lag = 1; lag < voices_; ++lag) {
    out.push_back(intervals_ + (lag - 1) * 2 * pitches_ + interval(own, token(score, i - lag)));
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
  if (has_echo_) out.push_back(echo(score, i));
}

Tensor Facts::previous(const Tensor& facts) const {
  return select(facts, -1, voices_ - 1) - static_cast<double>((voices_ - 1) * (notes() + 1));
}

}  // namespace tarsier::zoo::music
