#pragma once
// The nearest picture: whether a model draws new ones, or from memory.

#include <vector>

#include "../data/images.h"

namespace tarsier::zoo::diffusion {

struct Neighbour {
  int64_t index = 0;    ///< of the nearest picture
  double distance = 0;  ///< √Σ (a − b)² over all pixels, which go from 0 to 1
};

/// For each of `pictures` the nearest one of `among`; of equally near ones the first.
/// Throws Error("diffusion") if there is none, or sizes differ.
std::vector<Neighbour> nearest(const Images& pictures, const Images& among);

double mean_distance(const std::vector<Neighbour>& neighbours);

}  // namespace tarsier::zoo::diffusion
