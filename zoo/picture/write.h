#pragma once
// Writing pictures.

#include <string>

#include "picture.h"

namespace tarsier::zoo {

/// The picture as a PNG file: grey or RGB, 8 bits a channel. Throws Error("picture") for other
/// channels, no pixels, or more than 100 million.
std::string png_of(const Picture& picture);

/// Writes png_of() as the file `path`, completely or not at all; read_picture() reads the same
/// pixels. Throws Error("picture") also for a name that does not end in .png, Error("file") if the
/// file cannot be written.
void write_picture(const std::string& path, const Picture& picture);

/// Throws UsageError if `out`, the --out of predict, is neither "" nor a name that write_picture()
/// takes: before the work, not after it. Also if it is one picture of `inputs` ones that predict was
/// given.
void check_out_picture(const std::string& out, size_t inputs = 1);

}  // namespace tarsier::zoo
