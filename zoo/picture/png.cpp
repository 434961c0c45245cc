// PNG. Source: https://www.w3.org/TR/png-3
#include <algorithm>
#include <string>
#include <vector>

#include "zoo/picture/exif.h"
#include "zoo/picture/formats.h"
#include "zoo/picture/png_filter.h"
#include "zoo/zip/checksum.h"
#include "zoo/zip/inflate.h"

namespace tarsier::zoo {

namespace {

enum Colour { grey = 0, rgb = 2, palette = 3, grey_alpha = 4, rgb_alpha = 6 };

/// What the chunks say of the pixels.
struct Png {
  int64_t width = 0, height = 0;
  int depth = 0, colour = 0;
  bool interlaced = false;
  std::string_view colours, transparent;  // the chunks PLTE and tRNS
  std::string pixels;                     // the chunks IDAT, joined: compressed
  int orientation = 1;

  bool has_palette() const { return colour == palette; }
  bool has_alpha() const { return (colour & 4) != 0; }
  int64_t samples() const {  // of a pixel
    return (colour & 2) == 0 || has_palette() ? 1 + has_alpha() : 3 + has_alpha();
  }
  int64_t channels() const { return (colour & 2) != 0 ? 3 : 1; }  // of the result
  int64_t row_bytes(int64_t pixels_of_row) const {
    return (pixels_of_row * samples() * depth + 7) / 8;
  }
};

// ------------------------------------------------------------------------------------------ chunks

void read_header(const Bytes& file, size_t at, size_t size, Png& png) {
  check(size == 13, "data", "'", file.path, "', byte ", at, ": a PNG's header has 13 bytes, not ",
        size);
  png.width = file.big_endian(at, 4);
  png.height = file.big_endian(at + 4, 4);
  check_size(file, png.height, png.width);
  png.depth = file.at(at + 8);
  png.colour = file.at(at + 9);
  const bool any_depth = png.colour == grey || png.colour == palette;
  const bool known = png.colour == grey || png.colour == rgb || png.colour == palette ||
                     png.colour == grey_alpha || png.colour == rgb_alpha;
  const int d = png.depth;
  const bool fits =
      d == 8 || (d == 16 && !png.has_palette()) || (any_depth && (d == 1 || d == 2 || d == 4));
  check(known && fits, "data", "'", file.path, "', byte ", at + 8, ": PNG has no colour type ",
        png.colour, " with ", png.depth, " bits");
  check(file.at(at + 10) == 0 && file.at(at + 11) == 0 && file.at(at + 12) <= 1, "data", "'",
        file.path, "', byte ", at + 10, ": an unknown compression, filter or interlacing of PNG");
  png.interlaced = file.at(at + 12) == 1;
}

Png read_chunks(const Bytes& file) {
  check(file.bytes.substr(0, 8) == "\x89PNG\r\n\x1A\n", "data", "'", file.path,
        "' begins like a PNG file, but not its line ends: it was copied as text, or is cut off");
  Png png;
  bool done = false;
  for (size_t at = 8; !done;) {
    const size_t size = file.big_endian(at, 4), begin = at + 8;
    file.at(begin + size + 3);  // reports a file that is cut off
    const std::string_view kind = file.bytes.substr(at + 4, 4);
    const std::string_view data = file.bytes.substr(begin, size);
    check(crc32(file.bytes.substr(at + 4, size + 4)) == file.big_endian(begin + size, 4), "data",
          "'", file.path, "', byte ", at, ": the checksum of a part of the PNG file is wrong");
    const bool first = at == 8;
    check(first == (kind == "IHDR"), "data", "'", file.path, "', byte ", at,
          ": a PNG file has one header, at its beginning");
    if (first) read_header(file, begin, size, png);
    if (kind == "PLTE") png.colours = data;
    if (kind == "tRNS") png.transparent = data;
    if (kind == "eXIf") png.orientation = exif_orientation(data);
    if (kind == "IDAT") png.pixels += data;
    if (kind == "IEND") done = true;
    const bool critical = (kind[0] & 32) == 0;
    check(!critical || first || kind == "PLTE" || kind == "IDAT" || kind == "IEND", "data", "'",
          file.path, "', byte ", at + 4, ": a part of the PNG file is of an unknown kind");
    at = begin + size + 4;
  }
  check(!png.has_palette() || (!png.colours.empty() && png.colours.size() % 3 == 0), "data", "'",
        file.path, "' has no palette, but its pixels need one");
  return png;
}

// ------------------------------------------------------------------------------------------ pixels

/// An image that is sent on its own: all pixels, or with interlacing one of seven parts.
struct Pass {
  int64_t top = 0, left = 0, down = 1, right = 1;  // the first pixel, and steps to the next ones

