#pragma once
// Data for text classification that need no download: pieces of the project's own source text, told
// apart by the folder that they come from.

#include <cstdint>
#include <vector>

#include "../../autograd/base/random.h"
#include "embedded.h"
#include "labelled.h"

namespace tarsier::zoo {

/// Every file is cut into pieces of `lines` lines each (the last may be shorter, down to half of
/// them). Left out are blank lines, and lines that name a folder: #include, namespace, and those
/// with one of the labels and a slash. The label is the first folder of the path; files without one
/// are left out.
///
/// A file is in one part as a whole, so that validation and test are about files never seen: of the
/// files of a folder, in an order drawn from `key`, every ninth validates and every tenth tests; of
/// fewer than ten, the last two, and of fewer than three, none.
/// Throws Error("data") for less than two folders, or lines below 1.
LabelledData source_snippets(const std::vector<EmbeddedFile>& files, int64_t lines, RandomKey key);

}  // namespace tarsier::zoo
