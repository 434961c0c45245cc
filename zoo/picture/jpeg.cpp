#include "zoo/picture/jpeg.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "zoo/picture/exif.h"
#include "zoo/picture/formats.h"

namespace tarsier::zoo {

namespace jpeg {

const std::array<uint8_t, 64> kZigzag = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

namespace {

/// Reads markers with their contents, until the picture is complete.
class Reader {
 public:
  explicit Reader(const Bytes& file) : file_(file) {}

  Picture read() {
    size_t at = 2;  // after the marker that begins the file
    for (;;) {
      const int marker = next_marker(at);
      if (marker == 0xD9) break;
      if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7)) continue;  // without contents
      const size_t size = file_.big_endian(at, 2);
      require(size >= 2, at, "a part has no size");
      file_.at(at + size - 1);  // reports a file that is cut off
      const size_t begin = at + 2, end = at + size;
      at = end;
      if (marker == 0xDA)
        at = scan(begin, end);
      else
        segment(marker, begin, end);
    }
    require(frame_.has_value() && scans_ > 0, at, "the file ends without a picture");
    for (const Component& component : frame_->components)
      require(frame_->has_quantiser[static_cast<size_t>(component.quantiser)], at,
              "a table of quantisers is missing");
    frame_->in_rgb = is_rgb();
    return upright(pixels_of(*frame_), orientation_);
  }

 private:
  void require(bool condition, size_t at, const char* what) const {
    check(condition, "data", "'", file_.path, "', byte ", at, ": ", what,
          ": the JPEG file is damaged");
  }
  [[noreturn]] void unsupported(const char* what) const {
    fail("data", "'", file_.path, "' is a JPEG file ", what,
         ", which cannot be read: convert it to an ordinary one");
  }

  /// The marker at `at`, which moves past it. Bytes of 0xFF may fill the space before it.
  int next_marker(size_t& at) const {
    require(file_.at(at) == 0xFF, at, "a marker was expected");
    while (file_.at(at) == 0xFF) ++at;
    return file_.at(at++);
  }

  void segment(int marker, size_t begin, size_t end) {
    const std::string_view data = file_.bytes.substr(begin, end - begin);
    if (marker == 0xC4) return codes(begin, end);
    if (marker == 0xDB) return quantisers(begin, end);
    if (marker == 0xDD) {
      require(end - begin == 2, begin, "the interval of restarts is not one number");
      interval_ = file_.big_endian(begin, 2);
    } else if (marker == 0xE1 && data.starts_with(std::string_view("Exif\0\0", 6))) {
      orientation_ = exif_orientation(data.substr(6));
    } else if (marker == 0xE0 && data.starts_with("JFIF")) {
      is_jfif_ = true;
    } else if (marker == 0xEE && data.starts_with("Adobe") && data.size() >= 12) {
      adobe_transform_ = static_cast<uint8_t>(data[11]);
    } else if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC8 && marker != 0xCC) {
      frame(marker, begin, end);
    } else if (marker == 0xCC) {
      unsupported("with arithmetic coding");
    }
  }

  /// T.81, B.2.4.1
  void quantisers(size_t at, size_t end) {
    while (at < end) {
      const int head = file_.at(at++), size = head >> 4;  // 0: bytes; 1: 16 bits
      const auto table = static_cast<size_t>(head & 15);
      require(size <= 1 && table < 4, at - 1, "there is no such table of quantisers");
      require(end - at >= static_cast<size_t>(64 * (size + 1)), at, "a table is too short");
      for (const uint8_t place : kZigzag) {
        quantisers_[table][place] =
            static_cast<uint16_t>(file_.big_endian(at, static_cast<size_t>(size + 1)));
        at += static_cast<size_t>(size + 1);
      }
      has_quantiser_[table] = true;
    }
  }

  /// T.81, B.2.4.2
  void codes(size_t at, size_t end) {
    while (at < end) {
      const int head = file_.at(at++), kind = head >> 4;  // 0: of DC; 1: of AC
      const auto table = static_cast<size_t>(head & 15);
      require(kind <= 1 && table < 4, at - 1, "there is no such table of codes");
      require(end - at >= 16, at, "a table is too short");
      PrefixCode::Counts counts{};
      size_t total = 0;
      for (uint16_t& count : counts) total += count = file_.at(at++);
      require(end - at >= total && total <= 256, at, "a table is too short");
      std::vector<uint16_t> symbols;
      for (size_t i = 0; i < total; ++i) symbols.push_back(file_.at(at++));
      (kind == 0 ? dc_codes_ : ac_codes_)[table] =
          PrefixCode(counts, symbols, false, ("'" + file_.path + "': a table of codes").c_str());
    }
  }

