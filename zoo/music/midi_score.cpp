#include "zoo/music/midi_score.h"

#include <algorithm>
#include <functional>
#include <map>
#include <vector>

#include "autograd/base/error.h"

namespace tarsier::zoo::music {

namespace {

constexpr int64_t kMostSteps = 20'000;  // more than an hour of music

/// A part on the grid: what sounds at each step.
struct Part {
  std::vector<std::vector<int32_t>> steps;
  double sum = 0, notes = 0;

  bool has_chords() const {
    return std::any_of(steps.begin(), steps.end(), [](const auto& s) { return s.size() > 1; });
  }
};

/// The parts, the highest first.
std::vector<Part> parts_of(const Midi& midi, int64_t steps_per_beat, const std::string& source) {
  const auto step = [&](int64_t tick) {
    return grid_step(tick, midi.ticks_per_beat, steps_per_beat);
  };
  const int64_t length = step(midi.length());
  check(length <= kMostSteps, "midi", "'", source, "' has ", length,
        " steps: at most 20,000 can be read");
  std::vector<Part> parts;
  bool drums = false;
  for (const MidiTrack& track : midi.tracks) {
    std::map<int, Part> by_channel;
    for (const MidiNote& note : track.notes) {
      drums = drums || note.channel == kDrums;
      if (note.channel == kDrums) continue;
      Part& part = by_channel[note.channel];
      part.steps.resize(static_cast<size_t>(length));
      part.sum += note.pitch;
      ++part.notes;
      for (int64_t s = step(note.start); s < step(note.end); ++s) {
        std::vector<int32_t>& sounding = part.steps[static_cast<size_t>(s)];
        // A note that reaches into the next one of the same pitch is held.
        if (std::find(sounding.begin(), sounding.end(), note.pitch) == sounding.end())
          sounding.push_back(note.pitch);
      }
    }
    for (auto& [channel, part] : by_channel) parts.push_back(std::move(part));
  }
  check(!parts.empty(), "midi", "'", source,
        drums ? "' has only drums, which are left out" : "' has no notes that end");
  check(length > 0, "midi", "'", source, "' has no note that is as long as a step of the grid");
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part& a, const Part& b) { return a.sum / a.notes > b.sum / b.notes; });
  return parts;
}

}  // namespace

Score score_of(const Midi& midi, int64_t steps_per_beat, const std::string& source) {
  const std::vector<Part> parts = parts_of(midi, steps_per_beat, source);
  const bool voices = std::none_of(parts.begin(), parts.end(), std::mem_fn(&Part::has_chords));
  std::vector<std::vector<int32_t>> steps(parts.front().steps.size());
  size_t most = voices ? parts.size() : 1;
  for (size_t s = 0; s < steps.size(); ++s) {
    for (const Part& part : parts) {
      const std::vector<int32_t>& sounding = part.steps[s];
      if (voices) {
        steps[s].push_back(sounding.empty() ? kSilence : sounding[0]);
      } else {
        steps[s].insert(steps[s].end(), sounding.begin(), sounding.end());
      }
    }
    most = std::max(most, steps[s].size());
    check(steps[s].size() <= 16, "midi", "'", source, "' has ", steps[s].size(), " notes at step ",
          s + 1, ": at most 16 can be read; leave out parts, or the piece");
  }
  Score score{.voices = static_cast<int64_t>(most)};
  for (std::vector<int32_t>& step : steps) {
    if (!voices) step = voiced(std::move(step), score.voices);
    score.notes.insert(score.notes.end(), step.begin(), step.end());
  }
  return score;
}

Midi midi_of(const Score& score, const Performance& performance) {
  Midi midi;
  midi.tempos = {{0, microseconds_per_beat(performance.beats_per_minute)}};
  static const std::vector<std::string> names{"soprano", "alto", "tenor", "bass"};
  const int64_t step = midi.ticks_per_beat / performance.steps_per_beat;
  for (int64_t v = 0; v < score.voices; ++v) {
    const auto at = static_cast<size_t>(v);
    MidiTrack& track = midi.tracks.emplace_back();
    track.name = score.voices == 4 ? names[at] : concat("voice ", v + 1);
    track.program = performance.program;
    const int place = static_cast<int>(v % 15), channel = place + (place >= kDrums ? 1 : 0);
    for (int64_t begin = 0, end = 0; begin < score.steps(); begin = end) {
      while (end < score.steps() && score.at(end, v) == score.at(begin, v)) ++end;
      if (score.at(begin, v) == kSilence) continue;
      track.notes.push_back({begin * step, end * step, score.at(begin, v), 80, channel});
    }
  }
  return midi;
}

}  // namespace tarsier::zoo::music
