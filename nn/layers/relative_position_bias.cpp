#include "nn/layers/relative_position_bias.h"

#include <vector>

#include "nn/init.h"

namespace tarsier::nn {

namespace {

const char* const kName = "relative_position_bias";

}  // namespace

RelativePositionBias::RelativePositionBias(int64_t num_heads, int64_t rows, int64_t columns)
    : num_heads(num_heads), rows(rows), columns(columns) {
  check(num_heads > 0 && rows > 0 && columns > 0, kName, num_heads, " heads on a grid of ", rows,
        " × ", columns, ": all must be positive");
  register_parameter("table", table, Tensor::empty({num_heads, 2 * rows - 1, 2 * columns - 1}));
  normal_(table, 0, 0.02);
  std::vector<int64_t> index;
  const int64_t N = rows * columns;
  for (int64_t i = 0; i < N; ++i)
    for (int64_t j = 0; j < N; ++j)
      index.push_back((i / columns - j / columns + rows - 1) * (2 * columns - 1) + i % columns -
                      j % columns + columns - 1);
  index_ = from_vector(index, {N * N});
}

Tensor RelativePositionBias::forward(const Arg& x) {
  const CallScope here(x.at);
  check(x.dim() > 0, kName, "x has no dimension that could be the batch");
  const int64_t B = x.size(0), N = rows * columns;
  const Tensor bias = reshape(index_select(flatten(table, 1), 1, index_), {1, num_heads, N, N});
  return reshape(expand(bias, {B, num_heads, N, N}), {B * num_heads, N, N});
}

std::string RelativePositionBias::extra_repr() const {
  return concat("num_heads=", num_heads, ", rows=", rows, ", columns=", columns);
}

}  // namespace tarsier::nn
