#include "zoo/zip/inflate.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <vector>

#include "autograd/base/error.h"
#include "zoo/zip/checksum.h"
#include "zoo/zip/deflate_code.h"
#include "zoo/zip/prefix_code.h"

namespace tarsier::zoo {

using namespace deflate_code;

namespace {

constexpr size_t kMostPerByte = 1032;

/// The bits of a stream; of each byte the lowest comes first.
class Bits {
 public:
  Bits(std::string_view stream, const std::string& source) : stream_(stream), source_(source) {}

  /// The next `count` bits, at most 16, without taking them; beyond the end they are 0.
  uint32_t peek(int count) {
    while (held_ < count) {
      const uint32_t byte = at_ < stream_.size() ? static_cast<uint8_t>(stream_[at_]) : 0;
      ++at_;
      buffer_ |= byte << held_;
      held_ += 8;
    }
    return buffer_ & ((uint32_t{1} << count) - 1);
  }
  void drop(int count) {
    buffer_ >>= count;
    held_ -= count;
    // Whole bytes that are still held were not used.
    if (at_ - static_cast<size_t>(held_ / 8) > stream_.size())
      fail("data", "'", source_, "': the compressed data end too early: the file is cut off");
  }
  uint32_t take(int count) {
    const uint32_t bits = peek(count);
    drop(count);
    return bits;
  }
  uint16_t symbol(const PrefixCode& code) {
    const PrefixCode::Entry entry =
        code.empty() ? PrefixCode::Entry{} : code.find(peek(code.longest()));
    if (entry.length == 0) damaged("there is no such code");
    drop(entry.length);
    return entry.symbol;
  }
  /// Drops the rest of a byte.
  void align() { drop(held_ % 8); }
  /// Whether all bytes are used, when aligned.
  bool at_end() const { return at_ - static_cast<size_t>(held_ / 8) == stream_.size(); }
  size_t size() const { return stream_.size(); }

  [[noreturn]] void damaged(const char* why) const {
    fail("data", "'", source_, "': the compressed data are damaged (", why, ")");
  }

 private:
  std::string_view stream_;
  const std::string& source_;
  size_t at_ = 0;
  uint32_t buffer_ = 0;
  int held_ = 0;  // bits in the buffer
};

/// The code of symbols whose lengths are given; 0: the symbol does not occur.
PrefixCode code_of(const std::vector<uint8_t>& lengths, const char* what) {
  PrefixCode::Counts counts{};
  std::vector<uint16_t> symbols;
  for (uint8_t length = 1; length <= 15; ++length)
    for (size_t symbol = 0; symbol < lengths.size(); ++symbol)
      if (lengths[symbol] == length) {
        ++counts[length - size_t{1}];
        symbols.push_back(static_cast<uint16_t>(symbol));
      }
  return PrefixCode(counts, symbols, true, what);
}

struct Codes {
  PrefixCode literals, distances;
};

const Codes& fixed_codes() {
  static const Codes codes = [] {
    std::vector<uint8_t> literals(288, 8);
    std::fill(literals.begin() + 144, literals.begin() + 256, uint8_t{9});
    std::fill(literals.begin() + 256, literals.begin() + 280, uint8_t{7});
    return Codes{code_of(literals, "deflate"), code_of(std::vector<uint8_t>(30, 5), "deflate")};
  }();
  return codes;
}

/// The codes of a block that brings its own. Their lengths are themselves coded.
Codes read_codes(Bits& bits) {
  const size_t literals = bits.take(5) + 257, distances = bits.take(5) + 1;
  const size_t stored = bits.take(4) + 4;
  std::vector<uint8_t> of_lengths(std::size(kOrder));
  for (size_t i = 0; i < stored; ++i) of_lengths[kOrder[i]] = static_cast<uint8_t>(bits.take(3));
  const PrefixCode code = code_of(of_lengths, "the code of lengths");

  std::vector<uint8_t> lengths;
  while (lengths.size() < literals + distances) {
    const uint16_t symbol = bits.symbol(code);
    uint8_t value = 0;
    uint32_t times = 1;
    if (symbol < 16) {
      value = static_cast<uint8_t>(symbol);
    } else if (symbol == 16) {
      if (lengths.empty()) bits.damaged("a length is to be repeated, but there is none");
      value = lengths.back();
      times = 3 + bits.take(2);
    } else {
      times = symbol == 17 ? 3 + bits.take(3) : 11 + bits.take(7);
    }
    lengths.insert(lengths.end(), times, value);
  }
  if (lengths.size() > literals + distances) bits.damaged("too many lengths of codes");
  if (lengths[kEndOfBlock] == 0) bits.damaged("a block has no end");
  const auto split = lengths.begin() + static_cast<std::ptrdiff_t>(literals);
  return {code_of({lengths.begin(), split}, "the code of bytes and lengths"),
          code_of({split, lengths.end()}, "the code of distances")};
}

/// The result, which never grows beyond its size.
class Output {
 public:
  Output(size_t size, const Bits& bits) : size_(size), bits_(bits) { data_.reserve(size); }

