#include "tests/ops/compare.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

#include "tests/ops/tolerance.h"

namespace tarsier::test {
namespace {

/// Memory for `shape` in a layout, filled with a number that would be noticed.
Tensor room_for(const Shape& shape, DType dtype, Layout layout) {
  const int64_t step = layout == Layout::gaps ? 2 : 1, offset = layout == Layout::gaps ? 3 : 0;
  Strides strides = shape;
  int64_t size = step;
  const auto place = [&](int d) {
    strides[d] = size;
    size *= shape[d] * step;
  };
  if (layout == Layout::transposed)
    for (int d = 0; d < shape.size(); ++d) place(d);
  else
    for (int d = shape.size() - 1; d >= 0; --d) place(d);
  Tensor memory = Tensor::empty({size + offset}, dtype);
  dispatch_all(dtype, [&]<class T>() {
    for (int64_t i = 0; i < size + offset; ++i) memory.data<T>()[i] = static_cast<T>(1e6);
  });
  return memory.view_as(shape, strides, offset);
}

/// Calls body(index, offset in elements) for all elements of x in row-major order.
template <class Body>
void walk(const Tensor& x, const Body& body) {
  Shape index = Shape::filled(x.dim(), 0);
  for (int64_t i = 0, n = x.numel(); i < n; ++i) {
    int64_t at = 0;
    for (int d = 0; d < x.dim(); ++d) at += index[d] * x.strides()[d];
    body(i, at);
    for (int d = x.dim() - 1; d >= 0 && ++index[d] == x.shape()[d]; --d) index[d] = 0;
  }
}

Tensor upstream_for(const Tensor& y, Upstream kind) {
  const bool constant = kind == Upstream::constant || kind == Upstream::constant_expanded;
  if (kind == Upstream::constant_expanded) {
    Tensor one = room_for({}, y.dtype(), Layout::dense);
    dispatch_floating(y.dtype(), "upstream", [&]<class T>() { *one.data<T>() = T(0.75); });
    return one.view_as(y.shape(), Strides::filled(y.dim(), 0), 0);
  }
  std::mt19937 random(17);
  Tensor dy = Tensor::empty(y.shape(), f64);
  for (int64_t i = 0; i < dy.numel(); ++i)
    dy.data<double>()[i] = constant ? 0.75 : static_cast<double>(random() % 512) / 128 - 2;
  return copy_as(dy, y.dtype(),
                 kind == Upstream::transposed ? Layout::transposed
                 : kind == Upstream::gaps     ? Layout::gaps
                                              : Layout::dense);
}

std::string shape_difference(const Tensor& got, const Tensor& expected) {
  if (got.defined() != expected.defined())
    return got.defined() ? "there, where none was expected" : "missing";
  if (got.defined() && !(got.shape() == expected.shape()))
    return concat("shape ", got.shape(), " instead of ", expected.shape());
  return "";
}

template <class Compare>
std::string compare_outcomes(const Outcome& got, const Outcome& expected, const Compare& compare) {
  if (const std::string text = compare(got.y, expected.y); !text.empty()) return "result: " + text;
  if (got.dx.size() != expected.dx.size()) return "one of the results requires a gradient";
  for (size_t i = 0; i < got.dx.size(); ++i)
    if (const std::string text = compare(got.dx[i], expected.dx[i]); !text.empty())
      return concat("gradient of input ", i, ": ", text);
  return "";
}

}  // namespace

Tensor copy_as(const Tensor& x, DType floating, Layout layout) {
  Tensor copy = room_for(x.shape(), is_floating(x.dtype()) ? floating : x.dtype(), layout);
  dispatch_all(copy.dtype(), [&]<class T>() {
    const std::vector<T> elements = x.to_vector<T>();
    walk(copy,
         [&](int64_t i, int64_t at) { copy.data<T>()[at] = elements[static_cast<size_t>(i)]; });
  });
  return copy;
}

Tensors leaves(const Op& op, const Tensors& inputs, DType floating, Layout layout) {
  Tensors copies;
  for (const Tensor& x : inputs) {
    const bool constant = copies.size() + static_cast<size_t>(op.constants) >= inputs.size();
    copies.push_back(copy_as(x, floating, layout));
    if (is_floating(x.dtype()) && !constant) copies.back().requires_grad_();
  }
  return copies;
}

Outcome run(const OpCall& f, const Tensors& inputs, Upstream upstream) {
  Outcome outcome{f(inputs), {}};
  if (!outcome.y.requires_grad()) return outcome;
  Tensors wanted;
  for (const Tensor& x : inputs)
    if (x.requires_grad()) wanted.push_back(x);
  const Tensors gradients = grad({outcome.y}, wanted, {upstream_for(outcome.y, upstream)}, false,
                                 false, /*allow_unused=*/true);
  size_t next = 0;
  for (const Tensor& x : inputs)
    outcome.dx.push_back(x.requires_grad() ? gradients[next++] : Tensor());
  return outcome;
}

std::string difference(const Tensor& got, const Tensor& expected, DType dtype, double steps) {
  if (const std::string text = shape_difference(got, expected); !text.empty()) return text;
  if (!got.defined()) return "";
  const std::vector<double> a = got.to_vector(), b = expected.to_vector();
  double scale = 0;
  for (double value : b)
    if (std::isfinite(value)) scale = std::max(scale, std::abs(value));
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    if (a[i] == b[i]) continue;  // infinities
    const double error = std::abs(a[i] - b[i]);
    if (!(error <= allowed(dtype, scale, steps)))
      return concat("element ", i, " of ", got.shape(), " is ", a[i], " instead of ", b[i],
                    ", off by ", error / epsilon(dtype) / std::max(1.0, scale), " roundings (",
                    steps, " allowed)");
  }
  return "";
}

