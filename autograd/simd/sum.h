#pragma once
// The order of a long sum of products.
//
// In one running sum over all of k the error grows with √k. So the sum has three levels, each of
// which starts from 0 and is added to the one above:
//
//   chain   chain_length(k) multiply-adds in the order of p, in a register
//   block   the chains of one block of k (block_length below), in their order
//   C       what it starts from (0, the bias, or itself), and the blocks in their order
//
// So the error grows with √(kChain + kBlockK / kChain + k / kBlockK): for k = 8,000 it is less
// than a third. The error of a short sum comes only from its chain, so its chains are shorter. The
// order depends only on k, and all paths that compute an element of C give the same bits.

#include <cstdint>

#include "simd.h"

namespace tarsier::kernels::TARSIER_ISA {

/// Whole cache lines; switching from one chain to the next costs a tile about one percent.
constexpr int64_t kChain = 128;
/// In sums of up to two of those; costs a tile about five percent.
constexpr int64_t kShortChain = 32;

constexpr int64_t chain_length(int64_t k) { return k <= 2 * kChain ? kShortChain : kChain; }

/// Long blocks of k mean few passes over C. A panel of B (AVX-512: 128 bytes a step) and the panels
/// of A of a strip fit into the L2 cache together; the whole blocks of A and B into L3.
constexpr int64_t kBlockK = 512;

/// The length of the blocks of k: equal, whole cache lines, at most kBlockK. The last one may be
/// shorter.
constexpr int64_t block_length(int64_t k) {
  const int64_t blocks = most(1, ceil_div(k, kBlockK));
  return ceil_div(ceil_div(k, blocks), 16) * 16;
}

}  // namespace tarsier::kernels::TARSIER_ISA
