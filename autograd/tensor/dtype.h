#pragma once
// Element types.

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <type_traits>

#include "../base/error.h"

namespace tarsier {

/// The type of a tensor's elements. Gradients exist for f32 and f64 only; i64 holds indices and
/// class labels, boolean holds masks.
enum class DType : uint8_t { f32, f64, i64, boolean };

inline constexpr DType f32 = DType::f32;
inline constexpr DType f64 = DType::f64;
inline constexpr DType i64 = DType::i64;
inline constexpr DType boolean = DType::boolean;

/// Bytes of one element.
constexpr size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return 4;
    case DType::f64:
      return 8;
    case DType::i64:
      return 8;
    case DType::boolean:
      return 1;
  }
  return 0;
}

/// "f32", "f64", "i64" or "bool".
constexpr const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "f32";
    case DType::f64:
      return "f64";
    case DType::i64:
      return "i64";
    case DType::boolean:
      return "bool";
  }
  return "?";
}

std::ostream& operator<<(std::ostream& out, DType dtype);  // print.cpp

constexpr bool is_floating(DType dtype) { return dtype == DType::f32 || dtype == DType::f64; }

/// The DType of the C++ type T: float, double, int64_t or bool.
template <class T>
inline constexpr DType dtype_of = [] {
  if constexpr (std::is_same_v<T, float>)
    return DType::f32;
  else if constexpr (std::is_same_v<T, double>)
    return DType::f64;
  else if constexpr (std::is_same_v<T, int64_t>)
    return DType::i64;
  else {
    static_assert(std::is_same_v<T, bool>, "tensors hold float, double, int64_t or bool");
    return DType::boolean;
  }
}();

/// Calls `body.operator()<T>()` with the C++ type T of a floating dtype:
///   dispatch_floating(x.dtype(), "tanh", [&]<class T>() { … x.data<T>() … });
/// Throws Error(op) for the other dtypes.
template <class Body>
decltype(auto) dispatch_floating(DType dtype, const char* op, Body&& body) {
  switch (dtype) {
    case DType::f32:
      return body.template operator()<float>();
    case DType::f64:
      return body.template operator()<double>();
    default:
      fail(op, "dtype ", dtype, " where f32 or f64 is needed: convert with to(x, f32)");
  }
}

/// The same for all four dtypes.
template <class Body>
decltype(auto) dispatch_all(DType dtype, Body&& body) {
  switch (dtype) {
    case DType::f32:
      return body.template operator()<float>();
    case DType::f64:
      return body.template operator()<double>();
    case DType::i64:
      return body.template operator()<int64_t>();
    default:
      return body.template operator()<bool>();
  }
}

}  // namespace tarsier
