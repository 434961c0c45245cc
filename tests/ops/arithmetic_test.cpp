// Do all ways of computing an op agree? f32 and f64, dense and strided, fused and reference form,
// one thread and several, every length of a row. ctest runs this once for every instruction set.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/parallel.h"
#include "tests/ops/compare.h"
#include "tests/ops/tolerance.h"

namespace tarsier::test {
namespace {

/// Rows for a row length, so that the two go through their tails together.
int64_t rows_for(int64_t n) { return 1 + n % 16; }
constexpr int64_t kLongest = 70;

TEST_CASE("ops: f32 agrees with f64") {
  for_each_op([](const Op& op) -> std::string {
    if (op.random) return "";
    for (const Tensors& sample : op.samples) {
      const Outcome single = run(op.call, leaves(op, sample, f32));
      if (op.differentiable && single.y.dtype() != f32)
        return concat("f32 in, ", single.y.dtype(), " out");
      const std::string text =
          difference(single, run(op.call, leaves(op, sample)), f32, kOpSteps * op.condition);
      if (!text.empty()) return text;
    }
    return "";
  });
}

TEST_CASE("ops: f32 agrees with f64 at every length of a row") {
  for_each_op([](const Op& op) -> std::string {
    if (op.random) return "";
    for (int64_t n = 1; op.sized && n <= kLongest; ++n) {
      const Tensors inputs = op.sized(rows_for(n), n);
      Outcome single, twice;
      try {
        twice = run(op.call, leaves(op, inputs));
      } catch (const Error&) {
        continue;  // a length that the op refuses (topk of too few)
      }
      single = run(op.call, leaves(op, inputs, f32));
      const std::string text = difference(single, twice, f32, kOpSteps * op.condition);
      if (!text.empty()) return concat("row length ", n, ": ", text);
    }
    return "";
  });
}

TEST_CASE("ops: inputs and upstream gradients of any strides give the same") {
  for_each_op([](const Op& op) -> std::string {
    if (!op.any_strides) return "";
    std::vector<Tensors> samples = op.samples;
    if (op.sized) samples.push_back(op.sized(3, 37));
    for (const Tensors& sample : samples) {
      const Outcome dense = run(op.call, leaves(op, sample));
      for (const Layout layout : {Layout::transposed, Layout::gaps}) {
        const Upstream upstream = layout == Layout::gaps ? Upstream::gaps : Upstream::transposed;
        const Outcome strided = run(op.call, leaves(op, sample, f64, layout), upstream);
        const std::string text = difference(strided, dense, f64, kOpSteps * op.condition);
        if (!text.empty()) return (layout == Layout::gaps ? "with gaps: " : "transposed: ") + text;
      }
      const std::string text =
          difference(run(op.call, leaves(op, sample), Upstream::constant_expanded),
                     run(op.call, leaves(op, sample), Upstream::constant), f64, kOpSteps);
      if (!text.empty()) return "expanded upstream gradient: " + text;
    }
    return "";
  });
}

TEST_CASE("ops: fused ops agree with their reference forms at every length of a row") {
  for_each_op([](const Op& op) -> std::string {
    if (!op.reference) return "";
    std::vector<Tensors> samples = op.samples;
    for (int64_t n = 1; op.sized && n <= kLongest; ++n) samples.push_back(op.sized(rows_for(n), n));
    for (const Tensors& sample : samples)
      for (const DType dtype : {f64, f32}) {
        const std::string text = difference(run(op.call, leaves(op, sample, dtype)),
                                            run(op.reference, leaves(op, sample, dtype)), dtype,
                                            kOpSteps * op.condition);
        if (!text.empty()) return concat(dtype, " ", sample[0].shape(), ": ", text);
      }
    return "";
  });
}

TEST_CASE("ops: the same bits with one, two and three threads") {
  struct Threads {
    int before = num_threads();
    ~Threads() { set_num_threads(before); }
  } restore;
  for_each_op([](const Op& op) -> std::string {
    if (!op.sized) return "";
    const Tensors inputs = op.sized(257, 300);
    set_num_threads(1);
    const Outcome one = run(op.call, leaves(op, inputs, f32));
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      const std::string text = bit_difference(run(op.call, leaves(op, inputs, f32)), one);
      if (!text.empty()) return concat(threads, " threads: ", text);
    }
    return "";
  });
}

TEST_CASE("ops: without elements they give an empty or neutral result, or an error that says why") {
  for_each_op([](const Op& op) -> std::string {
    const std::pair<int64_t, int64_t> sizes[] = {{0, 3}, {3, 0}, {0, 0}};
    for (const auto& [rows, n] : sizes) {
      if (!op.sized) continue;
      try {
        const Tensors inputs = leaves(op, op.sized(rows, n));
        const Outcome outcome = run(op.call, inputs);
        for (size_t i = 0; i < outcome.dx.size(); ++i)
          if (outcome.dx[i].defined() && !(outcome.dx[i].shape() == inputs[i].shape()))
            return concat("the gradient of ", inputs[i].shape(), " is ", outcome.dx[i].shape());
      } catch (const Error&) {
      }
    }
    return "";
  });
}

/// By std::, in double, rounded to the dtype.
double expected_of(const Op& op, const Tensors& inputs, size_t i, DType dtype) {
  const auto at = [&](const Tensor& x) {
    const std::vector<double> v = x.to_vector();
    return v[v.size() == 1 ? 0 : i];
  };
  const double value =
      op.scalar ? op.scalar(at(inputs[0])) : op.scalar2(at(inputs[0]), at(inputs[1]));
  return dtype == f32 ? static_cast<double>(static_cast<float>(value)) : value;
}

std::string compare_with_std(const Op& op, const Tensors& sample, DType dtype) {
  const std::vector<double> got = op.call(leaves(op, sample, dtype)).to_vector();
  const std::vector<double> x = sample[0].to_vector();
  for (size_t i = 0; i < got.size(); ++i) {
    const double expected = expected_of(op, sample, i, dtype);
    if (got[i] == expected || (std::isnan(got[i]) && std::isnan(expected))) continue;
    if (!(std::abs(got[i] - expected) <= allowed(dtype, std::abs(expected), kElementwiseSteps)))
      return concat(dtype, ": ", got[i], " instead of ", expected, " at ", x[i % x.size()]);
  }
  return "";
}

TEST_CASE("ops: elementwise ones agree with std:: at every length and at the edges") {
  for_each_op([](const Op& op) -> std::string {
    if (!op.scalar && !op.scalar2) return "";
    std::vector<Tensors> samples;
    for (int64_t n = 1; n <= kLongest; ++n) samples.push_back(op.sized(1, n));
    const double inf = INFINITY;
    const std::vector<double> edges = {0, -0.0, 1, -1, 1e-30, -1e-30, 1e4, -1e4, inf, -inf, NAN};
    const auto count = static_cast<int64_t>(edges.size());
    if (op.scalar && is_floating(samples[0][0].dtype()))
      samples.push_back({numbers(edges, {count})});
    for (const Tensors& sample : samples)
      for (const DType dtype : {f64, f32})
        if (const std::string text = compare_with_std(op, sample, dtype); !text.empty())
          return text;
    return "";
  });
}

/// The first `n` elements of a row.
Tensor head(const Tensor& row, int64_t n) {
  return copy_as(row.view_as({1, n}, row.strides(), row.offset()), f32);
}

TEST_CASE("ops: the value of an element does not depend on where it stands in a row") {
  for_each_op([](const Op& op) -> std::string {
    if (!op.scalar && !op.scalar2) return "";
    Tensors whole = op.sized(1, kLongest);
    const Tensor all = op.call(leaves(op, whole, f32));
    for (int64_t n = 1; n < kLongest; ++n) {
      Tensors part;
      for (const Tensor& x : whole) part.push_back(head(x, n));
      const std::string text =
          bit_difference(op.call(part), all.view_as({1, n}, all.strides(), all.offset()));
      if (!text.empty()) return concat("row length ", n, ": ", text);
    }
    return "";
  });
}

}  // namespace
}  // namespace tarsier::test
