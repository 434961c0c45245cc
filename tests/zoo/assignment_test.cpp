// The assignment problem compared with brute force and with SciPy.
#include "zoo/boxes/assignment.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/io/file.h"
#include "autograd/io/json.h"
#include "tests/data.h"
#include "tests/error_of.h"
#include "zoo/data/dice.h"

namespace tarsier::zoo {
namespace {

using Numbers = std::vector<int64_t>;

/// The sum of the assigned costs. Checks that rows rise, and that no column occurs twice.
double sum_of(const Assignment& found, const std::vector<double>& cost, int64_t rows,
              int64_t columns) {
  CHECK(static_cast<int64_t>(found.rows.size()) == std::min(rows, columns));
  CHECK(found.rows.size() == found.columns.size());
  CHECK(std::is_sorted(found.rows.begin(), found.rows.end()));
  Numbers used = found.columns;
  std::sort(used.begin(), used.end());
  CHECK(std::adjacent_find(used.begin(), used.end()) == used.end());
  CHECK(std::adjacent_find(found.rows.begin(), found.rows.end()) == found.rows.end());
  double sum = 0;
  for (size_t k = 0; k < found.rows.size(); ++k)
    sum += cost.at(static_cast<size_t>(found.rows[k] * columns + found.columns[k]));
  return sum;
}

/// The smallest sum over all ways to give every row a column; rows ≤ columns.
double best_by_trying(const std::vector<double>& cost, int64_t rows, int64_t columns) {
  Numbers order(static_cast<size_t>(columns));
  std::iota(order.begin(), order.end(), 0);
  double best = INFINITY;
  do {
    double sum = 0;
    for (int64_t r = 0; r < rows; ++r)
      sum += cost[static_cast<size_t>(r * columns + order[static_cast<size_t>(r)])];
    best = std::min(best, sum);
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

TEST_CASE("assignment: as cheap as the best of all, for random costs of every small size") {
  Dice dice({11, 0});
  for (int trial = 0; trial < 300; ++trial) {
    const int64_t rows = 1 + dice.below(5), columns = rows + dice.below(3);
    std::vector<double> cost(static_cast<size_t>(rows * columns)), turned(cost.size());
    // Small whole numbers, so that many are equal; also negative ones, and forbidden pairs.
    for (double& one : cost)
      one = dice.below(12) == 0 ? INFINITY : static_cast<double>(dice.below(9) - 4);
    const double best = best_by_trying(cost, rows, columns);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c)
        turned[static_cast<size_t>(c * rows + r)] = cost[static_cast<size_t>(r * columns + c)];
    if (std::isinf(best)) {
      check_error("no assignment has a finite cost",
                  [&] { linear_sum_assignment(cost, rows, columns); });
      continue;
    }
    CHECK(sum_of(linear_sum_assignment(cost, rows, columns), cost, rows, columns) == best);
    CHECK(sum_of(linear_sum_assignment(turned, columns, rows), turned, columns, rows) == best);
  }
}

TEST_CASE("assignment: the sums that SciPy finds") {
  const Json golden =
      Json::parse(read_file(source_file("tests/golden/boxes.json").string()), "boxes.json");
  for (const Json& one : golden["assignments"].as_array()) {
    const Json::Array& matrix = one["cost"].as_array();
    const auto rows = static_cast<int64_t>(matrix.size()),
               columns = static_cast<int64_t>(matrix.front().as_array().size());
    std::vector<double> cost;
    for (const Json& row : matrix)
      for (const Json& x : row.as_array()) cost.push_back(x.is_string() ? INFINITY : x.as_double());
    const double sum = sum_of(linear_sum_assignment(cost, rows, columns), cost, rows, columns);
    CHECK(sum == doctest::Approx(one["sum"].as_double()).epsilon(1e-12));
  }
}

TEST_CASE("assignment: equal costs give the identity, and no costs give none") {
  for (const auto& [rows, columns] : {std::pair{2, 2}, {4, 4}, {3, 5}, {5, 3}}) {
    const auto size = static_cast<size_t>(rows * columns);
    const Assignment found = linear_sum_assignment(std::vector<double>(size, 1.5), rows, columns);
    Numbers first(static_cast<size_t>(std::min(rows, columns)));
    std::iota(first.begin(), first.end(), 0);
    CHECK(found.rows == first);
    CHECK(found.columns == first);
  }
  CHECK(linear_sum_assignment({}, 0, 3).rows.empty());
  CHECK(linear_sum_assignment({}, 3, 0).columns.empty());
}

TEST_CASE("assignment: ∞ forbids a pair; NaN, −∞ and wrong sizes are refused") {
  CHECK(linear_sum_assignment({INFINITY, 1, 1, INFINITY}, 2, 2).columns == Numbers{1, 0});
  CHECK(error_of([] {
          linear_sum_assignment({INFINITY, 1, INFINITY, 1}, 2, 2);
        }) == "[assignment] no assignment has a finite cost: too many pairs are forbidden (∞)");
  CHECK(error_of([] {
          linear_sum_assignment({1, 2, NAN, 4}, 2, 2);
        }) == "[assignment] the cost of row 1 and column 0 is nan: it must be a number or ∞");
  check_error("the cost of row 0 and column 1 is -inf", [] {
    linear_sum_assignment({1, -INFINITY, 1, 1}, 2, 2);
  });
  CHECK(error_of([] {
          linear_sum_assignment({1, 2, 3}, 2, 2);
        }) == "[assignment] 3 costs for 2 rows and 2 columns");
}

}  // namespace
}  // namespace tarsier::zoo
