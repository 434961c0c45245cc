#pragma once
// How the Universal Transformer is trained: data, sizes, rates.

#include <vector>

#include "../task/model_entry.h"

namespace tarsier::zoo::question_answering {

/// The task "answer questions about a story". Data: the bAbI tasks' format (babi.h); by default a
/// small world that the program makes up.
std::vector<ModelEntry> models();

}  // namespace tarsier::zoo::question_answering
