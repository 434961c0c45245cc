#pragma once
// The page of a CLIP: pictures with the text that the model finds, texts with the pictures, and the
// similarity of both.

#include "../report/page.h"
#include "matching.h"

namespace tarsier::zoo::clip {

/// Adds pictures of `part` with the text found for each, worst first; texts with the pictures found;
/// and the matrix of similarities of some pairs.
void add_matches(Page& page, const TextPart& part, const Matching& matching, double scale);

}  // namespace tarsier::zoo::clip
