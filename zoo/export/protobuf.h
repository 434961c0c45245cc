#pragma once
// Messages of Protocol Buffers, for writing: the event files of TensorBoard and the graphs of ONNX.
//
//   message   fields in a row
//   field     number·8 + kind as a varint, then the value: a varint (kind 0), 8 bytes (1), a length
//             and bytes (2), 4 bytes (5)
//   varint    7 bits a byte, the lowest first; the eighth says that more follow
// Source: https://protobuf.dev/programming-guides/encoding

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace tarsier::zoo {

/// A message that is built field by field:
///   ProtobufMessage().integer(2, step).text(3, "brain.Event:2").bytes()
/// A field that repeats is added several times.
class ProtobufMessage {
 public:
  /// A whole number or an enum: int64, uint64, bool.
  ProtobufMessage& integer(int field, int64_t value);
  ProtobufMessage& number(int field, std::same_as<double> auto value) {
    return fixed(field, 1, &value, sizeof value);
  }
  ProtobufMessage& number(int field, std::same_as<float> auto value) {
    return fixed(field, 5, &value, sizeof value);
  }
  /// Text or bytes.
  ProtobufMessage& text(int field, std::string_view value);
  ProtobufMessage& message(int field, const ProtobufMessage& value) {
    return text(field, value.bytes_);
  }

  const std::string& bytes() const { return bytes_; }

 private:
  ProtobufMessage& fixed(int field, int kind, const void* data, size_t size);
  void varint(uint64_t value);
  void key(int field, int kind) {
    varint(static_cast<uint64_t>(field) << 3 | static_cast<uint64_t>(kind));
  }

  std::string bytes_;
};

}  // namespace tarsier::zoo
