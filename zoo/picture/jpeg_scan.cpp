#include <algorithm>

#include "zoo/picture/jpeg.h"

namespace tarsier::zoo::jpeg {

namespace {

/// The bits of a scan; of each byte the highest comes first. A byte 0xFF of the data is followed by
/// a byte 0; otherwise it begins a marker, which ends the bits.
class Bits {
 public:
  Bits(const Bytes& file, size_t at) : file_(file), at_(at) {}

  /// The next `count` bits, at most 16, without taking them; beyond the end they are 0.
  uint32_t peek(int count) {
    while (held_ < count) {
      uint32_t byte = 0;
      if (at_end()) {
        missing_ += 8;
      } else {
        byte = static_cast<uint8_t>(file_.bytes[at_]);
        at_ += byte == 0xFF ? 2 : 1;
      }
      buffer_ = buffer_ << 8 | byte;
      held_ += 8;
    }
    return buffer_ >> (held_ - count) & ((uint32_t{1} << count) - 1);
  }
  void drop(int count) {
    held_ -= count;
    check(held_ >= missing_, "data", "'", file_.path, "', byte ", at_,
          ": the pixels end too early: the file is cut off or damaged");
  }
  uint32_t take(int count) {
    const uint32_t bits = peek(count);
    drop(count);
    return bits;
  }
  int symbol(const PrefixCode& code) {
    const PrefixCode::Entry entry =
        code.empty() ? PrefixCode::Entry{} : code.find(peek(code.longest()));
    require(entry.length > 0, "there is no such code");
    drop(entry.length);
    return entry.symbol;
  }
  /// A number of `size` bits; the lower half of them stands for negative ones (T.81, F.2.2.1).
  int number(int size) {
    if (size == 0) return 0;
    const int bits = static_cast<int>(take(size));
    return bits >= 1 << (size - 1) ? bits : bits - (1 << size) + 1;
  }
  /// Moves past the marker of a restart, which must be the next thing.
  void restart() {
    held_ = missing_ = 0;
    while (at_ + 1 < file_.bytes.size() && byte_at(at_) == 0xFF && byte_at(at_ + 1) == 0xFF) ++at_;
    require(at_ + 1 < file_.bytes.size() && byte_at(at_) == 0xFF && byte_at(at_ + 1) >= 0xD0 &&
                byte_at(at_ + 1) <= 0xD7,
            "a restart is missing");
    at_ += 2;
  }
  /// Where the scan ends: at the next marker. Bytes before it belong to nothing.
  size_t end() const {
    size_t at = at_;
    while (at + 1 < file_.bytes.size() &&
           !(byte_at(at) == 0xFF && byte_at(at + 1) != 0 && byte_at(at + 1) != 0xFF))
      ++at;
    return at;
  }
  void require(bool condition, const char* what) const {
    check(condition, "data", "'", file_.path, "', byte ", at_, ": ", what,
          ": the JPEG file is damaged");
  }

 private:
  uint8_t byte_at(size_t at) const { return static_cast<uint8_t>(file_.bytes[at]); }
  bool at_end() const {
    if (at_ >= file_.bytes.size()) return true;
    return byte_at(at_) == 0xFF && (at_ + 1 >= file_.bytes.size() || byte_at(at_ + 1) != 0);
  }

  const Bytes& file_;
  size_t at_;
  uint32_t buffer_ = 0;
  int held_ = 0, missing_ = 0;  // bits in the buffer, and those of them that the file lacks
};

/// Decodes the blocks of a scan, one after another.
class Decoder {
 public:
  Decoder(Bits& bits, const Frame& frame, const Scan& scan)
      : bits_(bits), frame_(frame), scan_(scan), before_(scan.components.size(), 0) {}

  /// The next block, of component `c` of the scan.
  void read(Block& block, size_t c) {
    const PrefixCode &dc = *scan_.dc_codes[c], &ac = *scan_.ac_codes[c];
    if (!frame_.progressive) {
      first_dc(block, dc, before_[c]);
      whole_ac(block, ac);
    } else if (scan_.first == 0) {
      if (scan_.high == 0)
        first_dc(block, dc, before_[c]);
      else if (bits_.take(1) == 1)
        block[0] = static_cast<int16_t>(block[0] | 1 << scan_.low);
    } else if (scan_.high == 0) {
      first_ac(block, ac);
    } else {
      refined_ac(block, ac);
    }
  }

  void restart() {
    bits_.restart();
    std::fill(before_.begin(), before_.end(), 0);
    empty_blocks_ = 0;
  }

 private:
  /// The mean of a block is stored as the difference from the block before.
  void first_dc(Block& block, const PrefixCode& code, int& before) {
    const int size = bits_.symbol(code);
    bits_.require(size <= 15, "a number has too many bits");
    before += bits_.number(size);
    bits_.require(before >= -32768 && before <= 32767, "a number is too large");
    block[0] = static_cast<int16_t>(before * (1 << scan_.low));
  }

