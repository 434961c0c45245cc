#pragma once
// Data for text classification without a download: pieces of the project's own source text,
// labelled with the folder that they come from.

#include <cstdint>
#include <vector>

#include "../../autograd/base/random.h"
#include "embedded.h"
#include "labelled.h"

namespace tarsier::zoo {

/// Every file is cut into pieces of `lines` lines (the last may be shorter, down to half of that).
/// Left out are blank lines, and lines that name a folder: #include, namespace, and those with a
/// label and a slash. The label is the first folder of the path; files outside of any folder are
/// left out.
///
/// A whole file is in one split, so that validation and test use files never seen. Of the files of
/// a folder, in an order drawn from `key`, every ninth validates and every tenth tests; of fewer
/// than ten, the last two; of fewer than three, none.
/// Throws Error("data") for fewer than two folders, or lines below 1.
LabelledData source_snippets(const std::vector<EmbeddedFile>& files, int64_t lines, RandomKey key);

}  // namespace tarsier::zoo
