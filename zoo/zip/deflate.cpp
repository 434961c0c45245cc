#include "zoo/zip/deflate.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <queue>
#include <utility>
#include <vector>

#include "zoo/zip/checksum.h"
#include "zoo/zip/deflate_code.h"

namespace tarsier::zoo {

using namespace deflate_code;

namespace {

/// A byte, or `length` bytes that were already there `distance` bytes before.
struct Token {
  uint16_t length = 0;    // 0: a byte
  uint16_t distance = 0;  // or the byte
};

// ----------------------------------------------------------------------------------------- repeats

/// Where the three bytes of a place occurred before: chains of places, the last one first.
class Places {
 public:
  explicit Places(std::string_view bytes)
      : bytes_(bytes), last_(size_t{1} << 15, kNone), before_(bytes.size(), kNone) {}

  /// The longest repeat that begins at `at`; a byte, if there is none.
  Token find(size_t at) const {
    Token best{0, static_cast<uint8_t>(bytes_[at])};
    if (at + kLength[0] > bytes_.size()) return best;
    const size_t most = std::min<size_t>(kLength[28], bytes_.size() - at);
    size_t place = last_[key(at)];
    for (int tried = 0; tried < 64 && place != kNone && at - place <= 32'768; ++tried) {
      size_t same = 0;
      while (same < most && bytes_[place + same] == bytes_[at + same]) ++same;
      if (same >= kLength[0] && same > best.length)
        best = {static_cast<uint16_t>(same), static_cast<uint16_t>(at - place)};
      if (same == most) break;
      place = before_[place];
    }
    return best;
  }
  void add(size_t at) {
    if (at + kLength[0] > bytes_.size()) return;
    size_t& last = last_[key(at)];
    before_[at] = last;
    last = at;
  }

 private:
  static constexpr size_t kNone = ~size_t{0};

  size_t key(size_t at) const {
    size_t key = 0;
    for (size_t i = 0; i < kLength[0]; ++i) key = key << 5 ^ static_cast<uint8_t>(bytes_[at + i]);
    return key & (last_.size() - 1);
  }

  std::string_view bytes_;
  std::vector<size_t> last_, before_;
};

std::vector<Token> tokens_of(std::string_view bytes) {
  std::vector<Token> tokens;
  Places places(bytes);
  for (size_t at = 0; at < bytes.size();) {
    tokens.push_back(places.find(at));
    const size_t end = at + std::max<size_t>(1, tokens.back().length);
    for (; at < end; ++at) places.add(at);
  }
  return tokens;
}

// ------------------------------------------------------------------------------------------- codes

/// The lengths of Huffman's code for symbols that occur so often, at most `most` bits; 0 for those
/// that do not occur. At least two symbols get a code, so that it is complete.
std::vector<uint8_t> code_lengths(std::vector<size_t> counts, uint8_t most) {
  for (size_t i = 0; std::count(counts.begin(), counts.end(), size_t{0}) + 2 >
                     static_cast<std::ptrdiff_t>(counts.size());
       ++i)
    counts[i] = std::max<size_t>(1, counts[i]);
  std::vector<uint8_t> lengths(counts.size());
  for (;;) {
    using Weighted = std::pair<size_t, size_t>;  // a weight and a node
    std::priority_queue<Weighted, std::vector<Weighted>, std::greater<>> left;
    for (size_t i = 0; i < counts.size(); ++i)
      if (counts[i] > 0) left.emplace(counts[i], i);
    std::vector<size_t> parent(counts.size());
    while (left.size() > 1) {  // the two lightest become one
      size_t weight = 0;
      for (int k = 0; k < 2; ++k) {
        weight += left.top().first;
        parent[left.top().second] = parent.size();
        left.pop();
      }
      left.emplace(weight, parent.size());
      parent.push_back(0);
    }
    std::vector<uint8_t> depth(parent.size());  // parents come after their children
    for (size_t i = parent.size() - 1; i-- > 0;)
      if (i >= counts.size() || counts[i] > 0)
        depth[i] = static_cast<uint8_t>(depth[parent[i]] + 1);
    std::copy_n(depth.begin(), lengths.size(), lengths.begin());
    if (*std::max_element(lengths.begin(), lengths.end()) <= most) return lengths;
    for (size_t& count : counts) count = (count + 1) / 2;  // flatter, and rare ones stay
  }
}

/// Bits, of each byte the lowest first.
class BitWriter {
 public:
  /// The lowest `count` bits of `bits`, the lowest first.
  void put(uint32_t bits, int count) {
    buffer_ |= uint64_t{bits} << held_;
    for (held_ += count; held_ >= 8; held_ -= 8, buffer_ >>= 8)
      bytes_ += static_cast<char>(buffer_ & 255);
  }
  std::string finish() {
    if (held_ > 0) put(0, 8 - held_);
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
  uint64_t buffer_ = 0;
  int held_ = 0;
};

/// A code by its lengths: shorter codes come first, codes of one length are consecutive numbers.
class Code {
 public:
  explicit Code(std::vector<uint8_t> lengths) : lengths_(std::move(lengths)) {
    codes_.resize(lengths_.size());
    uint32_t next = 0;
    for (uint8_t length = 1; length <= 15; ++length, next <<= 1)
      for (size_t i = 0; i < lengths_.size(); ++i)
        if (lengths_[i] == length) codes_[i] = next++;
  }
  const std::vector<uint8_t>& lengths() const { return lengths_; }
  /// Codes are sent from their highest bit.
  void put(size_t symbol, BitWriter& out) const {
    for (int bit = lengths_[symbol]; bit-- > 0;) out.put(codes_[symbol] >> bit & 1, 1);
  }

