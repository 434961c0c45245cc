#pragma once
// How BERT is pretrained: data, sizes, rates.

#include <vector>

#include "../task/model_entry.h"

namespace tarsier::zoo::bert {

/// The task "guess hidden words": a masked language model, which a text classifier can start from.
/// Data: any UTF-8 text, or the texts of a labelled table (texts.h); by default tarsier's own
/// source.
std::vector<ModelEntry> models();

}  // namespace tarsier::zoo::bert
