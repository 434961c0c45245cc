#pragma once
// The curves of a run, from metrics.jsonl.

#include <string>
#include <string_view>
#include <vector>

#include "svg.h"

namespace tarsier::zoo {

/// Every number of the lines, by name ("train_loss", "accuracy"), over the steps; in the order in
/// which the names first appear. Those in an object have its name before theirs:
/// "weight_norms:fc". Damaged lines and lines without a step are skipped: the page of a
/// run is useful without them.
std::vector<Series> read_curves(std::string_view metrics_jsonl);

/// The weighted mean of each value and the earlier ones; the weights fall by a factor e per `width`
/// points.
Series smoothed(const Series& series, double width);

}  // namespace tarsier::zoo