  void put(uint8_t byte) {
    make_room(1);
    data_.push_back(static_cast<char>(byte));
  }
  /// `count` bytes that begin `distance` bytes before the end; they may overlap what they make.
  void repeat(size_t distance, size_t count) {
    if (distance > data_.size()) bits_.damaged("a repeat begins before the first byte");
    make_room(count);
    for (size_t i = 0; i < count; ++i) data_.push_back(data_[data_.size() - distance]);
  }
  std::string& data() { return data_; }

 private:
  void make_room(size_t count) {
    if (size_ - data_.size() < count) bits_.damaged("there are more bytes than expected");
  }

  size_t size_;
  const Bits& bits_;
  std::string data_;
};

void read_stored_block(Bits& bits, Output& out) {
  bits.align();
  const uint32_t count = bits.take(16);
  if (bits.take(16) != (~count & 0xFFFF)) bits.damaged("a count of bytes is not what it should be");
  for (uint32_t i = 0; i < count; ++i) out.put(static_cast<uint8_t>(bits.take(8)));
}

void read_coded_block(Bits& bits, const Codes& codes, Output& out) {
  for (;;) {
    const uint16_t symbol = bits.symbol(codes.literals);
    if (symbol < 256) {
      out.put(static_cast<uint8_t>(symbol));
      continue;
    }
    if (symbol == kEndOfBlock) return;
    const size_t row = symbol - (kEndOfBlock + size_t{1});
    if (row >= std::size(kLength)) bits.damaged("there is no such length");
    const size_t count = kLength[row] + bits.take(length_bits(row));
    const uint16_t far = bits.symbol(codes.distances);
    if (far >= std::size(kDistance)) bits.damaged("there is no such distance");
    out.repeat(kDistance[far] + bits.take(distance_bits(far)), count);
  }
}

/// The data of all blocks, up to the end of the last byte.
std::string inflate_blocks(Bits& bits, size_t size) {
  // Before taking the memory. The shortest code of the longest repeat, 258 bytes, has two bits.
  if (size / kMostPerByte > bits.size()) bits.damaged("there are fewer bytes than expected");
  Output out(size, bits);
  for (bool last = false; !last;) {
    last = bits.take(1) == 1;
    const uint32_t kind = bits.take(2);
    if (kind == 3) bits.damaged("there is no such kind of block");
    if (kind == 0)
      read_stored_block(bits, out);
    else
      read_coded_block(bits, kind == 1 ? fixed_codes() : read_codes(bits), out);
  }
  if (out.data().size() != size) bits.damaged("there are fewer bytes than expected");
  bits.align();
  return std::move(out.data());
}

}  // namespace

std::string inflate(std::string_view stream, size_t size, const std::string& source) {
  Bits bits(stream, source);
  const uint32_t method = bits.take(8), flags = bits.take(8);
  if ((method & 15) != 8 || method >> 4 > 7 || (method << 8 | flags) % 31 != 0)
    bits.damaged("they do not begin like zlib's");
  if ((flags & 32) != 0) bits.damaged("they need a dictionary");
  std::string data = inflate_blocks(bits, size);
  uint32_t stored = 0;
  for (int i = 0; i < 4; ++i) stored = stored << 8 | bits.take(8);
  if (stored != adler32(data)) bits.damaged("their checksum is wrong");
  return data;
}

std::string inflate_raw(std::string_view stream, size_t size, const std::string& source) {
  Bits bits(stream, source);
  std::string data = inflate_blocks(bits, size);
  if (!bits.at_end()) bits.damaged("bytes follow their end");
  return data;
}

}  // namespace tarsier::zoo
