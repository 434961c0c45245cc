#pragma once
// Comparison with the reference numbers of tests/golden.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "autograd/io/safetensors.h"
#include "autograd/ops.h"
#include "tests/data.h"

namespace tarsier {

/// All reference numbers of a file. It is read once.
inline const TensorDict& golden_file(const std::string& file) {
  static std::map<std::string, TensorDict> files;
  if (!files.contains(file))
    files[file] = load_safetensors(source_file("tests/golden/" + file).string());
  return files[file];
}

/// Those under the names that begin with `prefix`, without it; floating ones as `dtype`.
inline TensorDict golden(const std::string& file, const std::string& prefix, DType dtype = f64) {
  TensorDict out;
  for (const auto& [name, tensor] : golden_file(file))
    if (name.starts_with(prefix))
      out.add(name.substr(prefix.size()),
              clone(is_floating(tensor.dtype()) ? to(tensor, dtype) : tensor));
  return out;
}

/// The entries of `dict` under the names that begin with `prefix`, without it.
inline TensorDict part(const TensorDict& dict, const std::string& prefix) {
  TensorDict out;
  for (const auto& [name, tensor] : dict)
    if (name.starts_with(prefix)) out.add(name.substr(prefix.size()), tensor);
  return out;
}

/// The largest difference, relative to the largest expected number (1 at least); ∞ where shapes or
/// dtypes differ or something is NaN.
inline double relative_error(const Tensor& actual, const Tensor& expected) {
  if (!(actual.shape() == expected.shape()) || actual.dtype() != expected.dtype()) return INFINITY;
  double error = 0, scale = 1;
  const std::vector<double> a = actual.to_vector(), b = expected.to_vector();
  for (size_t i = 0; i < a.size(); ++i) {
    scale = std::max(scale, std::abs(b[i]));
    error = std::isnan(a[i] - b[i]) ? INFINITY : std::max(error, std::abs(a[i] - b[i]));
  }
  return error / scale;
}

/// The allowed difference of two correct programs: order of sums, last bits of exp and erf.
inline double tolerance(DType dtype) { return dtype == f64 ? 1e-10 : 1e-5; }

/// A doctest check that `actual` is `expected`, up to the tolerance of its dtype.
inline void check_close(const std::string& what, const Tensor& actual, const Tensor& expected) {
  CAPTURE(what);
  CAPTURE(expected.dtype());
  CHECK(relative_error(actual, expected) < tolerance(expected.dtype()));
}

}  // namespace tarsier
