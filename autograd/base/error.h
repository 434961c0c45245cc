#pragma once
// Errors are for the person who made the mistake: [op] what was given, what was expected, the fix,
// and the line that called the op.

#include <source_location>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace tarsier {

namespace detail {
std::string called_at();  // call_site.h
}

/// Thrown on every misuse and bad input: what() reads "[tag] facts and fix (called at
/// main.cpp:12)".
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
/// Where an op runs, the line that called it is added.
template <class... Parts>
[[noreturn]] void fail(const char* tag, const Parts&... parts) {
  throw Error(tag, concat(parts..., detail::called_at()));
}

/// fail(tag, parts...) unless `condition`. The text is made only on failure.
template <class... Parts>
void check(bool condition, const char* tag, const Parts&... parts) {
  if (!condition) [[unlikely]]
    fail(tag, parts...);
}

}  // namespace tarsier