 private:
  std::vector<uint8_t> lengths_;
  std::vector<uint32_t> codes_;
};

// ------------------------------------------------------------------------------------------- block

/// The row of a table whose range holds the value.
template <size_t N>
size_t row_of(const uint16_t (&table)[N], uint16_t value) {
  return static_cast<size_t>(std::upper_bound(table, table + N, value) - table) - 1;
}

/// A symbol of the code of lengths, and the bits after it.
struct CodeRun {
  uint8_t symbol = 0;
  uint32_t more = 0;
  int bits = 0;
};

/// Lengths of codes as runs: many are 0.
std::vector<CodeRun> runs_of(const std::vector<uint8_t>& lengths) {
  std::vector<CodeRun> runs;
  for (size_t i = 0; i < lengths.size();) {
    size_t same = 1;
    while (i + same < lengths.size() && lengths[i + same] == lengths[i]) ++same;
    if (lengths[i] == 0 && same >= 3) {
      same = std::min<size_t>(same, 138);
      runs.push_back(same <= 10 ? CodeRun{17, static_cast<uint32_t>(same - 3), 3}
                                : CodeRun{18, static_cast<uint32_t>(same - 11), 7});
    } else if (same >= 4) {
      same = std::min<size_t>(same, 7);
      runs.push_back({lengths[i], 0, 0});
      runs.push_back({16, static_cast<uint32_t>(same - 4), 2});
    } else {
      runs.insert(runs.end(), same, CodeRun{lengths[i], 0, 0});
    }
    i += same;
  }
  return runs;
}

/// What read_codes() of inflate.cpp reads.
void put_codes(const Code& literals, const Code& distances, BitWriter& out) {
  std::vector<uint8_t> lengths = literals.lengths();
  lengths.insert(lengths.end(), distances.lengths().begin(), distances.lengths().end());
  const std::vector<CodeRun> runs = runs_of(lengths);
  std::vector<size_t> counts(std::size(kOrder));
  for (const CodeRun& run : runs) ++counts[run.symbol];
  const Code of_lengths(code_lengths(std::move(counts), 7));
  size_t stored = std::size(kOrder);
  while (stored > 4 && of_lengths.lengths()[kOrder[stored - 1]] == 0) --stored;
  out.put(static_cast<uint32_t>(literals.lengths().size() - 257), 5);
  out.put(static_cast<uint32_t>(distances.lengths().size() - 1), 5);
  out.put(static_cast<uint32_t>(stored - 4), 4);
  for (size_t i = 0; i < stored; ++i) out.put(of_lengths.lengths()[kOrder[i]], 3);
  for (const CodeRun& run : runs) {
    of_lengths.put(run.symbol, out);
    out.put(run.more, run.bits);
  }
}

}  // namespace

std::string deflate(std::string_view bytes) {
  const std::vector<Token> tokens = tokens_of(bytes);
  std::vector<size_t> literals(kEndOfBlock + 1 + std::size(kLength)),
      distances(std::size(kDistance));
  for (const Token& token : tokens) {
    if (token.length == 0) {
      ++literals[token.distance];
    } else {
      ++literals[kEndOfBlock + 1 + row_of(kLength, token.length)];
      ++distances[row_of(kDistance, token.distance)];
    }
  }
  ++literals[kEndOfBlock];
  const Code literal(code_lengths(std::move(literals), 15));
  const Code distance(code_lengths(std::move(distances), 15));

  BitWriter out;
  out.put(0x9C78, 16);  // deflate, a window of 32,768 bytes, the usual effort
  out.put(1, 1);        // the last block
  out.put(2, 2);        // with codes of its own
  put_codes(literal, distance, out);
  for (const Token& token : tokens) {
    if (token.length == 0) {
      literal.put(token.distance, out);
      continue;
    }
    const size_t row = row_of(kLength, token.length), far = row_of(kDistance, token.distance);
    literal.put(kEndOfBlock + 1 + row, out);
    out.put(uint32_t{token.length} - kLength[row], length_bits(row));
    distance.put(far, out);
    out.put(uint32_t{token.distance} - kDistance[far], distance_bits(far));
  }
  literal.put(kEndOfBlock, out);
  std::string stream = out.finish();
  const uint32_t sum = adler32(bytes);
  for (int i = 3; i >= 0; --i) stream += static_cast<char>(sum >> 8 * i & 255);
  return stream;
}

}  // namespace tarsier::zoo
