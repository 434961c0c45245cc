#pragma once
// Limits of settings that several models have.

#include <cstdint>

namespace tarsier::zoo {

/// The most texts that a beam search may follow in parallel: with more, an answer takes minutes, or
/// all of the memory.
constexpr int64_t kMostBeams = 1000;

}  // namespace tarsier::zoo
