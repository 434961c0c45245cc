#pragma once
// JPEG in three steps: jpeg.cpp reads what the file says of itself, jpeg_scan.cpp the coefficients,
// jpeg_pixels.cpp computes pixels from them. Source of all: ITU-T T.81 (here "T.81").

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../data/bytes.h"
#include "../zip/prefix_code.h"
#include "picture.h"

namespace tarsier::zoo::jpeg {

/// 8 × 8 coefficients of the cosine transform, row after row, lowest frequencies first.
using Block = std::array<int16_t, 64>;

/// One of the colours: brightness, or a difference of colour, often with fewer pixels.
struct Component {
  int id = 0;
  int across = 1, down = 1;       ///< blocks in a unit of the picture: its sampling factors
  int quantiser = 0;              ///< the number of its table
  int64_t height = 0, width = 0;  ///< in pixels of its own
  /// Blocks that are stored: with those that fill up the last units of the picture.
  int64_t block_rows = 0, block_columns = 0;
  std::vector<Block> blocks;

  Block& block(int64_t row, int64_t column) {
    return blocks[static_cast<size_t>(row * block_columns + column)];
  }
  const Block& block(int64_t row, int64_t column) const {
    return blocks[static_cast<size_t>(row * block_columns + column)];
  }
};

/// What the file says of the picture.
struct Frame {
  int64_t height = 0, width = 0;
  bool progressive = false;
  int most_across = 1, most_down = 1;  ///< of all components
  std::vector<Component> components;   ///< 1: grey; 3: in colours
  bool in_rgb = false;                 ///< otherwise brightness and two differences of colour
  std::array<std::array<uint16_t, 64>, 4> quantisers{};  ///< by frequency, row after row
  std::array<bool, 4> has_quantiser{};
  int64_t restart_interval = 0;  ///< units between two restarts; 0: none
};

/// The places of coefficients in the sequence in which they are stored (T.81, figure 5).
extern const std::array<uint8_t, 64> kZigzag;

/// One pass over some components, which sends some of their coefficients, or some of their bits.
struct Scan {
  std::vector<Component*> components;
  std::vector<const PrefixCode*> dc_codes, ac_codes;  ///< of each component
  int first = 0, last = 63;                           ///< coefficients, in zigzag order
  int high = 0, low = 0;  ///< bits below `high` were not sent yet (0: none was), now down to `low`
};

/// Reads the coefficients of a scan that begins at byte `at`. Returns where it ends: at a marker.
/// Throws Error("data") for a scan that is cut off or damaged.
size_t read_scan(const Bytes& file, size_t at, const Frame& frame, const Scan& scan);

/// The pixels of a picture whose coefficients are known.
Picture pixels_of(const Frame& frame);

}  // namespace tarsier::zoo::jpeg
