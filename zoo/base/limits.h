#pragma once
// Limits of settings that several models have.

#include <cstdint>

namespace tarsier::zoo {

/// The most texts that a beam search may follow in parallel: with more, an answer takes minutes, or
/// all of the memory.
constexpr int64_t kMostBeams = 1000;

/// The most tokens that a caption, summary or translation may be told to have: each token takes
/// longer than the one before it.
constexpr int64_t kMostTokens = 10'000;

}  // namespace tarsier::zoo
