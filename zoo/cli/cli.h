#pragma once
// The program `tarsier`.

#include <string>
#include <vector>

namespace tarsier::zoo {

/// Runs the program on its arguments (without its name) and returns the exit code: 0, 1 on a
/// failure, 2 on wrong usage, 130 where training was interrupted. Throws nothing: errors are
/// printed to stderr.
int run_program(const std::vector<std::string>& arguments);

}  // namespace tarsier::zoo
