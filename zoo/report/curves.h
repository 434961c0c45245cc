#pragma once
// The curves of a run: metrics.jsonl read again.

#include <string>
#include <string_view>
#include <vector>

#include "svg.h"

namespace tarsier::zoo {

/// Every number of the lines, by name ("train_loss", "accuracy"), over the steps; in the order in
/// which the names first appear. Lines that are damaged or have no step are left out: the page of a
/// run is worth having even so.
std::vector<Series> read_curves(std::string_view metrics_jsonl);

/// The weighted mean of each value and those before it, with weights that fall by a factor e in
/// `width` points.
Series smoothed(const Series& series, double width);

}  // namespace tarsier::zoo
