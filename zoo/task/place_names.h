#pragma once
// Names of the patches of a picture, for study_input().

#include <cstdint>
#include <string>
#include <vector>

namespace tarsier::zoo {

/// The places of rows × columns patches, row by row: "1, 1", "1, 2", …
std::vector<std::string> place_names(int64_t rows, int64_t columns);

}  // namespace tarsier::zoo
