#pragma once
// What a diffusion model draws, for its report.

#include <string>
#include <vector>

#include "../data/images.h"
#include "../report/page.h"
#include "generate.h"

namespace tarsier::zoo::diffusion {

/// Pictures of these classes, as new_pictures() draws them.
Images drawn_images(DiffusionTransformer& model, const std::vector<int64_t>& labels,
                    const Sampling& sampling);

/// `count` classes: 0, 1, …, and again from 0.
std::vector<int64_t> classes_in_turn(int64_t classes, int64_t count);

/// Drawings of every class, how they come out of noise, what guidance does, and whether they are
/// those of the training.
void add_pages(Page& page, DiffusionTransformer& model, const std::vector<std::string>& names,
               const Sampling& sampling, const Images& training, const Images& others);

}  // namespace tarsier::zoo::diffusion
