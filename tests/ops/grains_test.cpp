// Work is cut into the same chunks at any number of threads. So a chunk that starts at a wrong
// position gives the same wrong bits everywhere, in f32 and in f64. Here ops run on more than four
// grains of elements, and are compared with something that is not cut: the slope of the result
// along one direction, and the same op on a few rows at a time. In addition, no op may write
// outside its tensors.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "autograd/tensor/memory_guard.h"
#include "tests/ops/compare.h"

namespace tarsier::test {
namespace {

/// 132,900 elements: the largest grain is 32,768.
constexpr int64_t kRows = 443, kLength = 300;

/// Uniform numbers in [−1, 1) of the shape of x.
Tensor direction(const Tensor& x, uint64_t seed) {
  Generator generator(seed);
  return rand(x.shape(), f64, generator) * 2 - 1;
}

double dot(const Tensor& a, const Tensor& b) { return sum(a * b).item(); }

/// The inputs, each moved by `step` along its direction if it has a gradient.
Tensors moved(const Op& op, const Tensors& inputs, double step) {
  const NoGrad guard;
  Tensors out = leaves(inputs, op.constants);
  for (size_t i = 0; i < out.size(); ++i)
    if (out[i].requires_grad()) add_(out[i], direction(out[i], i) * step);
  return out;
}

/// Σᵢ ⟨dxᵢ, vᵢ⟩ is the slope of ⟨dy, f⟩ along v, whatever f is.
std::string slope_difference(const Op& op, const Tensors& inputs) {
  const Tensors at = leaves(inputs, op.constants);
  const Tensor y = op.call(at);
  if (!y.requires_grad()) return "";
  const Tensor dy = direction(y, 99);
  Tensors wanted, along;
  for (size_t i = 0; i < at.size(); ++i)
    if (at[i].requires_grad()) {
      wanted.push_back(at[i]);
      along.push_back(direction(at[i], i));
    }
  const Tensors dx = grad({y}, wanted, {dy}, false, false, /*allow_unused=*/true);
  double slope = 0, size = 0;
  for (size_t i = 0; i < dx.size(); ++i) {
    if (!dx[i].defined()) continue;
    slope += dot(dx[i], along[i]);
    size += dot(dx[i], dx[i]);
  }
  std::string text;
  // If an element is within a step of a jump (softplus at its threshold), a smaller step helps.
  for (const double step : {op.step, op.step / 100}) {
    const double above = dot(op.call(moved(op, inputs, step)), dy),
                 below = dot(op.call(moved(op, inputs, -step)), dy);
    const double difference = (above - below) / (2 * step);
    // A chunk at a wrong position changes the slope by about the size of its part of the gradient.
    // Differences are accurate to ε·|f|/step and to step².
    const double rounding = 64 * epsilon(f64) * std::sqrt(dot(y, y) * dot(dy, dy)) / step;
    const double allowed = 1e-4 * op.condition * std::sqrt(size) + rounding;
    if (std::abs(slope - difference) <= allowed) return "";
    text = concat("slope ", slope, " by gradients, ", difference, " by differences (", allowed,
                  " allowed)");
  }
  return text;
}

TEST_CASE("ops: gradients over more than four grains agree with differences") {
  for_each_op([](const Op& op) -> std::string {
    if (!op.sized || op.random || !op.differentiable) return "";
    // Attention counts pairs of rows, not elements: 40,000 are more than four grains.
    const bool in_pairs = op.name.find("attention") != std::string::npos;
    return slope_difference(op, in_pairs ? op.sized(200, 40) : op.sized(kRows, kLength));
  });
}

/// Rows `first` to `end` of x.
Tensor rows_of(const Tensor& x, int64_t first, int64_t end) {
  Shape shape = x.shape();
  shape[0] = end - first;
  return x.view_as(shape, x.strides(), x.offset() + first * x.strides()[0]);
}

const std::string kNotByRows = "not by rows";

/// "" if op(some rows) equals those rows of op(all), for `count` rows at a time.
std::string rows_difference(const Op& op, const Tensors& inputs, int64_t count) {
  const NoGrad guard;
  const Tensor whole = op.call(inputs);
  const int64_t rows = inputs[0].size(0);
  if (whole.dim() == 0 || whole.size(0) != rows) return kNotByRows;
  for (int64_t first = 0; first < rows; first += count) {
    const int64_t end = std::min(first + count, rows);
    Tensors part;
    for (const Tensor& x : inputs)
      part.push_back(x.dim() > 0 && x.size(0) == rows ? rows_of(x, first, end) : x);
    const Tensor y = op.call(part), expected = rows_of(whole, first, end);
    if (!(y.shape() == expected.shape())) return kNotByRows;
    const std::string text = difference(y, expected, f64, kOpSteps * op.condition);
    if (!text.empty()) return concat("rows from ", first, ": ", text);
  }
  return "";
}

TEST_CASE("ops: row by row results are the same for a few rows and for many") {
  int64_t by_rows = 0;
  for_each_op([&](const Op& op) -> std::string {
    if (!op.sized || op.random) return "";
    std::string few;
    try {
      few = rows_difference(op, op.sized(7, 13), 1);
    } catch (const Error&) {
      return "";  // refuses inputs with different numbers of rows
    }
    if (!few.empty()) return "";  // its rows depend on each other
    ++by_rows;
    const std::string many = rows_difference(op, op.sized(kRows, kLength), 13);
    return many == kNotByRows ? "" : many;
  });
  if (std::getenv("TARSIER_TEST_OP") == nullptr) CHECK(by_rows > 60);
}

TEST_CASE("ops: nothing is written next to a tensor, and nothing is left unwritten") {
  for_each_op([](const Op& op) -> std::string {
    if (op.random) return "";
    std::vector<Tensors> samples = op.samples;
    if (op.sized) samples.push_back(op.sized(3, 37));
    for (const Tensors& sample : samples)
      for (const DType dtype : {f32, f64}) {
        const Outcome free = outcome_of(op.call, leaves(sample, op.constants, dtype));
        const MemoryGuard guard;
        {
          const Outcome guarded = outcome_of(op.call, leaves(sample, op.constants, dtype));
          const std::string text = bit_difference(guarded, free);
          if (!text.empty()) return concat("in memory filled before: ", text);
        }
        if (guard.damaged() > 0)
          return concat("writes outside ", guard.damaged(), " tensors, on ", sample[0].shape());
      }
    return "";
  });
}

TEST_CASE("a MemoryGuard reports writes before and after a tensor, and nothing else") {
  const MemoryGuard guard;
  { const Tensor x = zeros({3}); }
  CHECK(guard.damaged() == 0);
  {
    const Tensor x = zeros({3});
    x.data<float>()[3] = 0;
  }
  CHECK(guard.damaged() == 1);
  {
    const Tensor x = zeros({3});
    x.data<float>()[-1] = 0;
  }
  CHECK(guard.damaged() == 2);
}

}  // namespace
}  // namespace tarsier::test