  /// T.81, F.2.2.2: pairs of a count of zeros and a number.
  void whole_ac(Block& block, const PrefixCode& code) {
    for (int k = 1; k < 64; ++k) {
      const int symbol = bits_.symbol(code), zeros = symbol >> 4, size = symbol & 15;
      if (size == 0 && zeros < 15) return;  // the rest is 0
      k += zeros;
      bits_.require(k < 64, "a block has too many numbers");
      block[kZigzag[static_cast<size_t>(k)]] = static_cast<int16_t>(bits_.number(size));
    }
  }

  /// T.81, G.1.2.2: as above, but many blocks may be empty at once.
  void first_ac(Block& block, const PrefixCode& code) {
    if (empty_blocks_ > 0) {
      --empty_blocks_;
      return;
    }
    for (int k = scan_.first; k <= scan_.last; ++k) {
      const int symbol = bits_.symbol(code), zeros = symbol >> 4, size = symbol & 15;
      if (size == 0 && zeros < 15) {
        empty_blocks_ = run_of_blocks(zeros) - 1;
        return;
      }
      k += zeros;
      bits_.require(k <= scan_.last, "a block has too many numbers");
      const int value = bits_.number(size) * (1 << scan_.low);
      block[kZigzag[static_cast<size_t>(k)]] = static_cast<int16_t>(value);
    }
  }

  /// T.81, G.1.2.3: one more bit of every number that is not 0, and new numbers ±1 between them.
  void refined_ac(Block& block, const PrefixCode& code) {
    int k = scan_.first;
    if (empty_blocks_ == 0) {
      for (; k <= scan_.last; ++k) {
        const int symbol = bits_.symbol(code), zeros = symbol >> 4, size = symbol & 15;
        bits_.require(size <= 1, "a new number has more than one bit");
        if (size == 0 && zeros < 15) {
          empty_blocks_ = run_of_blocks(zeros);
          break;
        }
        const int sign = size == 0 ? 0 : bits_.take(1) == 1 ? 1 : -1;
        k = refine(block, k, zeros);
        bits_.require(k <= scan_.last || sign == 0, "a block has too many numbers");
        if (sign != 0)
          block[kZigzag[static_cast<size_t>(k)]] = static_cast<int16_t>(sign * (1 << scan_.low));
      }
    }
    if (empty_blocks_ > 0) {
      refine(block, k, 64);
      --empty_blocks_;
    }
  }

  /// Refines numbers from `k` on, until `zeros` zeros were passed. Returns the place of the next.
  int refine(Block& block, int k, int zeros) {
    for (; k <= scan_.last; ++k) {
      int16_t& value = block[kZigzag[static_cast<size_t>(k)]];
      if (value == 0) {
        if (zeros-- == 0) break;
        continue;
      }
      const int bit = 1 << scan_.low;
      if (bits_.take(1) == 1 && (value & bit) == 0)
        value = static_cast<int16_t>(value > 0 ? value + bit : value - bit);
    }
    return k;
  }

  int64_t run_of_blocks(int size) {
    return (int64_t{1} << size) + (size > 0 ? static_cast<int64_t>(bits_.take(size)) : 0);
  }

  Bits& bits_;
  const Frame& frame_;
  const Scan& scan_;
  std::vector<int> before_;   // the means of the last blocks
  int64_t empty_blocks_ = 0;  // that follow
};

}  // namespace

size_t read_scan(const Bytes& file, size_t at, const Frame& frame, const Scan& scan) {
  Bits bits(file, at);
  Decoder decoder(bits, frame, scan);
  // Alone, a component is sent block by block; several of them take turns, unit by unit.
  Component& one = *scan.components[0];
  const bool alone = scan.components.size() == 1;
  const int64_t rows = alone ? (one.height + 7) / 8 : one.block_rows / one.down;
  const int64_t columns = alone ? (one.width + 7) / 8 : one.block_columns / one.across;
  int64_t until_restart = frame.restart_interval;
  for (int64_t y = 0; y < rows; ++y)
    for (int64_t x = 0; x < columns; ++x) {
      if (frame.restart_interval > 0 && until_restart-- == 0) {
        decoder.restart();
        until_restart = frame.restart_interval - 1;
      }
      if (alone) {
        decoder.read(one.block(y, x), 0);
        continue;
      }
      for (size_t c = 0; c < scan.components.size(); ++c) {
        Component& component = *scan.components[c];
        for (int v = 0; v < component.down; ++v)
          for (int h = 0; h < component.across; ++h)
            decoder.read(component.block(y * component.down + v, x * component.across + h), c);
      }
    }
  return bits.end();
}

}  // namespace tarsier::zoo::jpeg
