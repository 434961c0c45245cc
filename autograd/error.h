#pragma once
// Errors are for the person who made the mistake: [op] what was given, what was expected, the mend.

#include <source_location>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace tarsier {

/// Thrown on every misuse and bad input: what() reads "[tag] facts and mend".
class Error : public std::runtime_error {
 public:
  Error(const std::string& tag, const std::string& message)
      : std::runtime_error("[" + tag + "] " + message) {}
};

/// The parts written one after another, as an ostream writes them.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

/// Throws Error: fail("matmul", "shapes ", a.shape(), " and ", b.shape(), " do not multiply").
template <class... Parts>
[[noreturn]] void fail(const char* tag, const Parts&... parts) {
  throw Error(tag, concat(parts...));
}

/// fail(tag, parts...) unless `condition`. The text is made only on failure.
template <class... Parts>
void check(bool condition, const char* tag, const Parts&... parts) {
  if (!condition) [[unlikely]]
    fail(tag, parts...);
}

}  // namespace tarsier