  int64_t rows(const Png& png) const { return (png.height - top + down - 1) / down; }
  int64_t columns(const Png& png) const { return (png.width - left + right - 1) / right; }
  bool empty(const Png& png) const { return rows(png) <= 0 || columns(png) <= 0; }
  /// Each row begins with the number of its filter.
  int64_t bytes(const Png& png) const {
    return empty(png) ? 0 : rows(png) * (1 + png.row_bytes(columns(png)));
  }
};

std::vector<Pass> passes_of(const Png& png) {
  if (!png.interlaced) return {{}};
  return {{0, 0, 8, 8}, {0, 4, 8, 8}, {4, 0, 8, 4}, {0, 2, 4, 4},
          {2, 0, 4, 2}, {0, 1, 2, 2}, {1, 0, 2, 1}};
}

/// Undoes the filter of a row in place: each byte was stored as a difference from those `step`
/// bytes before it, above it (`above`; null for the first row), or both.
void unfilter(const Bytes& file, int filter, uint8_t* row, const uint8_t* above, int64_t bytes,
              int64_t step) {
  check(filter < kPngFilters, "data", "'", file.path, "' has a row with the filter ", filter,
        ", which PNG does not have: it is damaged");
  for (int64_t i = 0; i < bytes; ++i) {
    const int a = i >= step ? row[i - step] : 0;
    const int b = above != nullptr ? above[i] : 0;
    const int c = above != nullptr && i >= step ? above[i - step] : 0;
    row[i] = static_cast<uint8_t>(row[i] + png_guess(filter, a, b, c));
  }
}

/// Sample `i` of a row, as it is stored: 0 to 2^depth − 1.
int sample(const uint8_t* row, int64_t i, int depth) {
  if (depth == 16) return row[2 * i] << 8 | row[2 * i + 1];
  const int64_t bit = i * depth;
  return row[bit / 8] >> (8 - depth - bit % 8) & ((1 << depth) - 1);
}

/// From 0 to 2^depth − 1 to 0 to 255.
int scaled(int value, int depth) {
  const int most = (1 << depth) - 1;
  return (value * 255 + most / 2) / most;
}

/// The colour on white, as opaque as `alpha`, 0 to 255.
uint8_t on_white(int colour, int alpha) {
  return static_cast<uint8_t>((colour * alpha + 255 * (255 - alpha) + 127) / 255);
}

/// Puts pixel `i` of a row into the picture.
void put_pixel(const Bytes& file, const Png& png, const uint8_t* row, int64_t i, int64_t y,
               int64_t x, Picture& out) {
  const int64_t n = png.samples(), colours = n - png.has_alpha();
  const auto byte = [](std::string_view bytes, size_t at) {
    return static_cast<int>(static_cast<uint8_t>(bytes[at]));
  };
  if (png.has_palette()) {
    const auto index = static_cast<size_t>(sample(row, i, png.depth));
    check(3 * index < png.colours.size(), "data", "'", file.path, "' has a pixel with colour ",
          index, " of a palette of ", png.colours.size() / 3);
    const int alpha = index < png.transparent.size() ? byte(png.transparent, index) : 255;
    for (int64_t c = 0; c < 3; ++c)
      out.at(c, y, x) = on_white(byte(png.colours, 3 * index + static_cast<size_t>(c)), alpha);
    return;
  }
  int alpha = png.has_alpha() ? scaled(sample(row, i * n + colours, png.depth), png.depth) : 255;
  // Without alpha one colour may be the transparent one, two bytes for each of its samples.
  if (!png.has_alpha() && png.transparent.size() == static_cast<size_t>(2 * colours)) {
    bool same = true;
    for (int64_t c = 0; c < colours; ++c) {
      const auto at = static_cast<size_t>(2 * c);
      same = same && sample(row, i * n + c, png.depth) ==
                         (byte(png.transparent, at) << 8 | byte(png.transparent, at + 1));
    }
    if (same) alpha = 0;
  }
  for (int64_t c = 0; c < colours; ++c)
    out.at(c, y, x) = on_white(scaled(sample(row, i * n + c, png.depth), png.depth), alpha);
}

}  // namespace

Picture read_png(const Bytes& file, Levels levels) {
  const Png png = read_chunks(file);
  const bool stored = levels == Levels::stored;
  check(!stored || ((png.has_palette() || png.colour == grey) && png.depth <= 8), "data", "'",
        file.path, "' is a PNG of another kind: ", kOneNumber);
  const std::vector<Pass> passes = passes_of(png);
  int64_t size = 0;
  for (const Pass& pass : passes) size += pass.bytes(png);
  // Deflate cannot make more than 1,032 bytes of one.
  Picture out = empty_picture(file, stored ? 1 : png.channels(), png.height, png.width,
                              [&] { return size / 1032; });
  std::string data = inflate(png.pixels, static_cast<size_t>(size), file.path);
  const int64_t step = std::max<int64_t>(1, png.samples() * png.depth / 8);
  auto* at = reinterpret_cast<uint8_t*>(data.data());
  for (const Pass& pass : passes) {
    if (pass.empty(png)) continue;
    const int64_t bytes = png.row_bytes(pass.columns(png));
    const uint8_t* above = nullptr;
    for (int64_t r = 0; r < pass.rows(png); ++r, at += bytes) {
      const int filter = *at++;
      unfilter(file, filter, at, above, bytes, step);
      for (int64_t i = 0; i < pass.columns(png); ++i) {
        const int64_t y = pass.top + r * pass.down, x = pass.left + i * pass.right;
        if (stored)
          out.at(0, y, x) = static_cast<uint8_t>(sample(at, i, png.depth));
        else
          put_pixel(file, png, at, i, y, x, out);
      }
      above = at;
    }
  }
  return upright(std::move(out), png.orientation);
}

}  // namespace tarsier::zoo
