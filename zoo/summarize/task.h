#pragma once
// How the summarizer is trained: data, sizes, rates.

#include <vector>

#include "../task/model_entry.h"

namespace tarsier::zoo::summarize {

/// The task "summarize". Data: documents and their summaries, in tables or files (data/parallel.h);
/// by default the comments of tarsier's own declarations, which become their names.
std::vector<ModelEntry> models();

}  // namespace tarsier::zoo::summarize
