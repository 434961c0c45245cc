// WAV files: every kind of samples, odd layouts, damaged files, writing.
#include "zoo/audio/wav.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "tests/error_of.h"
#include "tests/zoo/scratch.h"

namespace tarsier::zoo {
namespace {

using Samples = std::vector<float>;

std::string little(uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i & 255);
  return out;
}

std::string chunk(const std::string& name, const std::string& bytes) {
  return name + little(bytes.size(), 4) + bytes + std::string(bytes.size() % 2, '\0');
}

std::string riff(const std::string& chunks) {
  return "RIFF" + little(4 + chunks.size(), 4) + "WAVE" + chunks;
}

/// The content of the chunk "fmt ".
std::string format(unsigned kind, unsigned bits, unsigned channels = 1, unsigned rate = 8000) {
  const unsigned all = channels * bits / 8;
  return little(kind, 2) + little(channels, 2) + little(rate, 4) + little(rate * all, 4) +
         little(all, 2) + little(bits, 2);
}

/// The same as WAVE_FORMAT_EXTENSIBLE.
std::string extensible(unsigned kind, unsigned bits, unsigned channels) {
  return format(0xFFFE, bits, channels) + little(22, 2) + little(bits, 2) + little(3, 4) +
         little(kind, 2) +
         std::string("\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71", 14);
}

std::string wav(const std::string& format, const std::string& data) {
  return riff(chunk("fmt ", format) + chunk("data", data));
}

Sound sound_of(const std::string& bytes) {
  const Scratch scratch;
  return read_wav(scratch.write("x.wav", bytes));
}

/// The error for a file, after its name.
std::string message(const std::string& bytes) {
  const Scratch scratch;
  const std::string path = scratch.write("x.wav", bytes);
  const std::string what = error_of([&] { read_wav(path); }), start = "[data] '" + path + "'";
  return what.starts_with(start) ? what.substr(start.size()) : what;
}

TEST_CASE("WAV samples of every kind are numbers from -1 to 1") {
  CHECK(sound_of(wav(format(1, 8), {"\x00\x80\xC0\xFF", 4})).samples ==
        Samples{-1, 0, 0.5, 127.0 / 128});
  CHECK(sound_of(wav(format(1, 16), {"\x00\x80\x00\x40\xFF\xFF", 6})).samples ==
        Samples{-1, 0.5, -1.0f / 32768});
  CHECK(sound_of(wav(format(1, 24), {"\x00\x00\x80\x00\x00\x40\x01\x00\x00", 9})).samples ==
        Samples{-1, 0.5, 1.0f / 8388608});
  CHECK(sound_of(wav(format(1, 32), {"\x00\x00\x00\x80\x00\x00\x00\xE0", 8})).samples ==
        Samples{-1, -0.25});
  const float low = -0.1f;
  CHECK(sound_of(wav(format(3, 32), little(std::bit_cast<uint32_t>(low), 4))).samples ==
        Samples{low});
  CHECK(sound_of(wav(format(3, 64), little(std::bit_cast<uint64_t>(0.75), 8))).samples ==
        Samples{0.75});
  const Sound sound = sound_of(wav(format(1, 16, 1, 44100), std::string(882, '\1')));
  CHECK(sound.rate == 44100);
  CHECK(sound.samples.size() == 441);
  CHECK(sound.seconds() == doctest::Approx(0.01));
}

TEST_CASE("WAV channels are mixed to their mean, also in WAVE_FORMAT_EXTENSIBLE") {
  const std::string two("\x00\x40\x00\x00\x00\x80\x00\x80", 8);
  CHECK(sound_of(wav(format(1, 16, 2), two)).samples == Samples{0.25, -1});
  CHECK(sound_of(wav(extensible(1, 16, 2), two)).samples == Samples{0.25, -1});
  CHECK(sound_of(wav(extensible(3, 32, 1), little(std::bit_cast<uint32_t>(0.5f), 4))).samples ==
        Samples{0.5});
  // Five channels; the last two bytes are no whole sample of all of them.
  CHECK(sound_of(wav(format(1, 8, 5), {"\x80\x80\x80\x80\xD0\x00\x00", 7})).samples ==
        Samples{0.125});
}

TEST_CASE("WAV chunks may come in any order, have odd sizes, and lack their padding") {
  const std::string data("\x00\x40\x00\xC0", 4), sound = chunk("data", data);
  const Samples expected{0.5, -0.5};
  const std::string fmt = chunk("fmt ", format(1, 16));
  CHECK(sound_of(riff(sound + fmt)).samples == expected);
  CHECK(sound_of(riff(chunk("LIST", "odd") + fmt + chunk("junk", "") + chunk("id3 ", "a") + sound))
            .samples == expected);
  CHECK(sound_of(riff("LIST" + little(3, 4) + "odd" + fmt + sound)).samples == expected);
  CHECK(sound_of(riff(fmt + sound + "LIST" + little(99, 4) + "cut")).samples == expected);
  CHECK(sound_of(riff(fmt + sound + chunk("data", "ignored!"))).samples == expected);
  CHECK(sound_of(riff(chunk("fmt ", format(1, 16) + little(0, 2)) + sound)).samples == expected);
  CHECK(sound_of(riff(fmt + chunk("fmt ", format(1, 8)) + sound)).samples == expected);
  // Written to a pipe: sizes were not known.
  const std::string stream = "RIFF" + little(0xFFFFFFFF, 4) + "WAVE" + fmt + "data";
  for (const uint64_t unknown : {0xFFFFFFFFu, 0x80000000u, 0x7FFFF000u})
    CHECK(sound_of(stream + little(unknown, 4) + data).samples == expected);
  // 8-bit sound with an odd number of samples before the format.
  CHECK(sound_of(riff(chunk("data", "\xC0") + chunk("fmt ", format(1, 8)))).samples ==
        Samples{0.5});
}

TEST_CASE("a WAV file is read in parts") {
  const Scratch scratch;
  const WavFile file(scratch.write(
      "x.wav", wav(format(1, 16, 2, 16000), {"\0\x10\0\x10\0\x20\0\x20\0\x30\0\x30", 12})));
  CHECK(file.rate() == 16000);
  CHECK(file.channels() == 2);
  CHECK(file.size() == 3);
  CHECK(file.seconds() == 3.0 / 16000);
  CHECK(file.samples(1, 2).samples == Samples{0.25, 0.375});
  CHECK(file.samples(3, 0).samples.empty());
  check_error("2 from number 2 on are not in it", [&] { file.samples(2, 2); });
  check_error("has 3 samples: ", [&] { file.samples(1, std::numeric_limits<int64_t>::max()); });
  check_error("from number -1", [&] { file.samples(-1, 1); });
}

TEST_CASE("what is no WAV file is refused, and named") {
  CHECK(message("") ==
        " is an empty file: give a WAV file (convert it with `ffmpeg -i x.mp3 x.wav`)");
  CHECK(message("fLaC....").starts_with(" is a FLAC file"));
  CHECK(message("OggS").starts_with(" is an Ogg file"));
  CHECK(message("ID3\3").starts_with(" is an MP3 file"));
  CHECK(message("RF64....WAVE").find("RIFX or RF64") != std::string::npos);
  CHECK(message("RIFF").starts_with(" is not a sound file that can be read"));
  CHECK(message("RIFF....AVI ").starts_with(" is not a sound file that can be read"));
  CHECK(message("hello, world").starts_with(" is not a sound file that can be read"));
  const Scratch scratch;
  check_error("nothing.wav", [&] { read_wav(scratch.path("nothing.wav")); });
  check_error("[file]", [&] { read_wav(scratch.path("")); });
}

TEST_CASE("damaged WAV files are refused with their position") {
  const std::string whole = wav(format(1, 16), std::string(20, '\1'));
  CHECK(message(whole.substr(0, 50)) ==
        ", byte 36: a chunk of 20 bytes, but only 6 follow: the file is cut off or damaged");
  CHECK(message(whole.substr(0, 36)).starts_with(" has no chunk 'data' with samples"));
  CHECK(message(riff(chunk("data", "abcd"))).starts_with(" has no chunk 'fmt '"));
  for (size_t size = 0; size < whole.size(); ++size)
    CHECK(message(whole.substr(0, size)) != "no error");
  CHECK(message(wav(format(1, 16), "")) == " has no samples: there is nothing to hear");
  CHECK(message(wav(format(1, 16), "a")) == " has no samples: there is nothing to hear");
  CHECK(message(riff(chunk("fmt ", {"\1\0", 2}) + chunk("data", "ab"))) ==
        ", byte 20: a chunk 'fmt ' of 2 bytes, but it needs 16 or more");
  CHECK(message(wav(format(7, 8), "ab"))
            .starts_with(" has samples of 8 bits, µ-law; whole numbers of 8, 16, 24 or 32 bits"));
  CHECK(message(wav(format(1, 12), "ab")).starts_with(" has samples of 12 bits, whole numbers;"));
  CHECK(message(wav(format(0xFFFE, 16), "ab")).starts_with(" has samples of 16 bits, kind 65534"));
  CHECK(message(wav(format(1, 16, 0), "ab")) == ", byte 22: 0 channels: the header is damaged");
  CHECK(message(wav(format(1, 16, 1, 999), "ab")) ==
        " has 999 samples a second; from 1000 to 1000000 are supported");
  std::string broken = wav(format(1, 16), "ab");
  broken[32] = 3;
  CHECK(message(broken) ==
        ", byte 32: all channels take 3 bytes a sample, but 1 of 16 bits take "
        "2: the header is damaged");
  for (const float wrong : {std::nanf(""), INFINITY, 1e30f, -1e30f})
    CHECK(message(wav(format(3, 32), little(std::bit_cast<uint32_t>(wrong), 4))) ==
          concat(", byte 44: a sample is ", wrong,
                 ": expected a number from -1 to 1, or from -2^31 to 2^31 at most"));
  CHECK(sound_of(wav(format(3, 32), little(std::bit_cast<uint32_t>(-32768.0f), 4))).samples ==
        Samples{-32768});
  // A header that claims 2 GB gets no memory.
  const std::string claims = "RIFF....WAVE" + chunk("fmt ", format(1, 16)) + "data";
  CHECK(message(claims + little(0x7FFFEFFF, 4))
            .find("a chunk of 2147479551 bytes, but only 0 follow") != std::string::npos);
  CHECK(message(claims + little(0xFFFFFFFE, 4)) == " has no samples: there is nothing to hear");
}

TEST_CASE("a written WAV file reads as the same samples, clipped") {
  const Scratch scratch;
  const std::string path = scratch.path("x.wav");
  write_wav(path, {22050, {0, 0.5, -0.5, 1, -1, 7, -7, 1.4f / 32768, 0.6f / 32768}});
  const float most = 32767.0f / 32768;
  const Sound sound = read_wav(path);
  CHECK(sound.rate == 22050);
  CHECK(sound.samples == Samples{0, 0.5, -0.5, most, -1, most, -1, 1.0f / 32768, 1.0f / 32768});
  const std::string bytes = scratch.read("x.wav");
  CHECK(bytes == wav(format(1, 16, 1, 22050), bytes.substr(44)));
  write_wav(path, sound);
  CHECK(scratch.read("x.wav") == bytes);

  const float nan = std::numeric_limits<float>::quiet_NaN();
  check_error("sample 1 is not a number", [&] { write_wav(path, {8000, {0, nan}}); });
  check_error("would have no samples", [&] { write_wav(path, {8000, {}}); });
  check_error("has 0 samples a second", [&] { write_wav(path, {0, {1}}); });
  CHECK(scratch.read("x.wav") == bytes);  // an error loses nothing
  check_error("[file]", [&] { write_wav(scratch.path("no/folder.wav"), sound); });
}

}  // namespace
}  // namespace tarsier::zoo
