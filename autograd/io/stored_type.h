#pragma once
// The element types of files of tensors, by their names in safetensors: "F32", "BF16". Which can be
// read, and as what: safetensors_file.h has the list.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "../tensor/tensor.h"

namespace tarsier {

struct StoredType {
  /// Converts the bytes of `count` stored elements to elements of `to`.
  using Convert = void (*)(const char* from, int64_t count, Tensor& to);

  std::string_view name;
  int64_t bits;               ///< of an element
  DType dtype = f32;          ///< in memory
  bool same = false;          ///< whether memory has the same bytes
  Convert convert = nullptr;  ///< otherwise; null: cannot be read

  bool can_be_read() const { return same || convert != nullptr; }
};

/// The type of that name, or null.
const StoredType* find_stored_type(std::string_view name);
/// The name of the type that has the same bytes as `dtype`.
std::string_view stored_name(DType dtype);
/// The names of those that can be read: "F32, F64, …".
std::string readable_types();

/// The elements at `data`, which stay valid as long as `owner`, as a tensor: a view of them where
/// memory has the same bytes and they are aligned, otherwise a copy.
/// Throws Error(op), which begins with `source`, for a BOOL that is neither 0 nor 1 and a U64 that
/// i64 does not hold.
Tensor tensor_of(const StoredType& type, char* data, const Shape& shape,
                 std::shared_ptr<const void> owner, const char* op, const std::string& source);

}  // namespace tarsier
