#pragma once
// What the items of interactions are called.

#include <string>
#include <vector>

namespace tarsier::zoo {

/// The title of each of `items`, from the table `given`, or for "" from a file next to the
/// interactions `path` (data/interactions.h); an item without a title is called as it is. Several
/// items may have one title; then the item follows in brackets. Throws Error("data") that names
/// file and line.
std::vector<std::string> item_titles(const std::vector<std::string>& items, const std::string& path,
                                     const std::string& given);

}  // namespace tarsier::zoo
