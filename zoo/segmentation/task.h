#pragma once
// How the segmenter is trained: data, sizes, rates.

#include <vector>

#include "../task/model_entry.h"

namespace tarsier::zoo::segmentation {

/// The task "say what each pixel shows". Data: folders of pictures with masks, or Pascal VOC; by
/// default scenes drawn by the program. The preset `street` is for few photographs.
std::vector<ModelEntry> models();

}  // namespace tarsier::zoo::segmentation
