#pragma once
// Compressed data: deflate, as zip archives have it, and inside zlib's frame, as PNG has its pixels.

#include <cstddef>
#include <string>
#include <string_view>

namespace tarsier::zoo {

/// The data of a zlib stream (RFC 1950, deflate of RFC 1951), which must be exactly `size` bytes:
/// no more memory than that is taken. Throws Error("data"), with `source` (a file's name), if the
/// stream is cut off or damaged, holds more or fewer bytes, or needs a preset dictionary.
std::string inflate(std::string_view stream, size_t size, const std::string& source);

/// The same without zlib's frame and checksum; nothing may follow the data.
std::string inflate_raw(std::string_view stream, size_t size, const std::string& source);

}  // namespace tarsier::zoo
