#pragma once
// Mistakes in the command line, as opposed to failures of the run.

#include <string>
#include <string_view>
#include <vector>

#include "../../autograd/base/error.h"

namespace tarsier::zoo {

/// The command is malformed or asks for something impossible: the exit code is 2, not 1.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// Throws UsageError, as fail() throws Error.
template <class... Parts>
[[noreturn]] void usage_fail(const std::string& tag, const Parts&... parts) {
  throw UsageError(tag, concat(parts...));
}

/// ": did you mean 'steps'?" for the name in `known` that is nearest to `given` (fewest letters
/// inserted, removed or replaced; case is ignored), or "" if none is near.
std::string did_you_mean(std::string_view given, const std::vector<std::string>& known);

/// "a, b, c".
std::string listed(const std::vector<std::string>& names);
/// The end of a message that `given` is not in `known`: ": did you mean 'steps'? It has: …", or
/// ". It has: …".
std::string among(std::string_view given, const std::vector<std::string>& known,
                  std::string_view verb = "It has");

/// `text` as a whole number in [low, high]. Throws UsageError(tag) that names `what` otherwise.
int64_t parse_integer(const std::string& tag, const std::string& what, const std::string& text,
                      int64_t low, int64_t high);
/// `text` as a finite number in [low, high].
double parse_number(const std::string& tag, const std::string& what, const std::string& text,
                    double low, double high);

}  // namespace tarsier::zoo
