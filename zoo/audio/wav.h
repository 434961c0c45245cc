#pragma once
// Sound, and WAV files.

#include <cstdint>
#include <string>
#include <vector>

#include "../../autograd/io/file.h"

namespace tarsier::zoo {

/// Sound of one channel: `rate` samples a second, from −1 to 1.
struct Sound {
  int64_t rate = 0;
  std::vector<float> samples;

  double seconds() const { return static_cast<double>(samples.size()) / static_cast<double>(rate); }
};

/// A WAV file whose samples are read when they are asked for, so that hours of sound need little
/// memory.
///
/// Samples may be whole numbers of 8, 16, 24 or 32 bits (divided by 2⁷, 2¹⁵, 2²³ or 2³¹; 8 bits
/// are unsigned, 128 is 0) or floating-point numbers of 32 or 64 bits, also in
/// WAVE_FORMAT_EXTENSIBLE. Channels are mixed to their mean. Chunks may come in any order; others
/// than "fmt " and "data" are skipped. A chunk of an odd size is followed by a byte 0, but files
/// without it are read too. The size in the header of the file is ignored, because programs that
/// write to a pipe do not know it; for the same reason a "data" chunk of 0x7FFFF000 bytes or more
/// may reach beyond the end of the file. Bytes after the last whole sample of all channels are ignored.
/// Source: Microsoft and IBM 1991, "Multimedia programming interface and data specifications 1.0";
/// https://learn.microsoft.com/windows/win32/api/mmreg/ns-mmreg-waveformatextensible
class WavFile {
 public:
  /// Reads the header. Throws Error("data") with file and byte if it is not a WAV file (it names
  /// other common formats), has samples of another kind, no samples, a rate outside
  /// 1,000 … 1,000,000, or is cut off; Error("file") if it cannot be read.
  explicit WavFile(const std::string& path);

  int64_t rate() const { return rate_; }  ///< samples a second
  int64_t size() const { return size_; }  ///< samples of one channel
  int64_t channels() const { return channels_; }
  double seconds() const { return static_cast<double>(size_) / static_cast<double>(rate_); }

  /// Samples begin, …, begin + count − 1. Throws Error("data") if they are not in the file, and for
  /// a sample that is no number from −2³¹ to 2³¹.
  Sound samples(int64_t begin, int64_t count) const;

 private:
  void read_header();
  void read_format(size_t at, size_t size);
  float sample(size_t at) const;

  std::string path_;
  MappedFile file_;
  int64_t rate_ = 0, channels_ = 0, size_ = 0;
  size_t first_ = 0;       // the byte where the samples begin
  size_t width_ = 0;       // bytes of a sample of one channel
  bool floating_ = false;  // otherwise whole numbers
};

/// All of a WAV file. Throws what WavFile throws.
Sound read_wav(const std::string& path);

/// Writes `sound` as a WAV file of 16 bits, one channel, completely or not at all. A sample x is
/// stored as x · 32768, rounded, at most 32767: louder samples are clipped. What read_wav() reads
/// from the file is written as the same bytes again. Throws Error("data") if there are no samples,
/// one is no number, the rate is not 1,000 … 1,000,000, or they need more than 4 GB; Error("file")
/// if the file cannot be written.
void write_wav(const std::string& path, const Sound& sound);

}  // namespace tarsier::zoo
