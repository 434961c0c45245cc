#pragma once
// The program `tarsier`.

#include <string>
#include <vector>

namespace tarsier::zoo {

/// Runs the program on its arguments and returns the exit code: 0; 1 on a failure or an interrupted
/// training; 2 on wrong usage. Throws nothing: errors are printed to stderr. `program` is the name
/// that it was called by.
int run_program(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace tarsier::zoo
