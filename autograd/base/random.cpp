#include "autograd/base/random.h"

namespace tarsier {

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t(0xD2511F53) * counter[0], p1 = uint64_t(0xCD9E8D57) * counter[2];
    const auto high = [](uint64_t p) { return static_cast<uint32_t>(p >> 32); };
    const auto low = [](uint64_t p) { return static_cast<uint32_t>(p); };
    counter = {high(p1) ^ counter[1] ^ key[0], low(p1), high(p0) ^ counter[3] ^ key[1], low(p0)};
    key[0] += 0x9E3779B9;  // the golden ratio
    key[1] += 0xBB67AE85;  // √3 − 1
  }
  return counter;
}

namespace {

/// Block `number` of a stream: four words. The seed is the key; the stream and the number of the
/// block are the counter.
std::array<uint32_t, 4> block_of(RandomKey key, uint64_t number) {
  const auto low = [](uint64_t v) { return static_cast<uint32_t>(v); };
  const auto high = [](uint64_t v) { return static_cast<uint32_t>(v >> 32); };
  return philox({low(number), high(number), low(key.stream), high(key.stream)},
                {low(key.seed), high(key.seed)});
}

}  // namespace

// A block holds four numbers of 24 bits, or two of 53. Numbers come in groups of 16 blocks: first
// those from the first words of all 16 blocks, then those from the second words, and so on.
// So a vector kernel (loops/random.kernel.cpp), which computes 16 blocks at once, gets them in
// order.

template <>
float uniform<float>(RandomKey key, uint64_t index) {
  const uint64_t group = index / 64, word = index / 16 % 4, block = index % 16;
  return static_cast<float>(block_of(key, group * 16 + block)[word] >> 8) * 0x1p-24f;
}

template <>
double uniform<double>(RandomKey key, uint64_t index) {
  const uint64_t group = index / 32, word = index / 16 % 2 * 2, block = index % 16;
  const std::array<uint32_t, 4> words = block_of(key, group * 16 + block);
  const uint64_t low = words[word], high = words[word + 1];
  return static_cast<double>((high << 32 | low) >> 11) * 0x1p-53;
}

Generator& default_generator() {
  static Generator generator;
  return generator;
}

void manual_seed(uint64_t seed) { default_generator().manual_seed(seed); }

}  // namespace tarsier
