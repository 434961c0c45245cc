#pragma once
// The study page: one HTML file that needs nothing else.

#include <string>

#include "recording.h"

namespace tarsier::study {

/// The page of a recording, next to that of another run on the same input if `against` is given.
/// Throws what page_data() throws, and Error("study") that names modules if the page would have
/// more than 20 MB.
std::string study_page(const Recording& recording, const Recording* against = nullptr);

}  // namespace tarsier::study
