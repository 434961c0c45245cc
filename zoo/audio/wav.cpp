#include "zoo/audio/wav.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string_view>

#include "autograd/base/error.h"
#include "zoo/data/bytes.h"

namespace tarsier::zoo {

namespace {

constexpr int64_t kLowestRate = 1'000, kHighestRate = 1'000'000;
/// Sizes from this one on are what programs write who cannot know the size yet (0x7FFFF000,
/// 0x80000000, 0xFFFFFFFF), unless the file is so large.
constexpr size_t kUnknownSize = 0x7FFFF000;
/// Numbers beyond this are no sound, not even that of whole numbers kept as floating-point ones.
constexpr float kLoudest = 2147483648.0f;

// Kinds of samples, the numbers of WAVEFORMATEX::wFormatTag.
constexpr uint32_t kWhole = 1, kFloating = 3, kExtensible = 0xFFFE;

/// The rest of the GUID that begins with such a number in WAVE_FORMAT_EXTENSIBLE.
constexpr std::string_view kGuidEnd("\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71", 14);

/// What a file that is not a WAV file seems to be.
const char* other_kind(std::string_view bytes) {
  if (bytes.empty()) return "an empty file";
  if (bytes.starts_with("RIFX") || bytes.starts_with("RF64") || bytes.starts_with("BW64"))
    return "a variant of WAV that is not supported (RIFX or RF64)";
  if (bytes.starts_with("fLaC")) return "a FLAC file";
  if (bytes.starts_with("OggS")) return "an Ogg file";
  if (bytes.starts_with("FORM")) return "an AIFF file";
  if (bytes.starts_with("ID3") || bytes.starts_with("\xFF\xFB")) return "an MP3 file";
  if (bytes.starts_with("MThd")) return "a MIDI file, notes without sound";
  if (bytes.substr(0, 8).ends_with("ftyp")) return "an MPEG-4 file";
  return "not a sound file that can be read";
}

/// The kind of samples by its number, for errors.
std::string kind_name(uint32_t kind) {
  switch (kind) {
    case kWhole:
      return "whole numbers";
    case kFloating:
      return "floating-point numbers";
    case 2:
      return "Microsoft ADPCM";
    case 6:
      return "A-law";
    case 7:
      return "µ-law";
    case 0x11:
      return "IMA ADPCM";
    case 0x55:
      return "MP3";
    default:
      return concat("kind ", kind);
  }
}

void check_rate(int64_t rate, const std::string& path) {
  check(rate >= kLowestRate && rate <= kHighestRate, "data", "'", path, "' has ", rate,
        " samples a second; from ", kLowestRate, " to ", kHighestRate, " are supported");
}

void append_number(std::string& out, uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i & 255);
}

}  // namespace

// ---------------------------------------------------------------------------------------- reading

WavFile::WavFile(const std::string& path) : path_(path), file_(path) { read_header(); }

/// Finds the first "fmt " and the first "data" chunk.
void WavFile::read_header() {
  const std::string_view text = file_.text();
  const Bytes file{path_, text, "header"};
  if (!text.starts_with("RIFF") || text.substr(std::min<size_t>(8, text.size()), 4) != "WAVE")
    fail("data", "'", path_, "' is ", other_kind(text),
         ": give a WAV file (convert it with `ffmpeg -i x.mp3 x.wav`)");
  size_t format = 0, bytes = 0;  // where the chunk "fmt " begins; the size of "data"
  for (size_t at = 12; at + 8 <= text.size() && (format == 0 || first_ == 0);) {
    const std::string_view name = text.substr(at, 4);
    size_t size = file.little_endian(at + 4, 4);
    at += 8;
    if (name == "data" && size >= kUnknownSize) size = std::min(size, text.size() - at);
    check(size <= text.size() - at, "data", "'", path_, "', byte ", at - 8, ": a chunk of ", size,
          " bytes, but only ", text.size() - at, " follow: the file is cut off or damaged");
    if (name == "fmt " && format == 0) {
      format = at;
      read_format(at, size);
    } else if (name == "data" && first_ == 0) {
      first_ = at;
      bytes = size;
    }
    at += size;
    if (size % 2 == 1 && at < text.size() && text[at] == '\0') ++at;
  }
  check(format > 0, "data", "'", path_,
        "' has no chunk 'fmt ', which describes the samples: it is ", "cut off or damaged");
  check(first_ > 0, "data", "'", path_,
        "' has no chunk 'data' with samples: it is cut off or damaged");
  size_ = static_cast<int64_t>(bytes / (width_ * static_cast<size_t>(channels_)));
  check(size_ > 0, "data", "'", path_, "' has no samples: there is nothing to hear");
}

