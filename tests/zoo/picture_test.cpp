// Picture files (PGM, PPM, BMP), and fitting them to a model's size.

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "tests/error_of.h"
#include "tests/zoo/pictures.h"

namespace tarsier::zoo {
namespace {

using Bytes = std::vector<uint8_t>;

Picture read(const std::string& bytes) {
  const Scratch scratch;
  return read_picture(scratch.write("x", bytes));
}

TEST_CASE("PGM and PPM, in digits and in bytes, with comments and many levels") {
  const Picture grey = read("P2\n# by hand\n3 2 # wide, high\n15\n0 1 2\n 5 10\t15");
  CHECK(grey.channels == 1);
  CHECK(grey.height == 2);
  CHECK(grey.width == 3);
  CHECK(grey.pixels == Bytes{0, 17, 34, 85, 170, 255});
  CHECK(read(std::string("P5 2 1 255\n\x80\n", 13)).pixels == Bytes{128, 10});
  CHECK(read(std::string("P5\r\n2 1\n65535\n\x80\x00\xFF\xFF", 19)).pixels == Bytes{128, 255});
  const Picture colour = read("P3 2 1 255 1 2 3 4 5 6\n");
  CHECK(colour.channels == 3);
  CHECK(colour.pixels == Bytes{1, 4, 2, 5, 3, 6});
  CHECK(read("P6 1 2 255\nabcdef").pixels == Bytes{'a', 'd', 'b', 'e', 'c', 'f'});
}

TEST_CASE("errors of PGM and PPM files, with their position") {
  CHECK(picture_error("P5 2 1 255\nx") == " has 12 bytes, but 2 × 1 pixels need 13: it is cut off");
  CHECK(picture_error("P5 2 1 256\nxyz") ==
        " has 14 bytes, but 2 × 1 pixels need 15: it is cut off");
  CHECK(picture_error("P2 2 1 255\n7") == " has 12 bytes, but 2 × 1 pixels need 14: it is cut off");
  CHECK(picture_error("P2 2 1 255\n77 ") ==
        " ends at byte 14, in the middle of the picture: it is cut off");
  CHECK(read("P2 2 1 9 7 7").pixels.size() == 2);  // the smallest possible file
  // Refused before memory is allocated.
  CHECK(picture_error("P6 10000 10000 255\n") ==
        " has 19 bytes, but 10000 × 10000 pixels need 300000019: it is cut off");
  CHECK(picture_error("P5 2") == " ends at byte 4, in the middle of the picture: it is cut off");
  CHECK(picture_error("P5 2 # forever").find("cut off") != std::string::npos);
  CHECK(picture_error("P2 2 x 255\n") == ", byte 5: the height was expected, but found 0x78");
  CHECK(picture_error("P2 1 1 255\n-7") == ", byte 11: a level was expected, but found 0x2D");
  CHECK(picture_error("P2 2 1 9\n3 10") == ", byte 10: level 10 is above the highest, 9");
  CHECK(picture_error(std::string("P5 1 1 9\n\x0A", 10)) ==
        ", byte 9: level 10 is above the highest, 9");
  CHECK(picture_error("P2 1 1 0\n0") ==
        " claims that its highest level is 0, but it must be from 1 to 65535");
  CHECK(picture_error("P2 1 1 65536\n0").find("65536") != std::string::npos);
  CHECK(picture_error("P2 0 1 255\n").starts_with(" claims to have 0 × 1 pixels"));
  CHECK(picture_error("P5 99999999999999999999 99999999999999 255\n").find("can be read") !=
        std::string::npos);
}

void put(std::string& out, uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(i < 4 ? value >> 8 * i : 0);
}

/// A BMP file with a header of 40 bytes.
std::string bmp(int32_t width, int32_t height, int bits, const std::string& palette,
                const std::string& rows, uint32_t compression = 0) {
  std::string out = "BM";
  put(out, 0, 8);
  put(out, static_cast<uint32_t>(54 + palette.size()), 4);
  put(out, 40, 4);
  put(out, static_cast<uint32_t>(width), 4);
  put(out, static_cast<uint32_t>(height), 4);
  put(out, 1, 2);
  put(out, static_cast<uint32_t>(bits), 2);
  put(out, compression, 4);
  put(out, 0, 12);
  put(out, compression == 3 ? 0 : static_cast<uint32_t>(palette.size() / 4), 4);
  put(out, 0, 4);
  return out + palette + rows;
}

TEST_CASE("BMP: of every depth, from the bottom up and from the top down") {
  // Blue, green, red; rows fill 4 bytes.
  const std::string padded = std::string("BGRbgr\0\0", 8) + std::string("123456\0\0", 8);
  const Picture up = read(bmp(2, 2, 24, "", padded));
  CHECK(up.channels == 3);
  CHECK(up.pixels == Bytes{'3', '6', 'R', 'r', '2', '5', 'G', 'g', '1', '4', 'B', 'b'});
  const Picture down = read(bmp(2, -2, 24, "", padded));
  CHECK(down.pixels == Bytes{'R', 'r', '3', '6', 'G', 'g', '2', '5', 'B', 'b', '1', '4'});
  CHECK(read(bmp(1, 1, 32, "", "BGRA")).pixels == Bytes{'R', 'G', 'B'});
  const std::string masks("\0\0\xFF\0\0\xFF\0\0\xFF\0\0\0", 12);
  CHECK(read(bmp(1, 1, 32, masks, "BGRA", 3)).pixels == Bytes{'R', 'G', 'B'});

  const std::string palette = std::string("bgr\0BGR\0xyz\0", 12);
  CHECK(read(bmp(3, 1, 8, palette, std::string("\0\2\1\0", 4))).pixels ==
        Bytes{'r', 'z', 'R', 'g', 'y', 'G', 'b', 'x', 'B'});
  CHECK(read(bmp(3, 1, 4, palette, std::string("\x02\x10\0\0", 4))).pixels ==
        Bytes{'r', 'z', 'R', 'g', 'y', 'G', 'b', 'x', 'B'});
  CHECK(read(bmp(3, 1, 1, palette.substr(0, 8), std::string("\x40\0\0\0", 4))).pixels ==
        Bytes{'r', 'R', 'r', 'g', 'G', 'g', 'b', 'B', 'b'});
}

TEST_CASE("errors of BMP files, with their position") {
  const std::string good = bmp(1, 1, 24, "", "BGR");
  CHECK(picture_error(good) == "no error");
  CHECK(picture_error(good.substr(0, 56)) ==
        " has 56 bytes, but 1 × 1 pixels need 57: it is cut off");
  // Refused before memory is allocated.
  CHECK(picture_error(bmp(10'000, 10'000, 24, "", "")) ==
        " has 54 bytes, but 10000 × 10000 pixels need 300000054: it is cut off");
  CHECK(picture_error(bmp(10'000, -10'000, 1, std::string(8, 'x'), "")) ==
        " has 62 bytes, but 10000 × 10000 pixels need 12520060: it is cut off");
  CHECK(picture_error(good.substr(0, 20)).find("cut off") != std::string::npos);
  CHECK(picture_error(bmp(1, 1, 16, "", "BGRA")) ==
        ", byte 28: a BMP with 16 bits a pixel; 1, 4, 8, 24 and 32 can be read");
  CHECK(picture_error(bmp(1, 1, 8, "bgr", "BGRA", 1)).find("compressed by method 1") !=
        std::string::npos);
  CHECK(picture_error(bmp(1, 1, 32, std::string(12, 'x'), "BGRA", 3)).find("method 3") !=
        std::string::npos);
  CHECK(picture_error(bmp(1, 1, 8, std::string("bgr\0", 4), "\1")) ==
        ", byte 58: colour 1 of a palette of 1");
  CHECK(picture_error(bmp(0, 1, 24, "", "BGR")).find("0 × 1 pixels") != std::string::npos);
  CHECK(picture_error(bmp(-1, 1, 24, "", "BGR")).find("-1 × 1 pixels") != std::string::npos);
  CHECK(picture_error(bmp(2'000'000'000, INT32_MIN, 24, "", "BGR")).find("can be read") !=
        std::string::npos);
  CHECK(picture_error("BM").find("cut off") != std::string::npos);
}

TEST_CASE("other formats are named") {
  CHECK(picture_error("GIF89a").starts_with(" is a GIF file: give PNG, JPEG, PGM, PPM or BMP"));
  CHECK(picture_error("RIFF\1\2\3\4WEBPVP8 ").starts_with(" is a WebP file"));
  CHECK(picture_error("RIFF\1\2\3\4WAVE").starts_with(" is not an image"));
  CHECK(picture_error("II*").starts_with(" is a TIFF file"));
  CHECK(picture_error("\1\2\3\4ftypheic").starts_with(" is a HEIC or AVIF file"));
  CHECK(picture_error("").starts_with(" is not an image"));
  CHECK(picture_error("P").starts_with(" is not an image"));
  CHECK(picture_error("P7\n").starts_with(" is not an image"));
}

TEST_CASE("colours become grey by brightness, and grey becomes three channels") {
  const Picture colour{3, 1, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255}};
  CHECK(with_channels(colour, 1).pixels == Bytes{76, 150, 29});
  CHECK(with_channels({3, 1, 1, {255, 255, 255}}, 1).pixels == Bytes{255});
  CHECK(with_channels({1, 1, 2, {7, 9}}, 3).pixels == Bytes{7, 9, 7, 9, 7, 9});
  CHECK_THROWS_AS(with_channels(colour, 2), Error);
}

TEST_CASE("a smaller picture has means, a larger one interpolated pixels") {
  const Picture picture{1, 2, 4, {0, 10, 20, 30, 40, 50, 60, 70}};
  CHECK(resized(picture, 2, 4).pixels == picture.pixels);
  CHECK(resized(picture, 1, 2).pixels == Bytes{25, 45});
  CHECK(resized(picture, 1, 1).pixels == Bytes{35});
  // 4 → 3: each new pixel covers 4/3 old ones.
  CHECK(resized({1, 1, 4, {0, 32, 64, 96}}, 1, 3).pixels == Bytes{8, 48, 88});
  CHECK(resized({1, 1, 2, {0, 100}}, 1, 4).pixels == Bytes{0, 25, 75, 100});
  CHECK(resized({1, 1, 1, {9}}, 2, 3).pixels == Bytes(6, 9));
}

TEST_CASE("a picture of other proportions is fitted whole, on its mean colour") {
  const Picture wide = fitted({1, 1, 2, {0, 100}}, 1, 2, 2);
  CHECK(wide.pixels == Bytes{0, 100, 50, 50});
  const Picture high = fitted({1, 4, 2, {1, 1, 1, 1, 9, 9, 9, 9}}, 3, 2, 4);
  CHECK(high.channels == 3);
  CHECK(Bytes(high.pixels.begin(), high.pixels.begin() + 8) == Bytes{5, 1, 5, 5, 5, 9, 5, 5});
  CHECK(fitted({1, 1, 1000, Bytes(1000, 4)}, 1, 3, 3).pixels == Bytes(9, 4));
}

TEST_CASE("a sign is bright on black, as large as MNIST's, and in the middle") {
  // A dark bar of 2 × 10 in the corner of a bright, shaded background of 60 × 40.
  Picture paper{1, 60, 40, Bytes(2400, 240)};
  for (int64_t x = 0; x < 40; ++x) paper.at(0, 30, x) = 225;
  for (int64_t y = 3; y < 13; ++y) paper.at(0, y, 4) = paper.at(0, y, 5) = 20;
  const Picture sign = fitted_sign(paper, 28, 28);
  for (int64_t y = 0; y < 28; ++y)
    for (int64_t x = 0; x < 28; ++x) {
      CAPTURE(y);
      CAPTURE(x);
      CHECK(sign.at(0, y, x) == (y >= 4 && y < 24 && x >= 12 && x < 16 ? 255 : 0));
    }
  for (uint8_t& p : paper.pixels) p = static_cast<uint8_t>(255 - p);
  CHECK(fitted_sign(paper, 28, 28).pixels == sign.pixels);
  CHECK(fitted_sign({1, 5, 5, Bytes(25, 77)}, 4, 4).pixels == Bytes(16, 0));
  CHECK(fitted_sign({3, 1, 1, Bytes(3, 77)}, 4, 4).pixels == Bytes(16, 0));
}

}  // namespace
}  // namespace tarsier::zoo
