#pragma once
// What is said of attention, and what a comparison measured of it.

#include <string>
#include <vector>

#include "compare.h"

namespace tarsier::zoo::compare {

/// A claim of the literature, with its source, and the figures about it in words.
struct Claim {
  std::string claim, measured;
};

/// All claims, each with the figures of those outcomes that say something about it.
std::vector<Claim> claims(const std::vector<Outcome>& outcomes);

}  // namespace tarsier::zoo::compare
