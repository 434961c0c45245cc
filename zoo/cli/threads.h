#pragma once
// The option --threads of the commands that compute.

#include "arguments.h"

namespace tarsier::zoo {

OptionSpec threads_option();
/// Sets the number of threads that --threads gives. Throws UsageError for an invalid one.
void set_threads(const Arguments& arguments);

}  // namespace tarsier::zoo
