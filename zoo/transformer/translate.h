#pragma once
// Translates with a trained Translator: beam search with a cache of keys and values.

#include <cstdint>
#include <vector>

#include "beam.h"
#include "model.h"

namespace tarsier::zoo::transformer {

/// The best translation of the tokens `source`, without begin and end; at most 2·S + 10 tokens
/// long, and no longer than the model can write. The model must be in eval().
std::vector<int32_t> translate(Translator& model, const std::vector<int32_t>& source,
                               BeamOptions options);

}  // namespace tarsier::zoo::transformer
