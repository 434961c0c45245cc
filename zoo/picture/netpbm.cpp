// PGM and PPM. Source: https://netpbm.sourceforge.net/doc/ppm.html
#include <algorithm>
#include <cstdio>

#include "zoo/picture/formats.h"

namespace tarsier::zoo {

namespace {

/// The next whole number of a PGM or PPM header or ASCII body; moves `at` past it.
int64_t netpbm_number(const Bytes& file, size_t& at, const char* what) {
  const auto is_space = [](uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (is_space(file.at(at)) || file.at(at) == '#') {
    if (file.at(at) == '#')
      while (file.at(at) != '\n') ++at;
    ++at;
  }
  const size_t begin = at;
  int64_t value = 0;
  for (; at < file.bytes.size() && file.at(at) >= '0' && file.at(at) <= '9'; ++at)
    value = std::min<int64_t>(value * 10 + (file.at(at) - '0'), 1'000'000'000'000);
  if (at == begin) {
    char byte[8];
    std::snprintf(byte, sizeof byte, "0x%02X", file.at(at));
    fail("data", "'", file.path, "', byte ", at, ": ", what, " was expected, but found ", byte);
  }
  return value;
}

}  // namespace

Picture read_netpbm(const Bytes& file, Levels levels) {
  const char kind = file.bytes[1];
  const bool stored = levels == Levels::stored;
  size_t at = 2;
  const int64_t width = netpbm_number(file, at, "the width");
  const int64_t height = netpbm_number(file, at, "the height");
  const int64_t highest = netpbm_number(file, at, "the highest level");
  check(highest >= 1 && highest <= 65535, "data", "'", file.path,
        "' claims that its highest level ", "is ", highest, ", but it must be from 1 to 65535");
  const bool ascii = kind == '2' || kind == '3';
  ++at;  // one white space ends the header
  const int64_t channels = kind == '3' || kind == '6' ? 3 : 1;
  check(!stored || channels == 1, "data", "'", file.path, "' has colours: ", kOneNumber);
  Picture out = empty_picture(file, channels, height, width, [&] {
    const int64_t levels = channels * height * width;
    // In ASCII at least one digit each, with white space between.
    return static_cast<int64_t>(at) + (ascii           ? 2 * levels - 1
                                       : highest > 255 ? 2 * levels
                                                       : levels);
  });
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t c = 0; c < out.channels; ++c) {
        const size_t begin = at;
        int64_t level = 0;
        if (ascii) {
          level = netpbm_number(file, at, "a level");
        } else {
          level = file.at(at++);
          if (highest > 255) level = level << 8 | file.at(at++);
        }
        check(level <= highest, "data", "'", file.path, "', byte ", begin, ": level ", level,
              " is above the highest, ", highest);
        check(!stored || level <= 255, "data", "'", file.path, "', byte ", begin, ": the number ",
              level, " is above 255");
        out.at(c, y, x) =
            static_cast<uint8_t>(stored ? level : (level * 255 + highest / 2) / highest);
      }
  return out;
}

}  // namespace tarsier::zoo
