#pragma once
// Which numbers of large tensors a page has.

#include <cstdint>
#include <vector>

#include "recording.h"

namespace tarsier::study {

/// Of every tensor of a recording the rows that travel (all but the last dimension are one); none
/// if the whole tensor does.
using Rows = std::vector<std::vector<int64_t>>;

/// The rows of all tensors of a page with these recordings. If all numbers fit, 1.6 million (8.5 MB
/// in base64), all tensors of up to 262,144 elements travel whole. Otherwise the limit is lowered:
/// first for what the page can compute itself, then for what is inside attention, and for what
/// the sums of the rules need only in the end; and of that travels whole what still fits.
std::vector<Rows> rows_that_travel(const std::vector<const Recording*>& recordings);

}  // namespace tarsier::study
