#pragma once
// What Image GPT draws, for its report and for predict.

#include <string>
#include <vector>

#include "../gpt/sampling.h"
#include "../report/page.h"
#include "drawings.h"
#include "model.h"

namespace tarsier::zoo::image_gpt {

/// (B, height, width) i64 levels as grey pictures.
std::vector<Picture> pictures_of(const Tensor& pixels, const Config& config);

/// The picture (1, height, width) itself, its upper half with the rest in grey, and the upper half
/// completed in `count` ways.
std::vector<Picture> completed(ImageGpt& model, const Tensor& pixels, int64_t count,
                               const gpt::Sampling& sampling);

/// Drawings from nothing, validation drawings completed, where a block's attention goes, and which
/// blocks are the most surprising.
void add_pages(Page& page, ImageGpt& model, const Drawings& validation);

}  // namespace tarsier::zoo::image_gpt
