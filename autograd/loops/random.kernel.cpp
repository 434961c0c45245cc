// Philox on many counters at once. A stream comes in groups of 16 blocks (see base/random.cpp).
#include "autograd/loops/random.kernel.h"

#include "autograd/simd/dispatch.h"
#include "autograd/simd/rows.h"

namespace tarsier::kernels::TARSIER_ISA {
namespace {

constexpr int kBlocks = 16;

/// The random words of group `group`: words[w][j] is word w of its block j.
struct Group {
  alignas(64) uint32_t words[4][kBlocks];
};

using Words = Simd<uint64_t>;

/// Ten rounds on `blocks`, one counter per lane. Words are kept in lanes of 64 bits, where the
/// products fit.
TARSIER_INLINE void philox(RandomKey key, Words blocks, Words (&c)[4]) {
  const Words low_half = uint64_t(0xFFFFFFFF), m0 = uint64_t(0xD2511F53), m1 = uint64_t(0xCD9E8D57);
  c[0] = blocks & low_half;
  c[1] = blocks >> 32;
  c[2] = key.stream & 0xFFFFFFFF;
  c[3] = key.stream >> 32;
  uint32_t k0 = static_cast<uint32_t>(key.seed), k1 = static_cast<uint32_t>(key.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const Words p0 = m0 * c[0], p1 = m1 * c[2];
    c[0] = (p1 >> 32) ^ c[1] ^ Words(uint64_t(k0));
    c[2] = (p0 >> 32) ^ c[3] ^ Words(uint64_t(k1));
    c[1] = p1 & low_half;
    c[3] = p0 & low_half;
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
}

TARSIER_INLINE void philox_group(RandomKey key, uint64_t group, Group& out) {
  Words even;  // 0, 2, 4, …
  for (int j = 0; j < Words::width; ++j) even.v[j] = static_cast<uint64_t>(2 * j);
  for (int first = 0; first < kBlocks; first += 2 * Words::width) {
    const Words block = Words(group * kBlocks + static_cast<uint64_t>(first)) + even;
    Words a[4], b[4];
    philox(key, block, a);
    philox(key, block + Words(uint64_t(1)), b);
    // The words of odd blocks go into the upper halves of the even ones', so all are in order.
    for (int w = 0; w < 4; ++w) {
      const Words both = a[w] | b[w] << 32;
      __builtin_memcpy(&out.words[w][first], &both.v, sizeof(both.v));
    }
  }
}

template <class T>
constexpr int kGroupSize = kBlocks * 16 / sizeof(T);  // 64 floats or 32 doubles

/// The numbers of a group, in order.
TARSIER_INLINE void numbers(const Group& group, float* y) {
  for (int w = 0; w < 4; ++w)
    for (int j = 0; j < kBlocks; ++j)
      y[w * kBlocks + j] =
          static_cast<float>(static_cast<int32_t>(group.words[w][j] >> 8)) * 0x1p-24f;
}
TARSIER_INLINE void numbers(const Group& group, double* y) {
  for (int w = 0; w < 2; ++w)
    for (int j = 0; j < kBlocks; ++j) {
      const uint64_t low = group.words[2 * w][j], high = group.words[2 * w + 1][j];
      y[w * kBlocks + j] =
          static_cast<double>(static_cast<int64_t>((high << 32 | low) >> 11)) * 0x1p-53;
    }
}

/// Calls body(i, u, count): numbers i … i + count − 1 of the range are u[0 … count).
template <class T, class Body>
TARSIER_INLINE void each_group(RandomKey key, uint64_t first, int64_t n, const Body& body) {
  constexpr int64_t size = kGroupSize<T>;
  alignas(64) T u[size];
  Group group;
  int64_t skip = static_cast<int64_t>(first % size);
  uint64_t number = first / size;
  for (int64_t i = 0; i < n; skip = 0) {
    philox_group(key, number++, group);
    numbers(group, u);
    const int64_t count = n - i < size - skip ? n - i : size - skip;
    body(i, u + skip, count);
    i += count;
  }
}

template <class T>
void uniform_numbers(RandomKey key, uint64_t first, int64_t n, T* y) {
  each_group<T>(key, first, n, [&](int64_t i, const T* u, int64_t count) {
    __builtin_memcpy(y + i, u, static_cast<size_t>(count) * sizeof(T));
  });
}

void words(RandomKey key, uint64_t first, int64_t n, uint64_t* y) {
  Words lanes;
  for (int j = 0; j < Words::width; ++j) lanes.v[j] = static_cast<uint64_t>(j);
  for (int64_t i = 0; i < n; i += Words::width) {
    Words c[4];
    philox(key, Words(first + static_cast<uint64_t>(i)) + lanes, c);
    store(y + i, c[0] | c[1] << 32, least(n - i, Words::width));
  }
}

template <class T>
void dropout(RandomKey key, uint64_t first, int64_t n, float p, T scale, const T* x, T* y) {
  each_group<float>(key, first, n, [&](int64_t i, const float* u, int64_t count) {
    for (int64_t j = 0; j < count; ++j) {
      const T kept = x[i + j] * scale;
      y[i + j] = u[j] < p ? T(0) : kept;
    }
  });
}

}  // namespace

template <class T>
RandomKernels<T> random_kernels() {
  return {.uniform = uniform_numbers<T>, .words = words, .dropout = dropout<T>};
}

}  // namespace tarsier::kernels::TARSIER_ISA

namespace tarsier::kernels {

template <>
RandomKernels<float> kernels_of<kIsa>() {
  return TARSIER_ISA::random_kernels<float>();
}
template <>
RandomKernels<double> kernels_of<kIsa>() {
  return TARSIER_ISA::random_kernels<double>();
}

}  // namespace tarsier::kernels