std::string bit_difference(const Tensor& got, const Tensor& expected) {
  if (const std::string text = shape_difference(got, expected); !text.empty()) return text;
  if (!got.defined()) return "";
  if (got.dtype() != expected.dtype())
    return concat("dtype ", got.dtype(), " instead of ", expected.dtype());
  return dispatch_all(got.dtype(), [&]<class T>() -> std::string {
    const Tensor left = contiguous(got), right = contiguous(expected);
    const size_t bytes = static_cast<size_t>(left.numel()) * sizeof(T);
    if (bytes == 0 || std::memcmp(left.data<T>(), right.data<T>(), bytes) == 0) return "";
    const std::vector<T> a = got.to_vector<T>(), b = expected.to_vector<T>();
    for (size_t i = 0; i < a.size(); ++i) {
      const T x = a[i], y = b[i];
      if (std::memcmp(&x, &y, sizeof(T)) != 0)
        return concat("element ", i, " of ", got.shape(), " is ", x, ", and was ", y, ", off by ",
                      static_cast<double>(x) - static_cast<double>(y));
    }
    return "";
  });
}

std::string difference(const Outcome& got, const Outcome& expected, DType dtype, double steps) {
  return compare_outcomes(got, expected, [&](const Tensor& a, const Tensor& b) {
    return difference(a, b, dtype, steps);
  });
}
std::string bit_difference(const Outcome& got, const Outcome& expected) {
  return compare_outcomes(got, expected,
                          [](const Tensor& a, const Tensor& b) { return bit_difference(a, b); });
}

void for_each_op(const std::function<std::string(const Op&)>& check) {
  const char* only = std::getenv("TARSIER_TEST_OP");
  for (const Op& op : registry()) {
    if (only != nullptr && op.name != only) continue;
    std::string wrong;
    try {
      wrong = check(op);
    } catch (const std::exception& error) {
      wrong = error.what();
    }
    CHECK_MESSAGE(wrong.empty(), op.name, op.what.empty() ? "" : " (" + op.what + ")", ": ", wrong);
  }
}

}  // namespace tarsier::test
