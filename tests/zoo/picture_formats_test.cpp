// PNG and JPEG against what libpng's format says and libjpeg-turbo reads (tests/golden/pictures).
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "autograd/io/file.h"
#include "tests/error_of.h"
#include "tests/nn/golden.h"
#include "tests/zoo/pictures.h"
#include "zoo/picture/exif.h"
#include "zoo/zip/inflate.h"
#include "zoo/zip/prefix_code.h"

namespace tarsier::zoo {
namespace {

std::string file(const std::string& name) {
  return source_file("tests/golden/pictures/" + name).string();
}

TEST_CASE("PNG and JPEG: every pixel of every variant") {
  const TensorDict& expected = golden_file("pictures/expected.safetensors");
  std::set<std::string> kinds;
  for (const auto& [name, pixels] : expected) {
    CAPTURE(name);
    const Picture picture = read_picture(file(name));
    REQUIRE(Shape{picture.channels, picture.height, picture.width} == pixels.shape());
    const std::vector<double> all = pixels.to_vector();
    CHECK(std::equal(picture.pixels.begin(), picture.pixels.end(), all.begin(), all.end()));
    kinds.insert(name.substr(name.find('.')));
  }
  CHECK(kinds == std::set<std::string>{".png", ".jpg"});
}

TEST_CASE("PNG and JPEG: a file that is cut off anywhere is refused") {
  for (const char* name : {"type3-4.png", "type6-8-interlaced.png", "parts.png", "420-2x4.jpg",
                           "refined.jpg", "restarts.jpg"}) {
    CAPTURE(name);
    const std::string whole = read_file(file(name));
    for (size_t size = 4; size < whole.size(); size += 1 + size / 16) {
      CAPTURE(size);
      CHECK(picture_error(whole.substr(0, size)) != "no error");
    }
    CHECK(picture_error(whole.substr(0, whole.size() / 2)).find("cut off") != std::string::npos);
    CHECK(picture_error(whole + "more") == "no error");  // what follows belongs to nothing
  }
}

TEST_CASE("PNG: damage is found") {
  const std::string whole = read_file(file("type2-8.png"));
  for (size_t at = 8; at < whole.size(); ++at) {
    CAPTURE(at);
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    CHECK(picture_error(damaged) != "no error");
  }
  std::string text = whole;
  text.erase(text.find('\r'), 1);
  CHECK(picture_error(text).find("it was copied as text, or is cut off") != std::string::npos);
}

/// The file with a chunk's bytes changed, and its checksum made right: what a program at fault writes.
std::string with_header(std::string png, size_t at, const std::string& bytes) {
  png.replace(at, bytes.size(), bytes);
  uint32_t crc = ~uint32_t{0};
  for (size_t i = 12; i < 29; ++i) {
    crc ^= static_cast<uint8_t>(png[i]);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320 : 0);
  }
  for (size_t i = 0; i < 4; ++i) png[29 + i] = static_cast<char>(~crc >> (24 - 8 * i));
  return png;
}

TEST_CASE("PNG: headers that promise what is not there") {
  const std::string png = read_file(file("type2-8.png"));
  CHECK(with_header(png, 16, "") == png);
  CHECK(picture_error(with_header(png, 24, "\3")).find("no colour type 2 with 3 bits") !=
        std::string::npos);
  CHECK(picture_error(with_header(png, 24, "\4")).find("no colour type 2 with 4 bits") !=
        std::string::npos);
  CHECK(picture_error(with_header(png, 25, "\5")).find("no colour type 5") != std::string::npos);
  CHECK(picture_error(with_header(png, 25, "\3")).find("has no palette") != std::string::npos);
  CHECK(picture_error(with_header(png, 28, "\2")).find("unknown compression") != std::string::npos);
  CHECK(picture_error(with_header(png, 16, std::string(4, '\0'))).find("claims to have 0 × 11") !=
        std::string::npos);
  CHECK(picture_error(with_header(png, 16, "\x7F\xFF\xFF\xFF")).find("can be read") !=
        std::string::npos);
  // Refused before memory is taken.
  CHECK(picture_error(with_header(png, 16, std::string("\0\0\x27\x10\0\0\x27\x10", 8)))
            .find("10000 × 10000 pixels need") != std::string::npos);
  // One row more, and one less, than there is.
  CHECK(picture_error(with_header(png, 23, "\x0C")).find("fewer bytes than expected") !=
        std::string::npos);
  CHECK(picture_error(with_header(png, 23, "\x0A")).find("more bytes than expected") !=
        std::string::npos);
}

TEST_CASE("JPEG: any byte may change, and nothing worse than an error happens") {
  for (const char* name : {"420-5x3.jpg", "progressive-grey.jpg"}) {
    const std::string whole = read_file(file(name));
    for (size_t at = 2; at < whole.size(); at += 3) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x15);
      picture_error(damaged);
    }
  }
}

/// JPEG's marker for the size and kind of the picture is changed to another.
std::string with_frame(std::string jpeg, char marker, char bits = 8) {
  const size_t at = jpeg.find("\xFF\xC0");
  REQUIRE(at != std::string::npos);
  jpeg[at + 1] = marker;
  jpeg[at + 4] = bits;
  return jpeg;
}

