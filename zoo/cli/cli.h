#pragma once
// The program `tarsier`.

#include <string>
#include <vector>

namespace tarsier::zoo {

/// Runs the program on its arguments and returns the exit code: 0; 1 on a failure, and where
/// training was interrupted; 2 on wrong usage. Throws nothing: an error is a message on stderr.
/// `program` is the name under which it was called.
int run_program(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace tarsier::zoo
