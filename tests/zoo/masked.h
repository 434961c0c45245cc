#pragma once
// Pictures with masks, for tests of segmenters.

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/zoo/scratch.h"
#include "zoo/data/dice.h"
#include "zoo/picture/drawing.h"
#include "zoo/picture/write.h"
#include "zoo/zip/checksum.h"

namespace tarsier::zoo {

/// The --set values of a segmenter that trains in milliseconds.
inline const Changes kTinySegmenter{
    {"layers", "1"},     {"decoder_layers", "1"}, {"heads", "2"},
    {"width", "8"},      {"mlp_width", "8"},      {"detail", "2"},
    {"batch_size", "4"}, {"dropout", "0.1"},      {"warmup_steps", "2"}};

/// A picture of 16 × 12 pixels with two squares, each red (class 1) or, if `classes` is 3, green
/// (class 2), on grey (class 0); and its mask.
struct Masked {
  Picture picture, mask;
};
inline Masked draw_masked(Dice& dice, int64_t classes) {
  Masked out{{3, 12, 16, std::vector<uint8_t>(3 * 12 * 16, 90)},
             {1, 12, 16, std::vector<uint8_t>(12 * 16, 0)}};
  for (int64_t k = 0; k < 2; ++k) {
    const int64_t x = dice.below(4) + 8 * k, y = dice.below(8), c = 1 + dice.below(classes - 1);
    draw_frame(out.picture, x, y, x + 4, y + 4, c == 1 ? Color{220, 30, 30} : Color{30, 220, 30},
               2);
    for (int64_t at = 0; at < 16; ++at)
      out.mask.at(0, y + at / 4, x + at % 4) = static_cast<uint8_t>(c);
  }
  return out;
}

/// `count` of these in the folder `name`, masks next to them: part0.png, part0-label.png, …
inline void write_masked(const Scratch& scratch, const std::string& name, const std::string& part,
                         int count, uint64_t seed, int64_t classes = 3) {
  const std::string folder = scratch.path(name + "/" + part);
  std::filesystem::create_directories(folder);
  Dice dice({seed, 0});
  for (int i = 0; i < count; ++i) {
    const Masked one = draw_masked(dice, classes);
    write_picture(concat(folder, "/", part, i, ".png"), one.picture);
    write_picture(concat(folder, "/", part, i, "-label.png"), one.mask);
  }
}

/// The bytes of a PNG with a palette of 256 colours, of which `numbers` are those of the pixels.
inline std::string palette_png(const Picture& numbers) {
  std::string file = png_of(numbers);
  const auto with_checksum = [](std::string part) {
    const uint32_t sum = crc32(part);
    for (int shift = 24; shift >= 0; shift -= 8) part += static_cast<char>(sum >> shift & 255);
    return part;
  };
  std::string header = file.substr(12, 17), colours = "PLTE";
  header[13] = '\3';
  for (int i = 0; i < 3 * 256; ++i) colours += static_cast<char>(37 * i + 11);
  return file.substr(0, 12) + with_checksum(header) + std::string("\0\0\3\0", 4) +
         with_checksum(colours) + file.substr(33);
}

}  // namespace tarsier::zoo
