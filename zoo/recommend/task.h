#pragma once
// How SASRec is trained: data, sizes, rates.

#include <vector>

#include "../task/model_entry.h"

namespace tarsier::zoo::recommend {

/// The task "recommend the next item". Data: lines `user item item …`, or tables of user, item and
/// time (data/interactions.h); by default viewers of films that the program makes up. Of every
/// user the last item is for the test, the one before for validation.
std::vector<ModelEntry> models();

}  // namespace tarsier::zoo::recommend
