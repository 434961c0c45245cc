#include "autograd/check/outcome.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "autograd/ops.h"

namespace tarsier {
namespace {

Tensor upstream_for(const Tensor& y, const Upstream& upstream) {
  if (upstream.layout == Layout::expanded) return spread(0.75, y);
  std::mt19937 random(17);
  const Tensor dy = Tensor::empty(y.shape(), f64);
  for (double& value : dy.span<double>())
    value = upstream.constant ? 0.75 : static_cast<double>(random() % 512) / 128 - 2;
  return copy_as(dy, upstream.layout, y.dtype());
}

std::string shape_difference(const Tensor& got, const Tensor& expected) {
  if (got.defined() != expected.defined())
    return got.defined() ? "defined, where none was expected" : "missing";
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

std::vector<Tensor> leaves(const std::vector<Tensor>& inputs, int constants, DType floating,
                           Layout layout) {
  std::vector<Tensor> copies;
  for (const Tensor& x : inputs) {
    const bool constant = copies.size() + static_cast<size_t>(constants) >= inputs.size();
    copies.push_back(copy_as(x, layout, floating));
    if (is_floating(x.dtype()) && !constant) copies.back().requires_grad_();
  }
  return copies;
}

Outcome outcome_of(const std::function<Tensor(const std::vector<Tensor>&)>& f,
                   const std::vector<Tensor>& inputs, const Upstream& upstream) {
  Outcome outcome{f(inputs), {}};
  if (!outcome.y.requires_grad()) return outcome;
  std::vector<Tensor> wanted;
  for (const Tensor& x : inputs)
    if (x.requires_grad()) wanted.push_back(x);
  const std::vector<Tensor> gradients =
      grad({outcome.y}, wanted, {upstream_for(outcome.y, upstream)}, false, false,
           /*allow_unused=*/true);
  size_t next = 0;
  for (const Tensor& x : inputs)
    outcome.dx.push_back(x.requires_grad() ? gradients[next++] : Tensor());
  return outcome;
}

double epsilon(DType dtype) {
  return dtype == f32 ? std::numeric_limits<float>::epsilon()
                      : std::numeric_limits<double>::epsilon();
}

double allowed(DType dtype, double scale, double steps) {
  return steps * epsilon(dtype) * std::max(1.0, scale);
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
        return concat("element ", i, " of ", got.shape(), " is ", x, ", but was ", y, ", off by ",
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

}  // namespace tarsier
