#pragma once
// The texts of errors.

#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "autograd/base/error.h"

namespace tarsier {

/// The text of the Error that `f` throws, or "no error".
inline std::string full_error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

/// `text` without the call site: " (called at main.cpp:12)".
inline std::string without_line(std::string text) {
  const size_t begin = text.rfind(" (called at ");
  if (begin != text.npos) text.erase(begin, text.find(')', begin) + 1 - begin);
  return text;
}

/// The same without the call site.
inline std::string error_of(const std::function<void()>& f) {
  return without_line(full_error_of(f));
}

/// A doctest check that `f` throws Error with this text in it.
inline void check_error(const std::string& text, const std::function<void()>& f) {
  const std::string error = full_error_of(f);
  CAPTURE(text);
  CAPTURE(error);
  CHECK(error.find(text) != error.npos);
}

}  // namespace tarsier
