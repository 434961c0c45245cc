#pragma once
// A trained Translator at work: beam search with the keys and values of what was written.

#include <cstdint>
#include <vector>

#include "beam.h"
#include "model.h"

namespace tarsier::zoo::transformer {

/// The best translation of the tokens `source`, without begin and end; of 2·S + 10 tokens at most,
/// and of what the model can write. The model is in eval().
std::vector<int32_t> translate(Translator& model, const std::vector<int32_t>& source,
                               BeamOptions options);

}  // namespace tarsier::zoo::transformer
