#pragma once
// The checksums of PNG, zlib and event files.

#include <cstdint>
#include <string_view>

namespace tarsier::zoo {

/// CRC-32 (reflected polynomial 0xEDB88320), of the parts of a PNG file.
uint32_t crc32(std::string_view bytes);

/// CRC-32C (Castagnoli's polynomial, reflected 0x82F63B78), of TensorBoard's records.
uint32_t crc32c(std::string_view bytes);

/// Adler's checksum (RFC 1950): two sums modulo 65521.
uint32_t adler32(std::string_view bytes);

}  // namespace tarsier::zoo
