#include "zoo/picture/write.h"

#include <array>
#include <cstdlib>
#include <string_view>

#include "autograd/base/error.h"
#include "autograd/io/file.h"
#include "zoo/base/usage_error.h"
#include "zoo/picture/formats.h"
#include "zoo/picture/png_filter.h"
#include "zoo/zip/checksum.h"
#include "zoo/zip/deflate.h"

namespace tarsier::zoo {

namespace {

std::string big_endian(uint32_t value) {
  std::string out;
  for (int i = 3; i >= 0; --i) out += static_cast<char>(value >> 8 * i & 255);
  return out;
}

/// A part of the file: size, kind, data, checksum.
std::string chunk(std::string_view kind, std::string_view data) {
  std::string out(kind);
  out += data;
  return big_endian(static_cast<uint32_t>(data.size())) + out + big_endian(crc32(out));
}

/// Row `y` as the filter leaves it, the channels of a pixel together.
std::string filtered(const Picture& picture, int64_t y, int filter) {
  std::string row(1, static_cast<char>(filter));
  const auto value = [&](int64_t c, int64_t row_of, int64_t x) {
    return row_of < 0 || x < 0 ? 0 : picture.at(c, row_of, x);
  };
  for (int64_t x = 0; x < picture.width; ++x)
    for (int64_t c = 0; c < picture.channels; ++c) {
      const int guess =
          png_guess(filter, value(c, y, x - 1), value(c, y - 1, x), value(c, y - 1, x - 1));
      row += static_cast<char>(picture.at(c, y, x) - guess);
    }
  return row;
}

/// How far the bytes of a row are from 0: a filter that leaves small ones guessed well.
int64_t distance(std::string_view row) {
  int64_t sum = 0;
  for (const char byte : row.substr(1)) sum += std::abs(static_cast<int8_t>(byte));
  return sum;
}

/// The rows one after another: as they are, or each by the filter that guesses it best.
std::string rows_of(const Picture& picture, bool guessed) {
  std::string rows;
  for (int64_t y = 0; y < picture.height; ++y) {
    std::string best = filtered(picture, y, 0);
    for (int filter = 1; guessed && filter < kPngFilters; ++filter)
      if (std::string row = filtered(picture, y, filter); distance(row) < distance(best))
        best = std::move(row);
    rows += best;
  }
  return rows;
}

/// Whether the name ends in .png.
bool is_picture_name(const std::string& path) {
  return path.ends_with(".png") || path.ends_with(".PNG");
}

}  // namespace

std::string png_of(const Picture& picture) {
  check(picture.channels == 1 || picture.channels == 3, "picture", "a picture of ",
        picture.channels, " channels: 1 (grey) or 3 (red, green, blue) can be written");
  check(picture.height > 0 && picture.width > 0 && picture.height <= kMostPixels / picture.width &&
            static_cast<int64_t>(picture.pixels.size()) == picture.numel(),
        "picture", "a picture of ", picture.width, " × ", picture.height, " with ",
        picture.pixels.size(), " values: from 1 to ", kMostPixels, " pixels can be written");
  std::string header = big_endian(static_cast<uint32_t>(picture.width)) +
                       big_endian(static_cast<uint32_t>(picture.height));
  header += '\x08';                               // bits of a sample
  header += picture.channels == 1 ? '\0' : '\2';  // grey, or RGB
  header.append(3, '\0');                         // deflate, the filters above, no interlacing
  // Drawings of a few colours are smaller without filters, photographs with them.
  const std::string plain = deflate(rows_of(picture, false));
  const std::string guessed = deflate(rows_of(picture, true));
  return "\x89PNG\r\n\x1A\n" + chunk("IHDR", header) +
         chunk("IDAT", plain.size() <= guessed.size() ? plain : guessed) + chunk("IEND", "");
}

void check_out_picture(const std::string& out, size_t inputs) {
  if (out.empty()) return;
  if (!is_picture_name(out))
    usage_fail("predict", "--out is '", out, "': expected a name that ends in .png");
  if (inputs > 1) usage_fail("predict", "--out is one file, but there are ", inputs, " pictures");
}

void write_picture(const std::string& path, const Picture& picture) {
  check(is_picture_name(path), "picture", "'", path,
        "': pictures are written as PNG: give a name that ends in .png");
  write_file_atomically(path, png_of(picture));
}

}  // namespace tarsier::zoo
