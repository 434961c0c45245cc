#pragma once
// Picture files made in a test.

#include <string>

#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "zoo/picture/read.h"

namespace tarsier::zoo {

/// The error for a picture file of these bytes, after its name; "no error" if there is none.
inline std::string picture_error(const std::string& bytes) {
  const Scratch scratch;
  const std::string path = scratch.write("x", bytes);
  const std::string what = error_of([&] { read_picture(path); });
  const std::string start = "[data] '" + path + "'";
  return what.starts_with(start) ? what.substr(start.size()) : what;
}

}  // namespace tarsier::zoo
