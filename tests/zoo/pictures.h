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

/// A CIFAR-10 record: a label, and red, green and blue planes of one level each.
inline std::string cifar_record(int label, int red, int green, int blue) {
  std::string out(1, static_cast<char>(label));
  for (int level : {red, green, blue}) out += std::string(1024, static_cast<char>(level));
  return out;
}

}  // namespace tarsier::zoo
