#pragma once
// What an Error says.

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

}  // namespace tarsier
