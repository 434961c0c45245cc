// Tensors as text.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>
#include <vector>

#include "autograd/ops.h"

namespace tarsier {
namespace {

template <class T = double>
Tensor tensor_of(const std::vector<T>& values, const Shape& shape) {
  Tensor x = Tensor::empty(shape, dtype_of<T>);
  std::copy(values.begin(), values.end(), x.template data<T>());
  return x;
}

std::string text_of(const Tensor& x) { return concat(x); }

TEST_CASE("numbers are aligned, in the format that suits them all") {
  CHECK(text_of(tensor_of({1, -2.5, 10, 0.25}, {2, 2})) ==
        "tensor([[ 1.0000, -2.5000],\n"
        "        [10.0000,  0.2500]], shape (2, 2), f64)");
  CHECK(text_of(tensor_of({1, 2, -30}, {3})) == "tensor([  1.,   2., -30.], shape (3,), f64)");
  CHECK(text_of(tensor_of<int64_t>({1, -20}, {2})) == "tensor([  1, -20], shape (2,), i64)");
  CHECK(text_of(tensor_of<bool>({true, false}, {2})) == "tensor([ true, false], shape (2,), bool)");
  CHECK(text_of(tensor_of({1e-6, 1}, {2})) == "tensor([1.0000e-06, 1.0000e+00], shape (2,), f64)");
  CHECK(text_of(tensor_of({std::nan(""), -HUGE_VAL, 0.5}, {3})) ==
        "tensor([   nan,   -inf, 0.5000], shape (3,), f64)");
  CHECK(text_of(tensor_of<float>({0.1f}, {})) == "tensor(0.1000, shape (), f32)");
  CHECK(text_of(tensor_of({1e300}, {})) == "tensor(1.0000e+300, shape (), f64)");
}

TEST_CASE("strides, empty tensors, three dimensions") {
  const Tensor x = tensor_of<int64_t>({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(text_of(transpose(x, 0, 1)) ==
        "tensor([[1, 4],\n        [2, 5],\n        [3, 6]], shape (3, 2), i64)");
  CHECK(text_of(reshape(x, {3, 1, 2})) ==
        "tensor([[[1, 2]],\n\n        [[3, 4]],\n\n        [[5, 6]]], shape (3, 1, 2), i64)");
  CHECK(text_of(Tensor::empty({0, 3})) == "tensor([], shape (0, 3), f32)");
  CHECK(text_of(Tensor()) == "tensor(undefined)");
}

TEST_CASE("over 1000 elements only the edges are shown") {
  std::vector<int64_t> values(1001);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(i);
  CHECK(text_of(tensor_of(values, {1001})) ==
        "tensor([   0,    1,    2, …,  998,  999, 1000], shape (1001,), i64)");
  CHECK(text_of(tensor_of(values, {7, 143})) ==
        "tensor([[   0,    1,    2, …,  140,  141,  142],\n"
        "        [ 143,  144,  145, …,  283,  284,  285],\n"
        "        [ 286,  287,  288, …,  426,  427,  428],\n"
        "        …,\n"
        "        [ 572,  573,  574, …,  712,  713,  714],\n"
        "        [ 715,  716,  717, …,  855,  856,  857],\n"
        "        [ 858,  859,  860, …,  998,  999, 1000]], shape (7, 143), i64)");
  values.pop_back();
  CHECK(text_of(tensor_of(values, {1000})).find("…") == std::string::npos);
}

TEST_CASE("long rows are wrapped at 80 columns") {
  std::istringstream lines(text_of(tensor_of(std::vector<double>(30, 0.5), {30})));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    if (count < 3) CHECK(line.size() <= 80);
    CHECK(line.substr(0, 8) == (count == 0 ? "tensor([" : "        "));
  }
  CHECK(count == 4);
}

TEST_CASE("the flags of the stream do not matter and do not change") {
  std::ostringstream out;
  out << std::hex << std::setprecision(2) << tensor_of({0.12345}, {1}) << 255;
  CHECK(out.str() == "tensor([0.1235], shape (1,), f64)ff");
}

}  // namespace
}  // namespace tarsier
