#include "zoo/boxes/assignment.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "autograd/base/error.h"

namespace tarsier::zoo {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// For costs with no more rows than columns.
class Solver {
 public:
  Solver(const std::vector<double>& cost, size_t rows, size_t columns)
      : cost_(cost),
        columns_(columns),
        u_(rows),
        v_(columns),
        column_of_(rows, kNone),
        row_of_(columns, kNone) {}

  /// The column of every row.
  std::vector<size_t> solve() {
    for (size_t row = 0; row < u_.size(); ++row) add(row);
    return column_of_;
  }

 private:
  static constexpr size_t kNone = std::numeric_limits<size_t>::max();

  /// Assigns one more row: Dijkstra's shortest path from it to a free column.
  void add(size_t row) {
    std::vector<double> distance(columns_, kInfinity);  // from `row` to each column
    std::vector<size_t> from(columns_, kNone);          // the row before it on the way
    std::vector<bool> reached(columns_, false);
    std::vector<size_t> tree{row};  // the rows whose columns were reached
    double shortest = 0;
    size_t free = kNone;
    for (size_t at = row; free == kNone;) {
      for (size_t j = 0; j < columns_; ++j) {
        const double way = shortest + cost_[at * columns_ + j] - u_[at] - v_[j];
        if (!reached[j] && way < distance[j]) distance[j] = way, from[j] = at;
      }
      const size_t next = nearest(distance, reached);
      check(next != kNone, "assignment",
            "no assignment has a finite cost: too many pairs are forbidden (∞)");
      shortest = distance[next];
      reached[next] = true;
      if (row_of_[next] == kNone) {
        free = next;
      } else {
        tree.push_back(at = row_of_[next]);
      }
    }
    // New potentials: reduced costs stay ≥ 0, and become 0 along the path.
    for (const size_t r : tree) u_[r] += r == row ? shortest : shortest - distance[column_of_[r]];
    for (size_t j = 0; j < columns_; ++j)
      if (reached[j]) v_[j] -= shortest - distance[j];
    for (size_t j = free, r = kNone; r != row;) {
      r = from[j];
      row_of_[j] = r;
      std::swap(column_of_[r], j);
    }
  }

  /// The column with the smallest finite distance that was not reached; of equal ones a free one,
  /// which ends the search.
  size_t nearest(const std::vector<double>& distance, const std::vector<bool>& reached) const {
    size_t best = kNone;
    for (size_t j = 0; j < columns_; ++j) {
      if (reached[j] || distance[j] == kInfinity) continue;
      if (best == kNone || distance[j] < distance[best] ||
          (distance[j] == distance[best] && row_of_[j] == kNone && row_of_[best] != kNone))
        best = j;
    }
    return best;
  }

  const std::vector<double>& cost_;
  size_t columns_;
  std::vector<double> u_, v_;  // potentials of rows and columns
  std::vector<size_t> column_of_, row_of_;
};

}  // namespace

Assignment linear_sum_assignment(const std::vector<double>& cost, int64_t rows, int64_t columns) {
  check(rows >= 0 && columns >= 0 && static_cast<int64_t>(cost.size()) == rows * columns,
        "assignment", cost.size(), " costs for ", rows, " rows and ", columns, " columns");
  for (size_t i = 0; i < cost.size(); ++i)
    check(cost[i] > -kInfinity, "assignment", "the cost of row ", static_cast<int64_t>(i) / columns,
          " and column ", static_cast<int64_t>(i) % columns, " is ", cost[i],
          ": it must be a number or ∞");
  const auto n = static_cast<size_t>(rows), m = static_cast<size_t>(columns);
  Assignment out;
  if (rows <= columns) {
    Solver solver(cost, n, m);
    for (const size_t column : solver.solve()) {
      out.rows.push_back(static_cast<int64_t>(out.rows.size()));
      out.columns.push_back(static_cast<int64_t>(column));
    }
    return out;
  }
  std::vector<double> turned(cost.size());
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < m; ++j) turned[j * n + i] = cost[i * m + j];
  Solver solver(turned, m, n);
  const std::vector<size_t> row_of = solver.solve();
  out.columns.resize(m);
  std::iota(out.columns.begin(), out.columns.end(), 0);
  std::sort(out.columns.begin(), out.columns.end(), [&](int64_t a, int64_t b) {
    return row_of[static_cast<size_t>(a)] < row_of[static_cast<size_t>(b)];
  });
  for (const int64_t column : out.columns)
    out.rows.push_back(static_cast<int64_t>(row_of[static_cast<size_t>(column)]));
  return out;
}

}  // namespace tarsier::zoo
