// PNG files of our own, the compression inside them, and sheets of pictures.
#include <doctest/doctest.h>

#include <filesystem>

#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "zoo/data/dice.h"
#include "zoo/picture/read.h"
#include "zoo/picture/sheet.h"
#include "zoo/picture/write.h"
#include "zoo/zip/checksum.h"
#include "zoo/zip/deflate.h"
#include "zoo/zip/inflate.h"

namespace tarsier::zoo {
namespace {

std::string noise(size_t size, int64_t levels) {
  Dice dice({7, 0});
  std::string bytes;
  for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(dice.below(levels));
  return bytes;
}

TEST_CASE("deflate: what inflate undoes") {
  std::string fibonacci;  // Huffman's code for such counts would have 24 bits
  for (size_t symbol = 0, a = 1, b = 1; symbol < 25; ++symbol, b += a, a = b - a)
    fibonacci.append(a, static_cast<char>(symbol));
  std::string scattered = fibonacci;  // in an order without repeats of three
  Dice dice({3, 0});
  for (size_t i = scattered.size(); i > 1; --i)
    std::swap(scattered[i - 1],
              scattered[static_cast<size_t>(dice.below(static_cast<int64_t>(i)))]);
  std::string far = noise(20'000, 256);
  far += far.substr(0, 300) + noise(15'000, 2) + far.substr(0, 300);
  for (const std::string& bytes :
       {std::string(), std::string("a"), std::string("aaa"), std::string("aaaa"),
        std::string("abcabcabcabc"), std::string(100'000, '\0'), std::string(258, 'x'),
        std::string(259, 'x'), noise(3'000, 256), noise(70'000, 4), fibonacci, scattered, far}) {
    CAPTURE(bytes.size());
    const std::string stream = deflate(bytes);
    CHECK(inflate(stream, bytes.size(), "x") == bytes);
  }
}

TEST_CASE("deflate: repeats and rare bytes take little") {
  CHECK(deflate(std::string(100'000, '\0')).size() < 250);  // 1,032 bytes become one, at best
  CHECK(deflate(noise(80'000, 4)).size() < 24'500);         // of zlib at its best 23,749
  CHECK(deflate(noise(3'000, 256)).size() < 3'300);
  const std::string once = noise(10'000, 256);
  CHECK(deflate(once + once).size() < deflate(once).size() + 300);
}

TEST_CASE("checksums of PNG and zlib") {
  // Python: zlib.crc32(b"123456789"), zlib.adler32(b"Wikipedia"), and of 100,000 bytes 255.
  CHECK(crc32("123456789") == 0xCBF43926);
  CHECK(adler32("Wikipedia") == 0x11E60398);
  CHECK(adler32(std::string(100'000, '\xFF')) == 0x149A302C);
}

Picture drawn(int64_t channels, int64_t height, int64_t width, int64_t levels, bool smooth) {
  Picture out{channels, height, width, {}};
  const std::string bytes = noise(static_cast<size_t>(out.numel()), levels);
  out.pixels.assign(bytes.begin(), bytes.end());
  for (int64_t c = 0; smooth && c < channels; ++c)
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x)
        out.at(c, y, x) = static_cast<uint8_t>(out.at(c, y, x) + 3 * x + 2 * y + 40 * c);
  return out;
}

TEST_CASE("PNG: what is written is read") {
  const Scratch scratch;
  const std::string path = scratch.path("p.png");
  for (const int64_t channels : {1, 3})
    for (const bool smooth : {false, true})
      for (const auto& [height, width] :
           {std::pair<int64_t, int64_t>{1, 1}, {1, 9}, {7, 1}, {30, 41}}) {
        CAPTURE(channels);
        CAPTURE(width);
        const Picture picture = drawn(channels, height, width, smooth ? 3 : 256, smooth);
        write_picture(path, picture);
        const Picture back = read_picture(path);
        CHECK(back.channels == channels);
        CHECK(back.height == height);
        CHECK(back.width == width);
        CHECK(back.pixels == picture.pixels);
      }
}

TEST_CASE("PNG: filters help photographs, and drawings do without") {
  const Picture photograph = drawn(3, 60, 80, 2, true), drawing = drawn(1, 60, 80, 2, false);
  // 1 bit of noise a byte is 1,800 and 600 bytes; as a difference from others it is more.
  CHECK(png_of(photograph).size() < 4'000);
  CHECK(png_of(drawing).size() < 950);
}

TEST_CASE("PNG: what cannot be written is refused, and the old file stays") {
  const Scratch scratch;
  const std::string path = scratch.write("p.png", "old");
  CHECK(error_of([&] {
          write_picture(path, {2, 1, 1, {0, 0}});
        }) == "[picture] a picture of 2 channels: 1 (grey) or 3 (red, green, blue) can be written");
  check_error("a picture of 0 × 1", [&] { write_picture(path, {1, 1, 0, {}}); });
  check_error("2 × 1 with 1 values", [&] { write_picture(path, {1, 1, 2, {0}}); });
  check_error("pixels can be written", [&] { write_picture(path, {1, 20'000, 20'000, {0}}); });
  check_error("'p.jpg': pictures are written as PNG", [&] {
    write_picture("p.jpg", {1, 1, 1, {0}});
  });
  CHECK(std::filesystem::file_size(path) == 3);
}

TEST_CASE("a sheet of pictures") {
  const Picture dot{1, 1, 1, {255}}, line{1, 1, 2, {0, 9}}, colour{3, 1, 1, {1, 2, 3}};
  const Picture out = sheet({dot, line, dot}, 2, 2);
  // Two rows of two places, each 2 × 4 pixels, and gaps of 2.
  CHECK(out.channels == 1);
  CHECK(out.height == 10);
  CHECK(out.width == 14);
  CHECK(out.at(0, 0, 0) == 128);
  CHECK(out.at(0, 2, 2) == 255);
  CHECK(out.at(0, 3, 3) == 255);
  CHECK(out.at(0, 2, 4) == 128);  // narrower than its place
  CHECK(out.at(0, 2, 8) == 0);
  CHECK(out.at(0, 3, 11) == 9);
  CHECK(out.at(0, 6, 2) == 255);
  CHECK(out.at(0, 6, 8) == 128);  // a free place
  const Picture colours = sheet({dot, colour}, 5);
  CHECK(colours.channels == 3);
  CHECK(colours.width == 8);
  CHECK(colours.at(2, 2, 2) == 255);
  CHECK(colours.at(2, 2, 5) == 3);
  CHECK(sheet({dot}, 1).numel() == 25);
  check_error("a sheet of 0 pictures", [] { sheet({}, 1); });
  check_error("0 columns", [&] { sheet({dot}, 0); });
  check_error("a picture of 0 × 0", [] { sheet({Picture{}}, 1); });
}

}  // namespace
}  // namespace tarsier::zoo
