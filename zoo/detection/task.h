#pragma once
// How the detector is trained: data, sizes, rates.

#include <vector>

#include "../task/model_entry.h"

namespace tarsier::zoo::detection {

/// The task "find objects". Data: pictures with boxes, in any of the formats of annotations.h; by
/// default scenes drawn by the program.
std::vector<ModelEntry> models();

}  // namespace tarsier::zoo::detection
