#pragma once
// How the captioner is trained: data, sizes, rates.

#include <vector>

#include "../task/model_entry.h"

namespace tarsier::zoo::captioning {

/// The task "say what is in a picture". Data: pictures with captions, in a table or COCO's JSON
/// (data/captions.h); by default scenes of coloured shapes and digits.
std::vector<ModelEntry> models();

}  // namespace tarsier::zoo::captioning
