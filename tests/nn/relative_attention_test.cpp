// Attention by distance: the skew compared with loops, decoding with a cache, and errors.
#include "nn/layers/relative_attention.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "autograd/check/gradcheck.h"
#include "nn/nn.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

TEST_CASE("the skew gives every query and key the product for their distance") {
  Generator generator(1);
  const int64_t B = 2, H = 2, D = 3;
  for (const auto& [T, K, L] : std::vector<std::array<int64_t, 3>>{
           {5, 5, 5}, {5, 5, 8}, {5, 5, 2}, {1, 1, 1}, {1, 6, 4}, {3, 7, 4}}) {
    CAPTURE(T);
    CAPTURE(K);
    CAPTURE(L);
    const Tensor q = randn({B, H, T, D}, f64, generator), r = randn({H, L, D}, f64, generator);
    const Tensor scores = nn::relative_scores(q, r, K);
    REQUIRE(scores.shape() == Shape{B, H, T, K});
    const auto at = [](const Tensor& x, std::initializer_list<int64_t> place) {
      Tensor part = x;
      for (const int64_t i : place) part = select(part, 0, i);
      return part;
    };
    for (int64_t b = 0; b < B; ++b)
      for (int64_t h = 0; h < H; ++h)
        for (int64_t i = 0; i < T; ++i)
          for (int64_t j = 0; j <= i + K - T; ++j) {
            const int64_t distance = std::min(i + K - T - j, L - 1);
            const double expected = sum(at(q, {b, h, i}) * at(r, {h, distance})).item();
            CHECK(at(scores, {b, h, i, j}).item() == doctest::Approx(expected).epsilon(1e-12));
          }
  }
}

TEST_CASE("relative attention is softmax((q·k + q·r) / √D) · v over earlier positions") {
  Generator generator(2);
  const int64_t T = 4, C = 6, H = 2, D = C / H;
  nn::RelativeAttention layer(C, H, {.max_distance = 3});
  layer.to(f64);
  for (const Tensor& parameter : layer.parameters()) nn::normal_(parameter, 0, 0.7, generator);
  const NoGrad no_grad;
  const Tensor x = randn({1, T, C}, f64, generator);
  const Tensor qkv = select(layer.in_proj(x), 0, 0);
  std::vector<Tensor> rows;
  for (int64_t i = 0; i < T; ++i) {
    std::vector<Tensor> heads;
    for (int64_t h = 0; h < H; ++h) {
      const auto part = [&](int64_t row, int64_t which) {
        return slice(select(qkv, 0, row), 0, which * C + h * D, which * C + (h + 1) * D);
      };
      std::vector<Tensor> scores, values;
      for (int64_t j = 0; j <= i; ++j) {
        const Tensor r = select(select(layer.relative, 0, h), 0, std::min<int64_t>(i - j, 2));
        scores.push_back(sum(part(i, 0) * (part(j, 1) + r)) / std::sqrt(static_cast<double>(D)));
        values.push_back(part(j, 2));
      }
      heads.push_back(matmul(softmax(stack(scores), 0), stack(values)));
    }
    rows.push_back(layer.out_proj(cat(heads)));
  }
  CHECK(allclose(select(layer(x), 0, 0), stack(rows), 1e-10, 1e-12));
  // The weights: rows of 1, nothing of what comes later.
  const Tensor weights = layer.weights(x);
  CHECK(allclose(sum(weights, 3), ones({1, H, T}, f64), 1e-12, 1e-12));
  CHECK(sum(triu(weights, 1)).item() == 0);
}

TEST_CASE("relative attention: gradients of the vectors, also of distances beyond the last one") {
  Generator generator(3);
  nn::RelativeAttention layer(4, 2, {.max_distance = 3});
  layer.to(f64);
  for (const Tensor& parameter : layer.parameters()) nn::normal_(parameter, 0, 0.7, generator);
  std::vector<Tensor> leaves{randn({2, 5, 4}, f64, generator).requires_grad_()};
  for (const Tensor& parameter : layer.parameters()) leaves.push_back(parameter);
  CHECK_NOTHROW(gradcheck([&](const std::vector<Tensor>& in) { return layer(in[0]); }, leaves));
}

TEST_CASE("relative attention decodes with a cache as it reads a whole sequence") {
  Generator generator(4);
  for (const auto& [dtype, tolerance] : {std::pair{f64, 1e-12}, {f32, 1e-5}}) {
    nn::RelativeAttention layer(8, 2, {.max_distance = 5});
    layer.to(dtype);
    layer.eval();
    const NoGrad no_grad;
    const Tensor x = randn({2, 9, 8}, dtype, generator), whole = layer(x);
    for (const std::vector<int64_t>& cuts :
         {std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {0, 4, 9}, {0, 8, 9}}) {
      nn::KVCache cache;
      std::vector<Tensor> parts;
      for (size_t i = 0; i + 1 < cuts.size(); ++i)
        parts.push_back(layer(slice(x, 1, cuts[i], cuts[i + 1]), &cache));
      CHECK(allclose(cat(parts, 1), whole, tolerance, tolerance));
    }
  }
}

TEST_CASE("relative attention: dropout acts in training only, and sizes are checked") {
  nn::RelativeAttention layer(4, 2, {.max_distance = 4, .dropout = 0.5});
  const Tensor x = randn({1, 4, 4});
  CHECK(layer(x).to_vector() != layer(x).to_vector());
  layer.eval();
  CHECK(layer(x).to_vector() == layer(x).to_vector());
  CHECK(layer.extra_repr() == "embed_dim=4, num_heads=2, max_distance=4, dropout=0.5");
  CHECK(error_of([] { nn::RelativeAttention(5, 2); }) ==
        "[relative_attention] embed_dim 5 must be a positive multiple of num_heads 2");
  CHECK(error_of([] { nn::RelativeAttention(4, 2, {.max_distance = 0}); }) ==
        "[relative_attention] max_distance 0 must be positive: with 1 all distances are the same");
  CHECK(error_of([] { nn::RelativeAttention(4, 2, {.dropout = 1.5}); }) ==
        "[relative_attention] dropout 1.5 must be in [0, 1]");
  const Tensor r = nn::RelativeAttention(8, 2).relative;
  CHECK(std::abs(std::sqrt(mean(square(r)).item()) - 0.02) < 0.002);
  check_error("[relative_attention] x (2, 4): expected (batch, time, 4)", [&] {
    layer(zeros({2, 4}));
  });
  check_error("3 keys: expected (B, H, T, D), (H, L, D) and at least T keys", [] {
    nn::relative_scores(zeros({1, 2, 4, 2}), zeros({2, 4, 2}), 3);
  });
}

}  // namespace
}  // namespace tarsier
