#pragma once
// How the text classifier is trained: data, sizes, rates.

#include <memory>

#include "../task/task.h"

namespace tarsier::zoo {

enum class TextClassifierPreset {
  sources,    ///< for the default data
  sentiment,  ///< for film reviews of one sentence, and what is like them
};

/// The task "learn to tell which class a text belongs to". Data: a file of label<TAB>text or a CSV,
/// or a folder with train.tsv, val.tsv and test.tsv (data/labelled.h); by default pieces of
/// tarsier's own sources, told apart by the folder that they come from.
std::unique_ptr<Task> make_text_classifier_task(TextClassifierPreset preset);

}  // namespace tarsier::zoo
