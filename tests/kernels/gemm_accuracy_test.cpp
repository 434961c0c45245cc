// The accuracy of sums of products: the mean error of every path through matmul, compared with the
// error of PyTorch 2.15 (MKL, AVX2) on the same kind of numbers.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>
#include "autograd/ops/matmul/gemm.kernel.h"
#include "autograd/simd/dispatch.h"

namespace tarsier::kernels {
namespace {

/// Uniform numbers in [low, 1).
std::vector<float> noise(int64_t n, double low, uint64_t seed) {
  std::vector<float> values(static_cast<size_t>(n));
  uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  for (float& value : values) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    value = static_cast<float>(low + (1 - low) * static_cast<double>(state >> 11) / (1ll << 53));
  }
  return values;
}

/// A kind of product: its sizes, which operands are transposed, and its epilogue.
struct Path {
  const char* name;
  int64_t m, n;
  bool a_transposed = false, b_transposed = false;
  int64_t batch = 1;
  bool accumulate = false, bias = false;
};

const Path kPaths[] = {
    {"tiles that read A and B where they lie", 7, 19},
    {"packed B", 7, 19, false, true},
    {"A by columns", 7, 19, true, false},
    {"both transposed", 7, 19, true, true},
    {"packed A", 2, 530},
    {"many rows", 260, 2},
    {"one row", 1, 35},
    {"one row, B by columns", 1, 35, false, true},
    {"one column", 35, 1},
    {"one column, A by columns", 35, 1, true, false},
    {"a batch", 3, 9, false, false, 5},
    {"a batch of numbers", 1, 1, false, false, 60},
    {"added to C", 7, 19, false, true, 1, true},
    {"one row added to C", 1, 35, false, true, 1, true},
    {"with a bias", 7, 19, false, true, 1, false, true},
};

/// √(mean of squared errors / mean square of the results).
double relative_error(const Path& path, int64_t k, double low) {
  const auto [name, m, n, a_transposed, b_transposed, batch, accumulate, with_bias] = path;
  const std::vector<float> a = noise(batch * m * k, low, 1), b = noise(batch * k * n, low, 2),
                           bias = noise(n, low, 3);
  std::vector<float> c = noise(batch * m * n, low, 4);
  const std::vector<float> before = c;
  std::vector<int64_t> a_offsets, b_offsets, c_offsets;
  for (int64_t i = 0; i < batch; ++i) {
    a_offsets.push_back(i * m * k);
    b_offsets.push_back(i * k * n);
    c_offsets.push_back(i * m * n);
  }
  const Gemm<float> gemm{.m = m,
                         .n = n,
                         .k = k,
                         .a = a.data(),
                         .a_row = a_transposed ? 1 : k,
                         .a_col = a_transposed ? m : 1,
                         .b = b.data(),
                         .b_row = b_transposed ? 1 : n,
                         .b_col = b_transposed ? k : 1,
                         .c = c.data(),
                         .c_row = n,
                         .accumulate = accumulate,
                         .bias = with_bias ? bias.data() : nullptr,
                         .batch = batch,
                         .a_offsets = a_offsets.data(),
                         .b_offsets = b_offsets.data(),
                         .c_offsets = c_offsets.data()};
  active<GemmKernels<float>>().gemm(gemm);
  double errors = 0, squares = 0;
  for (int64_t i = 0; i < batch; ++i)
    for (int64_t row = 0; row < m; ++row)
      for (int64_t col = 0; col < n; ++col) {
        const float* x = a.data() + i * m * k + row * gemm.a_row;
        const float* y = b.data() + i * k * n + col * gemm.b_col;
        const auto at = static_cast<size_t>((i * m + row) * n + col);
        double sum = accumulate  ? static_cast<double>(before[at])
                     : with_bias ? static_cast<double>(bias[static_cast<size_t>(col)])
                                 : 0.0;
        for (int64_t p = 0; p < k; ++p)
          sum += static_cast<double>(x[p * gemm.a_col]) * static_cast<double>(y[p * gemm.b_row]);
        const double error = static_cast<double>(c[at]) - sum;
        errors += error * error;
        squares += sum * sum;
      }
  return std::sqrt(errors / squares);
}

TEST_CASE("matmul: errors of sums are at most twice PyTorch's, on every path") {
  struct Length {
    int64_t k;
    double positive, mixed;  // PyTorch's error for numbers in [0, 1), and in [−1, 1)
  };
  // The larger errors are those of one row by a transposed matrix, summed along the lanes.
  for (const Length& length :
       {Length{48, 0.43e-7, 0.83e-7}, Length{64, 0.48e-7, 0.89e-7}, Length{96, 0.49e-7, 1.02e-7},
        Length{128, 0.56e-7, 1.16e-7}, Length{160, 0.62e-7, 1.25e-7}, Length{256, 0.69e-7, 1.50e-7},
        Length{1024, 0.98e-7, 2.48e-7}, Length{8192, 0.93e-7, 2.8e-7},
        Length{20000, 1.6e-7, 3.1e-7}, Length{100000, 3.4e-7, 4.7e-7}})
    for (const Path& path : kPaths) {
      if (length.k == 100000 && path.m * path.n > 200) continue;  // only slower
      CAPTURE(std::string(path.name));
      CAPTURE(length.k);
      CHECK(relative_error(path, length.k, 0) <= 2 * length.positive);
      CHECK(relative_error(path, length.k, -1) <= 2 * length.mixed);
    }
}

TEST_CASE("a dot product of a million equal numbers is right to the last digits") {
  // Summed one by one in f32, 10⁶ terms 0.1 · 1 are 1.3 % off; PyTorch's dot is 0.06 % off.
  const std::vector<float> x(1000000, 0.1f), ones(1000000, 1.0f);
  for (const int64_t step : {1, 2, 3}) {
    const int64_t k = 1000000 / step;
    float y = 0;
    active<GemmKernels<float>>().gemm({.m = 1,
                                       .n = 1,
                                       .k = k,
                                       .a = x.data(),
                                       .a_row = 0,
                                       .a_col = step,
                                       .b = ones.data(),
                                       .b_row = step,
                                       .b_col = 0,
                                       .c = &y,
                                       .c_row = 1});
    CAPTURE(step);
    CHECK(std::fabs(static_cast<double>(y) / (static_cast<double>(0.1f) * static_cast<double>(k)) -
                    1) < 1e-6);
  }
}

}  // namespace
}  // namespace tarsier::kernels
