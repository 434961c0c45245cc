#pragma once
// Translates with a trained Translator: beam search with a cache of keys and values.

#include <cstdint>
#include <functional>
#include <vector>

#include "beam.h"
#include "model.h"

namespace tarsier::zoo::transformer {

/// Logits of the token after the newest one of K sequences: `newest` (K, 1) i64 → (K, V). The tokens
/// before them are in the cache.
using NextLogits = std::function<Tensor(const Tensor& newest, nn::DecoderCache& cache)>;

/// The best sequence of beam search, without begin and end, of V = `vocabulary` tokens without
/// unknown ones. Call it under NoGrad.
std::vector<int32_t> best_sequence(const NextLogits& logits, int64_t vocabulary,
                                   const BeamOptions& options);

/// The best translation of the tokens `source`, without begin and end; at most 2·S + 10 tokens
/// long, and no longer than the model can write. The model must be in eval().
std::vector<int32_t> translate(Translator& model, const std::vector<int32_t>& source,
                               BeamOptions options);

}  // namespace tarsier::zoo::transformer
