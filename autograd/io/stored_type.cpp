#include "autograd/io/stored_type.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "autograd/base/error.h"
#include "autograd/io/small_floats.h"

namespace tarsier {

namespace {

template <class Stored, class Element, Element (*value)(Stored)>
void convert(const char* from, int64_t count, Tensor& to) {
  Element* out = to.data<Element>();
  for (int64_t i = 0; i < count; ++i) {
    Stored stored;  // may be unaligned
    std::memcpy(&stored, from + i * static_cast<int64_t>(sizeof stored), sizeof stored);
    out[i] = value(stored);
  }
}

template <class Stored>
int64_t whole(Stored stored) {
  return stored;
}

/// Not all can be read, but the size of each is known.
constexpr StoredType kTypes[] = {
    {"F32", 32, f32, true},
    {"F64", 64, f64, true},
    {"I64", 64, i64, true},
    {"BOOL", 8, boolean, true},
    {"U64", 64, i64, true},
    {"F16", 16, f32, false, convert<uint16_t, float, float_of_half>},
    {"BF16", 16, f32, false, convert<uint16_t, float, float_of_bfloat16>},
    {"F8_E4M3", 8, f32, false, convert<uint8_t, float, float_of_e4m3>},
    {"F8_E5M2", 8, f32, false, convert<uint8_t, float, float_of_e5m2>},
    {"F8_E4M3FNUZ", 8, f32, false, convert<uint8_t, float, float_of_e4m3fnuz>},
    {"F8_E5M2FNUZ", 8, f32, false, convert<uint8_t, float, float_of_e5m2fnuz>},
    {"F8_E8M0", 8, f32, false, convert<uint8_t, float, float_of_e8m0>},
    {"I32", 32, i64, false, convert<int32_t, int64_t, whole>},
    {"I16", 16, i64, false, convert<int16_t, int64_t, whole>},
    {"I8", 8, i64, false, convert<int8_t, int64_t, whole>},
    {"U32", 32, i64, false, convert<uint32_t, int64_t, whole>},
    {"U16", 16, i64, false, convert<uint16_t, int64_t, whole>},
    {"U8", 8, i64, false, convert<uint8_t, int64_t, whole>},
    {"C64", 64},
    {"F6_E2M3", 6},
    {"F6_E3M2", 6},
    {"F4", 4},
};

/// Refuses elements that memory cannot have.
void check_elements(const StoredType& type, const char* data, int64_t count, const char* op,
                    const std::string& source) {
  if (type.dtype == boolean)
    for (int64_t i = 0; i < count; ++i)
      check(data[i] == 0 || data[i] == 1, op, source, ": element ", i, " of BOOL is ", int{data[i]},
            ", neither 0 nor 1");
  if (type.name == "U64")
    for (int64_t i = 0; i < count; ++i)
      check((data[8 * i + 7] & 0x80) == 0, op, source, ": element ", i,
            " of U64 is 2⁶³ or more, which i64 does not hold");
}

}  // namespace

const StoredType* find_stored_type(std::string_view name) {
  const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                  [&](const StoredType& t) { return t.name == name; });
  return type == std::end(kTypes) ? nullptr : type;
}

std::string_view stored_name(DType dtype) {
  for (const StoredType& type : kTypes)
    if (type.same && type.dtype == dtype) return type.name;
  return "";
}

std::string readable_types() {
  std::string names;
  for (const StoredType& type : kTypes)
    if (type.can_be_read()) names += concat(names.empty() ? "" : ", ", type.name);
  return names;
}

Tensor tensor_of(const StoredType& type, char* data, const Shape& shape,
                 std::shared_ptr<const void> owner, const char* op, const std::string& source) {
  if (type.convert != nullptr) {
    Tensor out = Tensor::empty(shape, type.dtype);
    type.convert(data, out.numel(), out);
    return out;
  }
  const int64_t width = type.bits / 8, count = shape.numel();
  check_elements(type, data, count, op, source);
  const auto bytes = static_cast<size_t>(count * width);
  const bool aligned = reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(width) == 0;
  if (!aligned || bytes == 0) {
    const Tensor copy = Tensor::empty(shape, type.dtype);
    if (bytes > 0) std::memcpy(copy.impl()->storage->data(), data, bytes);
    return copy;
  }
  auto impl = std::make_shared<TensorImpl>();
  impl->storage = std::make_shared<Storage>(data, bytes, std::move(owner));
  impl->shape = shape;
  impl->strides = contiguous_strides(shape);
  impl->dtype = type.dtype;
  return Tensor(std::move(impl));
}

}  // namespace tarsier
