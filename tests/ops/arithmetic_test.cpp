// Do all ways to compute an op agree? f32 and f64, dense and strided, fused and reference form,
// one thread and several, every row length. ctest runs this once per instruction set.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/ops/compare.h"

namespace tarsier::test {
namespace {

constexpr int64_t kLongest = 70;
/// Allowed roundings of an elementwise function relative to std::.
constexpr double kElementwiseSteps = 4;

TEST_CASE("ops: f32 agrees with f64, at every row length") { for_each_op(check_op_dtypes); }

TEST_CASE("ops: inputs and upstream gradients of any strides give the same") {
  for_each_op(check_op_layouts);
}

TEST_CASE("ops: fused ops agree with their reference forms at every row length") {
  for_each_op(check_op_reference);
}

/// Every fourth op, from `first` on: the thread sanitizer needs minutes for all, and runs cases at once.
template <int first>
struct EveryFourth {
  static constexpr int kFirst = first;
};
TEST_CASE_TEMPLATE("ops: the same bits with one, two and three threads", Part, EveryFourth<0>,
                   EveryFourth<1>, EveryFourth<2>, EveryFourth<3>) {
  for_each_op([i = 0](const Op& op) mutable -> std::string {
    if (i++ % 4 == Part::kFirst) check_op_threads(check_of(op));
    return "";
  });
}

TEST_CASE("ops: without elements they give an empty or neutral result, or an error that says why") {
  for_each_op(check_op_empty);
}

/// The value by std::, in double, rounded to the dtype.
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
  const std::vector<double> got = op.call(leaves(sample, op.constants, dtype)).to_vector();
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
  return copy_as(row.view_as({1, n}, row.strides(), row.offset()), Layout::contiguous, f32);
}

TEST_CASE("ops: the value of an element does not depend on its position in a row") {
  for_each_op([](const Op& op) -> std::string {
    if (!op.scalar && !op.scalar2) return "";
    Tensors whole = op.sized(1, kLongest);
    const Tensor all = op.call(leaves(whole, op.constants, f32));
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
