#include "zoo/music/score.h"

#include <algorithm>
#include <array>
#include <functional>

#include "autograd/base/error.h"

namespace tarsier::zoo::music {

Score transposed(const Score& score, int32_t semitones) {
  Score moved = score;
  for (int32_t& note : moved.notes)
    if (note != kSilence) note += semitones;
  return moved;
}

std::vector<int32_t> voiced(std::vector<int32_t> chord, int64_t voices) {
  std::sort(chord.begin(), chord.end(), std::greater<>());
  chord.erase(std::unique(chord.begin(), chord.end()), chord.end());
  while (!chord.empty() && chord.back() == kSilence) chord.pop_back();
  const auto missing = static_cast<size_t>(voices) - chord.size();
  chord.insert(chord.empty() ? chord.end() : chord.end() - 1, missing, kSilence);
  return chord;
}

std::string note_name(int32_t pitch) {
  static constexpr std::array<const char*, 12> names{"C",  "C♯", "D",  "D♯", "E",  "F",
                                                     "F♯", "G",  "G♯", "A",  "A♯", "B"};
  if (pitch < 0) return "rest";
  return concat(names[static_cast<size_t>(pitch % 12)], pitch / 12 - 1);
}

Range::Range(const std::vector<Score>& scores, int64_t count) : voices(static_cast<size_t>(count)) {
  for (const Score& score : scores) {
    for (size_t i = 0; i < score.notes.size(); ++i) {
      if (score.notes[i] == kSilence) continue;
      Voice& voice = voices[i % voices.size()];
      voice.low = std::min(voice.low, score.notes[i]);
      voice.high = std::max(voice.high, score.notes[i]);
    }
  }
}

int32_t Range::low() const { return std::ranges::min_element(voices, {}, &Voice::low)->low; }

int32_t Range::high() const { return std::ranges::max_element(voices, {}, &Voice::high)->high; }

std::vector<int32_t> Range::shifts(const Score& score, int32_t least, int32_t most) const {
  const Range own({score}, score.voices);
  std::vector<int32_t> all;
  for (int32_t shift = least; shift <= most; ++shift) {
    bool fits = true;
    for (size_t v = 0; v < voices.size(); ++v) {
      const bool silent = own.voices[v].low > own.voices[v].high;
      fits = fits && (silent || (own.voices[v].low + shift >= voices[v].low &&
                                 own.voices[v].high + shift <= voices[v].high));
    }
    if (fits || shift == 0) all.push_back(shift);
  }
  return all;
}

}  // namespace tarsier::zoo::music
