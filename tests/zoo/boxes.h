#pragma once
// Pictures with boxes, for tests of detectors.

#include <fstream>
#include <string>
#include <vector>

#include "tests/zoo/scratch.h"
#include "zoo/data/dice.h"
#include "zoo/picture/drawing.h"
#include "zoo/picture/write.h"

namespace tarsier::zoo {

/// The --set values of a detector that trains in milliseconds.
inline const Changes kTinyDetector{{"layers", "1"},  {"decoder_layers", "1"}, {"heads", "2"},
                                   {"width", "8"},   {"mlp_width", "8"},      {"stem_layers", "0"},
                                   {"queries", "6"}, {"batch_size", "4"},     {"dropout", "0.1"}};

/// Writes a table named after a part into the folder `name` of `scratch`, and `count` pictures of 16 ×
/// 12 pixels with one or two squares: of label 0 red, of label 1 green.
inline void write_squares(const Scratch& scratch, const std::string& name, const std::string& part,
                          int count, uint64_t seed, const std::vector<std::string>& labels) {
  std::filesystem::create_directories(scratch.path(name));
  std::ofstream table(scratch.path(name + "/" + part + ".tsv"));
  table << "image\tlabel\tx1\ty1\tx2\ty2\n";
  Dice dice({seed, 0});
  for (int i = 0; i < count; ++i) {
    const std::string file = concat(part, i, ".png");
    Picture picture{3, 12, 16, std::vector<uint8_t>(3 * 12 * 16, 90)};
    for (int64_t k = dice.below(2); k < 2; ++k) {
      const int64_t x = dice.below(4) + 8 * k, y = dice.below(8),
                    label = dice.below(std::ssize(labels));
      const Color color = label == 0 ? Color{220, 30, 30} : Color{30, 220, 30};
      draw_frame(picture, x, y, x + 4, y + 4, color, 2);
      table << file << '\t' << labels[static_cast<size_t>(label)] << '\t' << x << '\t' << y << '\t'
            << x + 4 << '\t' << y + 4 << '\n';
    }
    write_picture(scratch.path(name + "/" + file), picture);
  }
}

}  // namespace tarsier::zoo
