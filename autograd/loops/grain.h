#pragma once
// The amount of work that is worth waking a thread for. Fixed, so that chunks, and with them every
// bit of a result, do not depend on the number of threads.

#include <algorithm>
#include <cstdint>

#include "../base/parallel.h"

namespace tarsier::detail {

/// Elements: of arithmetic, which waits for memory; of copies and norms, which pass over it more
/// than once; and of functions such as exp or gelu.
inline constexpr int64_t kCheapGrain = 32768, kMiddleGrain = 16384, kCostlyGrain = 8192;

/// How many rows of n elements make a chunk of about `grain` elements.
inline int64_t rows_per_chunk(int64_t n, int64_t grain) {
  return std::max<int64_t>(1, grain / std::max<int64_t>(1, n));
}

/// Calls body(begin, end) for chunks of `rows` rows of n elements, on all threads.
template <class Body>
void for_rows(int64_t rows, int64_t n, int64_t grain, const Body& body) {
  parallel_for(rows, rows_per_chunk(n, grain), body);
}

}  // namespace tarsier::detail
