#pragma once
// The assignment problem: who does what, so that the sum of all costs is smallest.

#include <cstdint>
#include <vector>

namespace tarsier::zoo {

/// Row rows[k] is assigned to column columns[k]. Rows are in rising order.
struct Assignment {
  std::vector<int64_t> rows, columns;
};

/// min(rows, columns) pairs of a row and a column, no row and no column twice, whose costs have the
/// smallest sum; cost[row · columns + column]. ∞ forbids a pair. Of several best assignments it is
/// not said which; if all costs are equal, row i gets column i.
///
/// The Hungarian algorithm by shortest augmenting paths: rows come in one by one, and each takes the
/// cheapest way to a free column along reduced costs, cost − u[row] − v[column] ≥ 0, moving others
/// to their next best column. O(r² · c) where r is the smaller of the two sizes.
/// As scipy.optimize.linear_sum_assignment.
/// Throws Error("assignment") if the number of costs is wrong, for NaN and −∞, and if every
/// assignment has a forbidden pair.
/// Source: Crouse 2016, "On implementing 2D rectangular assignment algorithms".
Assignment linear_sum_assignment(const std::vector<double>& cost, int64_t rows, int64_t columns);

}  // namespace tarsier::zoo
