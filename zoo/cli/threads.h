#pragma once
// The option --threads, which commands that compute have.

#include "arguments.h"

namespace tarsier::zoo {

OptionSpec threads_option();
/// Sets the number of threads where --threads says one. Throws UsageError for one that cannot be.
void set_threads(const Arguments& arguments);

}  // namespace tarsier::zoo
