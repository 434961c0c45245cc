#pragma once
// The walk of the study page as text.

#include <ostream>

#include "recording.h"

namespace tarsier::study {

/// Prints the forward pass node by node, grouped by module, then the backward pass in its order:
/// op, shape, and the first numbers of value and gradient. Views are left out.
void print_walk(const Recording& recording, std::ostream& out);

}  // namespace tarsier::study
