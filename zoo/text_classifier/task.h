#pragma once
// How the text classifier is trained: data, sizes, rates.

#include <vector>

#include "../task/model_entry.h"

namespace tarsier::zoo::text_classifier {

/// The task "tell the class of a text", with its presets. Data: a file of label<TAB>text or a CSV,
/// or a folder with train.tsv, val.tsv and test.tsv (data/labelled.h); by default pieces of
/// tarsier's own sources, labelled with the folder that they come from.
std::vector<ModelEntry> models();

}  // namespace tarsier::zoo::text_classifier
