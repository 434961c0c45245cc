// Numbers that are hard for f32: far from 0 and close together, so that the rounding of a mean is
// as large as their differences; or so large or small that their squares overflow or underflow. If
// the result is an ordinary number, it and its gradient must be right. The reference is the same op
// in f64 on the same numbers. Runs with every instruction set.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <tuple>

#include "nn/nn.h"
#include "tests/ops/compare.h"

namespace tarsier::test {
namespace {

using Function = std::function<Tensor(const Tensor&)>;
using Values = std::vector<double>;

Tensor row(const Values& values) { return numbers(values, {static_cast<int64_t>(values.size())}); }

/// The largest difference of the two, relative to the largest number; ∞ if one is NaN.
double error_of(const Tensor& got, const Tensor& expected) {
  double error = 0, scale = 0;
  const Values a = got.to_vector(), b = expected.to_vector();
  for (size_t i = 0; i < b.size(); ++i) {
    scale = std::max(scale, std::abs(b[i]));
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return INFINITY;
    error = std::max(error, std::abs(a[i] - b[i]));
  }
  return scale == 0 ? error : error / scale;
}

struct Result {
  Tensor y, dx;
};
/// f of x in `dtype`, and the gradient under an upstream of 1, 2, −3, 4, −5, … times `size`.
Result result(const Function& f, const Tensor& x, DType dtype, double size, bool create_graph) {
  const Tensor leaf = copy_as(x, Layout::contiguous, dtype).requires_grad_();
  const Tensor y = f(leaf);
  Values upstream(static_cast<size_t>(y.numel()));
  for (size_t i = 0; i < upstream.size(); ++i)
    upstream[i] = size * (i % 2 ? 1 : -1) * static_cast<double>(1 + i % 7);
  const Tensor dy = to(numbers(upstream, y.shape()), dtype);
  return {y, grad({y}, {leaf}, {dy}, false, create_graph)[0]};
}

/// Checks f and its gradient in f32 against f64, with the kernels and with the reference forms,
/// within `steps` roundings.
void check_in_f32(const std::string& what, const Function& f, const Tensor& numbers,
                  double steps = 16, double size = 1) {
  CAPTURE(what);
  const Tensor x = to(to(numbers, f32), f64);  // f32 and f64 start from the same numbers
  const double allowed = steps * std::numeric_limits<float>::epsilon();
  const Result expected = result(f, x, f64, size, false);
  for (const bool create_graph : {false, true}) {
    CAPTURE(create_graph);
    const Result got = result(f, x, f32, size, create_graph);
    CHECK(error_of(got.y, expected.y) <= allowed);
    CHECK(error_of(got.dx, expected.dx) <= allowed);
  }
}

/// `n` numbers around `mean`, about `deviation` apart.
Tensor around(double mean, double deviation, int64_t n) {
  Values x(static_cast<size_t>(n));
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = mean + deviation * std::sin(1.7 * static_cast<double>(i * i) + 0.3);
  return row(x);
}

Function layer_norm_with(double eps) {
  return [=](const Tensor& x) { return layer_norm(x, {}, {}, eps); };
}
Function rms_norm_with(double eps) {
  return [=](const Tensor& x) { return rms_norm(x, {}, eps); };
}
Function batch_norm_of(int64_t channels, double eps) {
  return [=](const Tensor& x) {
    nn::BatchNorm1d layer(channels, {.eps = eps});
    layer.to(x.dtype());
    return layer(reshape(x, {-1, channels}));
  };
}
/// One sample of two channels in `groups` groups; one group per channel is instance norm.
Function group_norm_of(int64_t groups, double eps) {
  return [=](const Tensor& x) {
    nn::GroupNorm layer(groups, 2, eps);
    layer.to(x.dtype());
    return layer(reshape(x, {1, 2, -1}));
  };
}

// ------------------------------------------------------------------------------- far from 0

TEST_CASE("range: normalised values are 0 if all elements are equal") {
  for (const auto& [value, n, eps] :
       {std::tuple(1.7, 768, 1e-12), {1000000.1, 3, 1e-5}, {1e6, 3, 1e-5}, {0.1, 1000, 1e-30}}) {
    CAPTURE(value);
    const Tensor x = full({n}, value), zero = zeros({n});
    CHECK(bit_difference(abs(layer_norm(x, {}, {}, eps)), zero) == "");
    CHECK(bit_difference(abs(layer_norm_reference(x, {}, {}, eps)), zero) == "");
    CHECK(var(x).item() == 0);
    CHECK(stddev(x).item() == 0);
    nn::BatchNorm1d batch(1, {.eps = eps, .momentum = 1});
    CHECK(bit_difference(abs(batch(reshape(x, {n, 1}))), zeros({n, 1})) == "");
    CHECK(batch.running_var.item() == 0);
    const Tensor pair = full({1, 2, n}, value);
    for (const int groups : {1, 2})
      CHECK(bit_difference(abs(nn::GroupNorm(groups, 2, eps)(pair)), zeros({1, 2, n})) == "");
  }
}

TEST_CASE("range: the rounding of a mean does not remain in normalised values") {
  for (const auto& [mean, deviation] :
       {std::pair(1e6, 1.0), {1e4, 1e-3}, {-3e5, 0.1}, {1.7, 1e-6}, {1e6, 0.07}})
    for (const int64_t n : {6, 37, 768}) {
      CAPTURE(mean);
      CAPTURE(n);
      const Tensor x = around(mean, deviation, n);
      for (const double eps : {1e-5, 1e-12}) {
        CAPTURE(eps);
        check_in_f32("layer_norm", layer_norm_with(eps), x);
        check_in_f32("batch_norm", batch_norm_of(1, eps), x);
        check_in_f32("group_norm", group_norm_of(1, eps), cat({x, x}));
        check_in_f32("instance_norm", group_norm_of(2, eps), cat({x, 2 * x}));
      }
      check_in_f32(
          "var", [](const Tensor& x) { return var(x); }, x);
      check_in_f32(
          "stddev", [](const Tensor& x) { return stddev(x); }, x);
      check_in_f32(
          "var, columns",
          [](const Tensor& x) {
            return var(stack({x, x}, 1), 0);
          },
          x);
    }
}

TEST_CASE("range: the gradient of a weight includes the rest of the mean") {
  const int64_t n = 37, rows = 9;
  const Tensor x = to(reshape(around(1e6, 0.5, n * rows), {rows, n}), f32);
  const auto gradient = [&](DType dtype) {
    const Tensor w = ones({n}, dtype).requires_grad_(), b = zeros({n}, dtype).requires_grad_();
    const Tensor dy = to(reshape(around(0, 1, n * rows), {rows, n}), dtype);
    return grad({layer_norm(to(x, dtype), w, b, 1e-12)}, {w, b}, {dy});
  };
  CHECK(error_of(gradient(f32)[0], gradient(f64)[0]) < 1e-6);
  CHECK(error_of(gradient(f32)[1], gradient(f64)[1]) < 1e-6);
}

TEST_CASE("range: running statistics are those of the batch, far from 0") {
  const Tensor x = reshape(around(1e4, 1e-3, 60), {-1, 1});
  const auto statistics = [&](DType dtype) {
    nn::BatchNorm1d layer(1, {.momentum = 1});
    layer.to(dtype);
    layer(to(to(x, f32), dtype));
    return layer.running_var;
  };
  CHECK(error_of(statistics(f32), statistics(f64)) < 1e-6);
}

// ------------------------------------------------------------------------- huge and tiny squares

TEST_CASE("range: norms of huge and tiny numbers") {
  CHECK(norm(tensor({1e20, 1, 1})).item<float>() == 1e20f);
  CHECK(norm(tensor({1e-30, 1e-30})).item() == doctest::Approx(std::sqrt(2) * 1e-30));
  CHECK(norm(tensor({0, 0})).item() == 0);
  CHECK(std::isinf(norm(tensor({1, INFINITY})).item()));
  CHECK(std::isnan(norm(tensor({1e30, NAN})).item()));
  for (const double size : {1e20, 1e-30, 3e37, 1e-37})
    for (const double p : {0.5, 1.0, 1.5, 2.0, 3.0, 100.0, static_cast<double>(INFINITY)}) {
      CAPTURE(size);
      CAPTURE(p);
      const Function f = [=](const Tensor& x) { return norm(x, p, -1); };
      // Including an ordinary row, and one with a zero.
      const Tensor x = numbers({size, -2 * size, size / 2, 1, 2, 3, size, 0, -size}, {3, 3});
      // Powers multiply the rounding error of their base.
      const double steps = std::isinf(p) ? 16 : 16 + p;
      if (p != 0.5) check_in_f32("norm", f, x, steps);
      check_in_f32("norm of ordinary size", f, numbers({1, -2, 0.5}, {1, 3}), steps);
      CHECK(norm(to(x, f32), p, 1).to_vector()[1] == norm(tensor({1, 2, 3}), p).item());
    }
}

TEST_CASE("range: deviations and variances of huge and tiny numbers") {
  for (const double size : {1e20, 1e-30, 1e37}) {
    CAPTURE(size);
    const Tensor x = numbers({size, -size, 3 * size, size, 1, 2, 4, 1}, {2, 4});
    check_in_f32(
        "stddev", [](const Tensor& x) { return stddev(x, -1); }, x);
    check_in_f32(
        "stddev, columns", [](const Tensor& x) { return stddev(transpose(x, 0, 1), 0); }, x);
  }
  // The sum of squares overflows, their mean does not.
  check_in_f32(
      "var", [](const Tensor& x) { return var(x); }, around(0, 1e19, 1000));
}

TEST_CASE("range: normalising huge and tiny rows") {
  for (const double size : {1e20, 3e37, 1e-30, 1e-37})
    for (const int64_t n : {4, 19, 300}) {
      CAPTURE(size);
      CAPTURE(n);
      const Tensor x = around(0.1 * size, size, n);
      const double eps = size < 1 ? 0 : 1e-5, upstream = size < 1 ? size : 1e20;
      check_in_f32("layer_norm", layer_norm_with(eps), x, 32, upstream);
      check_in_f32("rms_norm", rms_norm_with(eps), x, 32, upstream);
      check_in_f32("batch_norm", batch_norm_of(1, eps), x, 32, upstream);
      check_in_f32("group_norm", group_norm_of(1, eps), cat({x, x}), 32, upstream);
    }
  // Rows of any size next to each other, and the gradient of a weight over all of them.
  const Tensor x = numbers({1e20, -1e20, 1e20, 2, 1, 5, 1e-20, 3e-20, -1e-20}, {3, 3});
  const auto gradient = [&](DType dtype, bool centred) {
    const Tensor w = ones({3}, dtype).requires_grad_();
    const Tensor in = to(to(x, f32), dtype);
    const Tensor y = centred ? layer_norm(in, w, {}, 0) : rms_norm(in, w, 0);
    return grad({y}, {w}, {to(numbers({1, 2, 3, -4, 5, 6, 7, 8, -9}, {3, 3}), dtype)})[0];
  };
  for (const bool centred : {false, true})
    CHECK(error_of(gradient(f32, centred), gradient(f64, centred)) < 1e-6);
}

TEST_CASE("range: rows of different sizes next to each other do not affect each other") {
  const int64_t n = 37;
  Values late(n, 0.0);  // its first registers tell nothing about its size
  for (size_t i = 20; i < late.size(); ++i) late[i] = 1e25 * std::cos(static_cast<double>(i));
  const Tensors kinds = {around(0.1, 1, n), around(1e24, 1e25, n), around(1e-26, 1e-25, n),
                         around(1e4, 1e-3, n), row(late)};
  const int64_t count = static_cast<int64_t>(kinds.size());
  for (const bool centred : {false, true})
    for (int64_t first = 0; first < count; ++first) {
      CAPTURE(centred);
      CAPTURE(first);
      Tensors rows;
      for (int64_t i = 0; i < count; ++i)
        rows.push_back(reshape(kinds[static_cast<size_t>((first + i) % count)], {1, n}));
      const auto run = [&](const Tensor& x, DType dtype) {
        const Tensor in = copy_as(to(x, f32), Layout::contiguous, dtype).requires_grad_();
        const Tensor w = ones({n}, dtype).requires_grad_();
        const Tensor y = centred ? layer_norm(in, w, {}, 0) : rms_norm(in, w, 0);
        const Tensor dy = expand(cos(arange(n, dtype)), y.shape());
        Tensors out = grad({y}, {in, w}, {dy});
        out.push_back(y.detach());
        return out;
      };
      const Tensors all = run(cat(rows), f32);
      CHECK(error_of(all[1], run(cat(rows), f64)[1]) < 1e-5);
      for (int64_t i = 0; i < count; ++i) {
        CAPTURE(i);
        const Tensor& x = rows[static_cast<size_t>(i)];
        const Tensors alone = run(x, f32);
        CHECK(slice(all[0], 0, i, i + 1).to_vector() == alone[0].to_vector());
        CHECK(slice(all[2], 0, i, i + 1).to_vector() == alone[2].to_vector());
        CHECK(error_of(alone[2], run(x, f64)[2]) < 1e-5);
      }
    }
}

TEST_CASE("range: values that must survive rounding and scaling") {
  // Infinite and NaN rows stay so; a row of zeros without eps gives NaN.
  for (const bool centred : {false, true}) {
    const auto f = centred ? layer_norm_with(0) : rms_norm_with(0);
    CHECK(all(isnan(f(tensor({0, 0, 0})))).item<bool>());
    CHECK(isnan(f(tensor({1, NAN, 2}))).to_vector()[1] == 1);
    CHECK(isnan(f(tensor({1, INFINITY, 2}))).to_vector()[1] == 1);
  }
  // With an eps that is larger than their squares, small rows stay small.
  check_in_f32("layer_norm", layer_norm_with(1e-5), row({1e-30, -2e-30, 3e-30}), 16, 1);
  check_in_f32("rms_norm", rms_norm_with(1e-30), row({1e-15, -2e-15, 3e-15}), 16, 1);
  check_in_f32("rms_norm", rms_norm_with(1e-37), row({1e-19, -2e-19, 3e-19}), 16, 1e-19);
}

TEST_CASE("range: losses of huge and tiny vectors") {
  for (const double size : {1e20, 1e-3, 1.0}) {
    CAPTURE(size);
    const auto with = [=](double a, double b) { return numbers({size * a, size * b}, {1, 2}); };
    const auto in = [](const Tensor& x, const Tensor& like) { return to(x, like.dtype()); };
    for (const double target : {1.0, -1.0})
      check_in_f32(
          "cosine_embedding_loss",
          [=](const Tensor& x) {
            return nn::cosine_embedding_loss(x, in(with(2, 1), x), full({1}, target, x.dtype()));
          },
          with(1, 3), 16, size);
    check_in_f32(
        "triplet_margin_loss",
        [=](const Tensor& x) {
          return nn::triplet_margin_loss(x, in(with(3, 0), x), in(with(0, 1), x));
        },
        with(1, 1));
    check_in_f32(
        "info_nce",
        [=](const Tensor& x) {
          return nn::info_nce(x, in(cat({with(1, 2), with(-1, 0)}), x), 0.5);
        },
        cat({with(1, 1), with(2, -1)}), 16, size);
  }
  check_in_f32(
      "gelu, tanh", [](const Tensor& x) { return gelu(x, "tanh"); },
      row({1e20, -1e20, 1e10, -1e10, 1}));
}

}  // namespace
}  // namespace tarsier::test
