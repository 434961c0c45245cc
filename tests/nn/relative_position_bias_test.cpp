// What attention adds for the displacement of two places on a grid.
#include "nn/layers/relative_position_bias.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "nn/layers/attention.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

TEST_CASE("a relative position bias depends on how far down and to the right a key is") {
  constexpr int64_t H = 2, R = 3, C = 4, N = R * C;
  nn::RelativePositionBias bias(H, R, C);
  CHECK(bias.table.shape() == Shape{H, 5, 7});
  const Tensor mask = bias(zeros({3, N, 8}));
  CHECK(mask.shape() == Shape{3 * H, N, N});
  const std::vector<double> table = bias.table.to_vector(), all = mask.to_vector();
  for (int64_t b = 0; b < 3; ++b)
    for (int64_t h = 0; h < H; ++h)
      for (int64_t i = 0; i < N; ++i)
        for (int64_t j = 0; j < N; ++j) {
          const int64_t down = i / C - j / C + R - 1, right = i % C - j % C + C - 1;
          REQUIRE(all[static_cast<size_t>(((b * H + h) * N + i) * N + j)] ==
                  table[static_cast<size_t>((h * 5 + down) * 7 + right)]);
        }
}

TEST_CASE("attention with a relative position bias is the same wherever the pattern lies") {
  // Two neighbouring places that see only each other, on a row of four.
  nn::RelativePositionBias bias(1, 1, 4);
  nn::MultiheadAttention attn(4, 1, {.batch_first = true});
  const NoGrad guard;
  const Tensor pair = randn({1, 2, 4});
  const auto result = [&](int64_t first) {
    const Tensor x = cat({zeros({1, first, 4}), pair, zeros({1, 2 - first, 4})}, 1);
    Tensor padding = ones({1, 4});
    copy_(slice(padding, 1, first, first + 2), zeros({1, 2}));
    const Tensor y = attn(x, {.key_padding_mask = padding > 0.5, .attn_mask = bias(x)});
    return slice(y, 1, first, first + 2);
  };
  CHECK(allclose(result(0), result(2), 1e-5, 1e-6));
  CHECK(allclose(result(0), result(1), 1e-5, 1e-6));
}

TEST_CASE("a relative position bias refuses sizes that are none") {
  CHECK(error_of([] { nn::RelativePositionBias(2, 0, 3); }) ==
        "[relative_position_bias] 2 heads on a grid of 0 × 3: all must be positive");
  nn::RelativePositionBias bias(1, 2, 2);
  CHECK_THROWS_AS(bias(zeros({})), Error);
}

}  // namespace
}  // namespace tarsier
