#pragma once
// Compression as PNG and zlib want it.

#include <string>
#include <string_view>

namespace tarsier::zoo {

/// The bytes as a zlib stream (RFC 1950): one block of deflate (RFC 1951) with Huffman codes of its
/// own. Repeats are found greedily, the longest among the last 64 places that begin with the same
/// three bytes, at most 32,768 bytes back. inflate() undoes it.
std::string deflate(std::string_view bytes);

}  // namespace tarsier::zoo
