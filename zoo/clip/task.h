#pragma once
// How CLIP is trained: data, sizes, rates.

#include <vector>

#include "../task/model_entry.h"

namespace tarsier::zoo::clip {

/// The task "match pictures and texts". Data: pictures with captions, as of the captioner
/// (captioning/task.h).
std::vector<ModelEntry> models();

}  // namespace tarsier::zoo::clip
