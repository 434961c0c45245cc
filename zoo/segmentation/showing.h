#pragma once
// Masks for people: as a line, drawn over the picture, and on the page of a run.

#include <string>
#include <vector>

#include "../../autograd/tensor/tensor.h"
#include "../report/page.h"
#include "pictures.h"

namespace tarsier::zoo::segmentation {

/// "road 41.2 %, sky 30.0 %, …": the share of the pixels of each class that occurs, the largest
/// first.
std::string shares(const Picture& classes, const std::vector<std::string>& names);

/// The picture with the colours of its classes laid over it, void black. Sizes may differ: the result
/// has that of the picture.
Picture with_colors(const Picture& picture, const Picture& classes);

/// with_colors(), enlarged if it is small, and below it a legend of the classes that occur.
Picture with_classes(const Picture& picture, const Picture& classes,
                     const std::vector<std::string>& names);

/// An example and the classes that were found, at the size of its mask.
struct Found {
  const Example* example;
  Picture classes;
};

/// Adds to a page: IoU by class and the confusion matrix, and pictures with truth and answer side by
/// side, those with the most wrong pixels first.
void add_masks(Page& page, const std::vector<Found>& all, const std::vector<std::string>& names);

/// Adds to a page: which patches the queries of the classes that were found look at. `attention`
/// (K, N) has N patches in `rows` rows.
void add_class_attention(Page& page, const Example& example, const Tensor& attention, int64_t rows,
                         const Picture& classes, const std::vector<std::string>& names);

}  // namespace tarsier::zoo::segmentation
