#include "zoo/export/protobuf.h"

namespace tarsier::zoo {

void ProtobufMessage::varint(uint64_t value) {
  for (; value > 127; value >>= 7) bytes_ += static_cast<char>((value & 127) | 128);
  bytes_ += static_cast<char>(value);
}

ProtobufMessage& ProtobufMessage::integer(int field, int64_t value) {
  key(field, 0);
  varint(static_cast<uint64_t>(value));
  return *this;
}

/// The machine's order of bytes is that of the format: little endian.
ProtobufMessage& ProtobufMessage::fixed(int field, int kind, const void* data, size_t size) {
  key(field, kind);
  bytes_.append(static_cast<const char*>(data), size);
  return *this;
}

ProtobufMessage& ProtobufMessage::text(int field, std::string_view value) {
  key(field, 2);
  varint(value.size());
  bytes_ += value;
  return *this;
}

}  // namespace tarsier::zoo
