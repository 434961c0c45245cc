#pragma once
// The study page: one HTML file that needs nothing else.

#include <string>

#include "recording.h"

namespace tarsier::study {

/// The page of a recording, next to that of another run on the same input if `against` is given.
/// Throws what page_data() throws.
std::string study_page(const Recording& recording, const Recording* against = nullptr);

/// The size in bytes of the numbers that the page of this recording would hold, about.
double page_bytes(const Recording& recording);

}  // namespace tarsier::study
