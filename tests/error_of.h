#pragma once
// What an Error says.

#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "autograd/error.h"

namespace tarsier {

/// The text of the Error that `f` throws, or "no error".
inline std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

/// A doctest check that `f` throws Error with this text in it.
inline void check_error(const std::string& text, const std::function<void()>& f) {
  const std::string error = error_of(f);
  CAPTURE(text);
  CAPTURE(error);
  CHECK(error.find(text) != error.npos);
}

}  // namespace tarsier