  /// T.81, B.2.2
  void frame(int marker, size_t at, size_t end) {
    if (marker >= 0xC9) unsupported("with arithmetic coding");
    if (marker == 0xC3 || marker == 0xC7) unsupported("without loss (lossless JPEG)");
    if (marker > 0xC2) unsupported("of the hierarchical kind");
    require(!frame_, at, "there are two pictures in one");
    require(end - at >= 6, at, "a part is too short");
    if (file_.at(at) != 8) unsupported("with more than 8 bits");
    Frame frame;
    frame.progressive = marker == 0xC2;
    frame.height = file_.big_endian(at + 1, 2);
    frame.width = file_.big_endian(at + 3, 2);
    if (frame.height == 0) unsupported("that does not say how high it is");
    check_size(file_, frame.height, frame.width);
    const int count = file_.at(at + 5);
    if (count == 4) unsupported("in CMYK");
    require(count == 1 || count == 3, at + 5, "a picture has 1 or 3 components");
    require(end - at == static_cast<size_t>(6 + 3 * count), at, "a part has another size");
    for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
      Component c;
      c.id = file_.at(at + 6 + 3 * i);
      c.across = file_.at(at + 7 + 3 * i) >> 4;
      c.down = file_.at(at + 7 + 3 * i) & 15;
      c.quantiser = file_.at(at + 8 + 3 * i);
      require(c.across >= 1 && c.across <= 4 && c.down >= 1 && c.down <= 4 && c.quantiser < 4, at,
              "a component has no such sampling or table");
      frame.most_across = std::max(frame.most_across, c.across);
      frame.most_down = std::max(frame.most_down, c.down);
      frame.components.push_back(std::move(c));
    }
    set_sizes(frame);
    frame_ = std::move(frame);
  }

  /// The blocks of all components, if the bytes of the file can hold so many.
  void set_sizes(Frame& frame) const {
    const auto ratio = [](int64_t a, int64_t b) { return (a + b - 1) / b; };
    // One block needs at least a bit.
    check(static_cast<int64_t>(file_.bytes.size()) >= frame.height * frame.width / 512, "data", "'",
          file_.path, "' has ", file_.bytes.size(), " bytes, too few for ", frame.width, " × ",
          frame.height, " pixels: it is cut off");
    for (Component& c : frame.components) {
      if (frame.most_across % c.across != 0 || frame.most_down % c.down != 0)
        unsupported("whose colours have sizes that do not divide");
      c.width = ratio(frame.width * c.across, frame.most_across);
      c.height = ratio(frame.height * c.down, frame.most_down);
      c.block_columns = ratio(frame.width, 8 * frame.most_across) * c.across;
      c.block_rows = ratio(frame.height, 8 * frame.most_down) * c.down;
      c.blocks.resize(static_cast<size_t>(c.block_rows * c.block_columns));
    }
  }

  /// T.81, B.2.3
  size_t scan(size_t at, size_t end) {
    require(frame_.has_value(), at, "a scan comes before the size of the picture");
    // A file of a few bytes must not keep us busy.
    require(++scans_ <= 200, at, "there are more than 200 scans");
    const size_t count = file_.at(at);
    require(count >= 1 && count <= 3 && end - at == 4 + 2 * count, at, "a scan has another size");
    Scan scan;
    for (size_t i = 0; i < count; ++i) {
      const int id = file_.at(at + 1 + 2 * i), codes = file_.at(at + 2 + 2 * i);
      const auto found = std::find_if(frame_->components.begin(), frame_->components.end(),
                                      [&](const Component& c) { return c.id == id; });
      require(found != frame_->components.end() &&
                  std::find(scan.components.begin(), scan.components.end(), &*found) ==
                      scan.components.end(),
              at, "a scan is of a component that there is not");
      require(codes >> 4 < 4 && (codes & 15) < 4, at, "a scan needs a table that there is not");
      scan.components.push_back(&*found);
      scan.dc_codes.push_back(&dc_codes_[static_cast<size_t>(codes >> 4)]);
      scan.ac_codes.push_back(&ac_codes_[static_cast<size_t>(codes & 15)]);
    }
    const size_t rest = at + 1 + 2 * count;
    scan.first = file_.at(rest);
    scan.last = file_.at(rest + 1);
    scan.high = file_.at(rest + 2) >> 4;
    scan.low = file_.at(rest + 2) & 15;
    if (!frame_->progressive) {
      scan.first = scan.high = scan.low = 0;
      scan.last = 63;
    }
    require(scan.first <= scan.last && scan.last < 64 && scan.low <= 13 &&
                (!frame_->progressive || (scan.first == 0) == (scan.last == 0)) &&
                (scan.first == 0 || count == 1) && (scan.high == 0 || scan.high == scan.low + 1),
            rest, "a scan sends coefficients that there are not");
    frame_->restart_interval = interval_;
    // A table may change after its component was sent: the first one counts.
    for (const Component* c : scan.components) {
      const auto table = static_cast<size_t>(c->quantiser);
      if (frame_->has_quantiser[table] || !has_quantiser_[table]) continue;
      frame_->quantisers[table] = quantisers_[table];
      frame_->has_quantiser[table] = true;
    }
    return read_scan(file_, end, *frame_, scan);
  }

  /// As libjpeg decides it: by Adobe's marker, else by JFIF's, else by the names of the components.
  bool is_rgb() const {
    if (frame_->components.size() != 3) return false;
    if (adobe_transform_ && !is_jfif_) return *adobe_transform_ == 0;
    const auto& c = frame_->components;
    return !is_jfif_ && c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B';
  }

  const Bytes& file_;
  std::optional<Frame> frame_;
  std::array<std::array<uint16_t, 64>, 4> quantisers_{};
  std::array<bool, 4> has_quantiser_{};
  std::array<PrefixCode, 4> dc_codes_, ac_codes_;
  int64_t interval_ = 0;
  int scans_ = 0, orientation_ = 1;
  bool is_jfif_ = false;
  std::optional<int> adobe_transform_;
};

}  // namespace

}  // namespace jpeg

Picture read_jpeg(const Bytes& file) { return jpeg::Reader(file).read(); }

}  // namespace tarsier::zoo
