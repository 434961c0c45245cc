#pragma once
// Tensors from a std::vector.

#include <type_traits>
#include <vector>

#include "../../tensor/tensor.h"

namespace tarsier {

namespace detail {
template <class T>
Tensor tensor_of(const std::vector<T>& values, const Shape& shape);
}

/// A tensor of these values, in row-major order. Throws Error("from_vector") for a wrong number.
template <class T>
Tensor from_vector(const std::vector<T>& values, const Shape& shape,
                   SourceLine at = SourceLine::current()) {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double> ||
                    std::is_same_v<T, int64_t> || std::is_same_v<T, bool>,
                "from_vector: tensors hold float, double, int64_t or bool; convert a "
                "std::vector<int> v with std::vector<int64_t>(v.begin(), v.end())");
  const CallSite site(at);
  return detail::tensor_of(values, shape);
}

}  // namespace tarsier
