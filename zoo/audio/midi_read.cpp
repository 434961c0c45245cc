// The reader of MIDI files.
#include <algorithm>
#include <array>
#include <map>

#include "autograd/base/error.h"
#include "autograd/io/file.h"
#include "zoo/audio/midi.h"

namespace tarsier::zoo {

namespace {

/// A part of a file, which is read from its begin to its end.
class Chunk {
 public:
  Chunk(const std::string& source, std::string_view bytes, size_t at, size_t end)
      : source_(source), bytes_(bytes), at_(at), end_(end) {}

  size_t at() const { return at_; }
  bool empty() const { return at_ == end_; }
  uint8_t peek() const {
    if (empty()) damaged("the track ends in the middle of an event");
    return static_cast<uint8_t>(bytes_[at_]);
  }
  uint8_t byte() {
    const uint8_t value = peek();
    ++at_;
    return value;
  }
  /// A byte of data: below 128.
  int data() {
    if (peek() >= 0x80) damaged(concat("byte ", int{peek()}, " is not data of an event"));
    return byte();
  }
  /// A number of up to 28 bits: 7 in each byte, the highest first, the last byte below 128.
  int64_t variable() {
    int64_t value = 0;
    for (int i = 0; i < 4; ++i) {
      const uint8_t next = byte();
      value = value << 7 | (next & 0x7F);
      if (next < 0x80) return value;
    }
    damaged("a number of more than 4 bytes");
  }
  /// The next `count` bytes, which an event says that it has.
  std::string_view take(int64_t count) {
    if (count > static_cast<int64_t>(end_ - at_))
      damaged(concat("an event of ", count, " bytes, but its track has ", end_ - at_, " left"));
    const std::string_view out = bytes_.substr(at_, static_cast<size_t>(count));
    at_ += static_cast<size_t>(count);
    return out;
  }
  [[noreturn]] void damaged(const std::string& what) const {
    fail("midi", "'", source_, "', byte ", at_, ": ", what, ". The file is damaged");
  }

 private:
  const std::string& source_;
  std::string_view bytes_;
  size_t at_, end_;
};

uint32_t big_endian(std::string_view bytes) {
  uint32_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

/// Reads the events of one track.
class TrackReader {
 public:
  TrackReader(Chunk chunk, Midi& midi) : chunk_(chunk), midi_(midi) {}

  MidiTrack read() {
    while (!chunk_.empty()) {
      tick_ += chunk_.variable();
      const uint8_t first = chunk_.peek();
      if (first == 0xFF) {
        meta();
      } else if (first == 0xF0 || first == 0xF7) {
        chunk_.byte();
        chunk_.take(chunk_.variable());
        status_ = 0;
      } else {
        channel_event(first);
      }
    }
    for (const auto& [key, open] : open_) midi_.unfinished += static_cast<int64_t>(open.size());
    std::stable_sort(track_.notes.begin(), track_.notes.end(),
                     [](const MidiNote& a, const MidiNote& b) { return a.start < b.start; });
    return std::move(track_);
  }

 private:
  void meta() {
    chunk_.byte();
    const uint8_t kind = chunk_.byte();
    const std::string_view data = chunk_.take(chunk_.variable());
    if (kind == 0x51 && data.size() == 3 && big_endian(data) > 0)
      midi_.tempos.push_back({tick_, big_endian(data)});
    if (kind == 0x03 && track_.name.empty()) track_.name = data;
  }

  void channel_event(uint8_t first) {
    if (first >= 0xF0) chunk_.damaged(concat("byte ", int{first}, " begins no event of a file"));
    if (first >= 0x80) status_ = chunk_.byte();
    if (status_ == 0) chunk_.damaged("an event without a kind: no event before it has one");
    const int kind = status_ >> 4, channel = status_ & 0x0F, a = chunk_.data();
    if (kind == 0xC) track_.program = a;
    if (kind == 0xC || kind == 0xD) return;  // a single byte of data
    const int b = chunk_.data();
    if (kind == 0x9 && b > 0) open_[{channel, a}].push_back({tick_, tick_, a, b, channel});
    if (kind == 0x8 || (kind == 0x9 && b == 0)) close(open_[{channel, a}]);
  }

  /// Ends the notes that began earlier.
  void close(std::vector<MidiNote>& open) {
    const auto earlier = [this](const MidiNote& note) { return note.start < tick_; };
    for (MidiNote& note : open) {
      if (!earlier(note)) continue;
      note.end = tick_;
      track_.notes.push_back(note);
    }
    std::erase_if(open, earlier);
  }

  Chunk chunk_;
  Midi& midi_;
  MidiTrack track_;
  int64_t tick_ = 0;
  uint8_t status_ = 0;                                         // the running one; 0: none
  std::map<std::pair<int, int>, std::vector<MidiNote>> open_;  // by channel and pitch
};

}  // namespace

Midi parse_midi(std::string_view bytes, const std::string& source) {
  const auto number = [&](size_t at, size_t size) { return big_endian(bytes.substr(at, size)); };
  check(bytes.size() >= 14 && bytes.starts_with("MThd"), "midi", "'", source,
        "' is not a MIDI file: expected 'MThd' and a header of 14 bytes at its beginning");
  const uint32_t header = number(4, 4), type = number(8, 2), count = number(10, 2),
                 division = number(12, 2);
  check(header >= 6 && header <= bytes.size() - 8, "midi", "'", source, "', byte 4: a header of ",
        header, " bytes, but expected 6, and the file has ", bytes.size() - 8, " left");
  check(type < 2, "midi", "'", source, "', byte 8: type ", type,
        ": expected 0 or 1. The patterns of type 2 have no common time");
  check(division > 0 && division < 0x8000, "midi", "'", source, "', byte 12: a division of ",
        division, ": expected ticks per beat, from 1 to 32767. Time in SMPTE frames has no beats");
  Midi midi{.ticks_per_beat = division};
  for (size_t at = 8 + header; at < bytes.size() && midi.tracks.size() < count;) {
    check(bytes.size() - at >= 8, "midi", "'", source, "', byte ", at, ": ", bytes.size() - at,
          " bytes, but a chunk begins with 8: the file is cut off");
    const uint32_t size = number(at + 4, 4);
    const bool is_track = bytes.substr(at, 4) == "MTrk";
    at += 8;
    check(size <= bytes.size() - at, "midi", "'", source, "', byte ", at - 4, ": a chunk of ", size,
          " bytes, but the file has ", bytes.size() - at, " left: it is cut off, or damaged");
    if (is_track) midi.tracks.push_back(TrackReader({source, bytes, at, at + size}, midi).read());
    at += size;
  }
  check(midi.tracks.size() == count, "midi", "'", source, "', byte ", bytes.size(),
        ": the file ends after ", midi.tracks.size(), " tracks, but its header says ", count);
  std::stable_sort(midi.tempos.begin(), midi.tempos.end(),
                   [](const MidiTempo& a, const MidiTempo& b) { return a.tick < b.tick; });
  return midi;
}

Midi read_midi(const std::string& path) { return parse_midi(read_file(path), path); }

}  // namespace tarsier::zoo