TEST_CASE("JPEG: what cannot be read is named") {
  const std::string jpeg = read_file(file("444.jpg"));
  CHECK(picture_error(with_frame(jpeg, '\xC0')) == "no error");
  CHECK(picture_error(with_frame(jpeg, '\xC1')) == "no error");
  CHECK(picture_error(with_frame(jpeg, '\xC3')) ==
        " is a JPEG file without loss (lossless JPEG), which cannot be read: convert it to an "
        "ordinary one");
  CHECK(picture_error(with_frame(jpeg, '\xC5')).find("of the hierarchical kind") !=
        std::string::npos);
  CHECK(picture_error(with_frame(jpeg, '\xC9')).find("with arithmetic coding") !=
        std::string::npos);
  CHECK(picture_error(with_frame(jpeg, '\xC1', 12)).find("with more than 8 bits") !=
        std::string::npos);
  std::string other = jpeg;
  const size_t frame = jpeg.find("\xFF\xC0");
  other.replace(frame + 5, 2, std::string(2, '\0'));
  CHECK(picture_error(other).find("does not say how high it is") != std::string::npos);
  other = jpeg;
  other.replace(frame + 5, 4, "\x27\x10\x27\x10");
  CHECK(picture_error(other).find("too few for 10000 × 10000 pixels") != std::string::npos);
  other = jpeg;
  other[frame + 9] = 4;
  CHECK(picture_error(other).find("in CMYK") != std::string::npos);
  other = jpeg;
  other.erase(jpeg.find("\xFF\xDA"));
  CHECK(picture_error(other + "\xFF\xD9").find("ends without a picture") != std::string::npos);
  // The tables that the scan needs are taken away.
  other = jpeg;
  for (size_t at = 0; (at = other.find("\xFF\xC4", at)) != std::string::npos;)
    other[at + 1] = '\xFE';  // a comment
  CHECK(picture_error(other).find("there is no such code") != std::string::npos);
  other = jpeg;
  for (size_t at = 0; (at = other.find("\xFF\xDB", at)) != std::string::npos;)
    other[at + 1] = '\xFE';
  CHECK(picture_error(other).find("quantisers is missing") != std::string::npos);
}

TEST_CASE("inflate: exactly as many bytes as expected") {
  // zlib.compress(b"abcabcabcabc"), by hand: a block of the fixed code, a repeat that overlaps.
  const std::string stream("\x78\xda\x4b\x4c\x4a\x4e\x84\x21\x00\x1d\xe0\x04\x99", 13);
  CHECK(inflate(stream, 12, "x") == "abcabcabcabc");
  check_error("fewer bytes than expected", [&] { inflate(stream, 13, "x"); });
  check_error("more bytes than expected", [&] { inflate(stream, 11, "x"); });
  check_error("'x': the compressed data end too early",
              [&] { inflate(stream.substr(0, stream.size() - 1), 12, "x"); });
  std::string wrong = stream;
  wrong.back() = 'x';
  check_error("checksum is wrong", [&] { inflate(wrong, 12, "x"); });
  check_error("do not begin like zlib's", [&] { inflate("abc", 1, "x"); });
  check_error("need a dictionary", [&] { inflate("\x78\xBB", 1, "x"); });
  check_error("no such kind of block", [&] { inflate("\x78\x9C\x07", 1, "x"); });
  check_error("a count of bytes", [&] { inflate("\x78\x9C\x01\x01\x01\x01\x01", 1, "x"); });
}

TEST_CASE("a prefix code is known by its lengths") {
  // a 0, b 10, c 110, d 111
  const PrefixCode::Counts counts{1, 1, 2};
  const PrefixCode code(counts, {'a', 'b', 'c', 'd'}, false, "it");
  CHECK(code.longest() == 3);
  CHECK(code.find(0b011).symbol == 'a');
  CHECK(code.find(0b101).symbol == 'b');
  CHECK(code.find(0b101).length == 2);
  CHECK(code.find(0b110).symbol == 'c');
  const PrefixCode reversed(counts, {'a', 'b', 'c', 'd'}, true, "it");
  CHECK(reversed.find(0b110).symbol == 'a');
  CHECK(reversed.find(0b101).symbol == 'b');
  CHECK(reversed.find(0b011).symbol == 'c');
  CHECK(PrefixCode({1}, {'a'}, false, "it").find(1).length == 0);  // not a code
  check_error("it has more codes of 2 bits than there can be", [] {
    PrefixCode({1, 3}, {'a', 'b', 'c', 'd'}, false, "it");
  });
}

TEST_CASE("EXIF: what is damaged is upright") {
  const std::string tiff("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0", 26);
  CHECK(exif_orientation(tiff) == 6);
  for (size_t size = 0; size < 19; ++size) CHECK(exif_orientation(tiff.substr(0, size)) == 1);
  std::string other = tiff;
  other[18] = 9;
  CHECK(exif_orientation(other) == 1);
  other = tiff;
  other[12] = 4;
  CHECK(exif_orientation(other) == 1);
  other = tiff;
  other.replace(4, 4, "\xFF\xFF\xFF\xFF");
  CHECK(exif_orientation(other) == 1);
}

}  // namespace
}  // namespace tarsier::zoo