/// Reads the chunk "fmt " of `size` bytes at byte `at`.
void WavFile::read_format(size_t at, size_t size) {
  const Bytes file{path_, file_.text(), "header"};
  check(size >= 16, "data", "'", path_, "', byte ", at, ": a chunk 'fmt ' of ", size,
        " bytes, but it needs 16 or more");
  uint32_t kind = file.little_endian(at, 2);
  channels_ = file.little_endian(at + 2, 2);
  rate_ = file.little_endian(at + 4, 4);
  const uint32_t bits = file.little_endian(at + 14, 2), all = file.little_endian(at + 12, 2);
  if (kind == kExtensible && size >= 40 && file_.text().substr(at + 26, 14) == kGuidEnd)
    kind = file.little_endian(at + 24, 2);
  floating_ = kind == kFloating;
  const bool known = floating_
                         ? bits == 32 || bits == 64
                         : kind == kWhole && (bits == 8 || bits == 16 || bits == 24 || bits == 32);
  check(known, "data", "'", path_, "' has samples of ", bits, " bits, ", kind_name(kind),
        "; whole numbers of 8, 16, 24 or 32 bits and floating-point numbers of 32 or 64 can be ",
        "read (convert it with `ffmpeg -i x.wav -c:a pcm_s16le y.wav`)");
  width_ = bits / 8;
  check(channels_ > 0, "data", "'", path_, "', byte ", at + 2,
        ": 0 channels: the header is damaged");
  check(all == width_ * static_cast<size_t>(channels_), "data", "'", path_, "', byte ", at + 12,
        ": all channels take ", all, " bytes a sample, but ", channels_, " of ", bits,
        " bits take ", width_ * static_cast<size_t>(channels_), ": the header is damaged");
  check_rate(rate_, path_);
}

/// The sample of one channel at byte `at`.
float WavFile::sample(size_t at) const {
  const auto* bytes = reinterpret_cast<const uint8_t*>(file_.data()) + at;
  if (width_ == 1) return static_cast<float>(bytes[0] - 128) / 128;
  uint64_t word = 0;
  for (size_t i = 0; i < width_; ++i) word |= static_cast<uint64_t>(bytes[i]) << 8 * i;
  if (!floating_) {  // moved to the upper bits of 32, which hold the sign
    const auto whole = static_cast<int32_t>(static_cast<uint32_t>(word) << (32 - 8 * width_));
    return static_cast<float>(static_cast<double>(whole) / 2147483648.0);
  }
  const float value = width_ == 4 ? std::bit_cast<float>(static_cast<uint32_t>(word))
                                  : static_cast<float>(std::bit_cast<double>(word));
  check(std::abs(value) <= kLoudest, "data", "'", path_, "', byte ", at, ": a sample is ", value,
        ": expected a number from -1 to 1, or from -2^31 to 2^31 at most");
  return value;
}

Sound WavFile::samples(int64_t begin, int64_t count) const {
  check(begin >= 0 && count >= 0 && begin <= size_ && count <= size_ - begin, "data", "'", path_,
        "' has ", size_, " samples: ", count, " from number ", begin, " on are not in it");
  Sound out{rate_, std::vector<float>(static_cast<size_t>(count))};
  const auto channels = static_cast<size_t>(channels_);
  size_t at = first_ + static_cast<size_t>(begin) * channels * width_;
  for (float& mixed : out.samples) {
    double sum = 0;
    for (size_t c = 0; c < channels; ++c, at += width_) sum += sample(at);
    mixed = static_cast<float>(sum / static_cast<double>(channels));
  }
  return out;
}

Sound read_wav(const std::string& path) {
  const WavFile file(path);
  return file.samples(0, file.size());
}

// ---------------------------------------------------------------------------------------- writing

void write_wav(const std::string& path, const Sound& sound) {
  check_rate(sound.rate, path);
  check(!sound.samples.empty(), "data", "'", path, "' would have no samples: give at least one");
  check(sound.samples.size() < (size_t{1} << 31) - 32, "data", "'", path, "' would have ",
        sound.samples.size(), " samples, but a WAV file holds at most 4 GB: write several");
  const auto rate = static_cast<uint32_t>(sound.rate);
  const auto bytes = static_cast<uint32_t>(2 * sound.samples.size());
  std::string out = "RIFF";
  out.reserve(44 + bytes);
  append_number(out, 36 + bytes, 4);
  out += "WAVEfmt ";
  append_number(out, 16, 4);
  append_number(out, kWhole, 2);
  append_number(out, 1, 2);  // channels
  append_number(out, rate, 4);
  append_number(out, 2 * rate, 4);  // bytes a second
  append_number(out, 2, 2);         // bytes of a sample of all channels
  append_number(out, 16, 2);        // bits
  out += "data";
  append_number(out, bytes, 4);
  for (size_t i = 0; i < sound.samples.size(); ++i) {
    const float x = sound.samples[i];
    check(!std::isnan(x), "data", "'", path, "': sample ", i, " is not a number");
    const auto level = std::lround(std::clamp(static_cast<double>(x) * 32768, -32768.0, 32767.0));
    append_number(out, static_cast<uint32_t>(level), 2);
  }
  write_file_atomically(path, out);
}

}  // namespace tarsier::zoo
