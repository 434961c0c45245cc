#pragma once
// The option --precision of the commands that compute.

#include <string>

#include "arguments.h"

namespace tarsier::zoo {

OptionSpec precision_option();
/// Sets the precision of matrix products that --precision names, and notes on standard error if
/// this processor is faster with all bits. Throws UsageError, tagged with the command's name, for
/// an unknown one.
void set_precision(const std::string& command, const Arguments& arguments);

}  // namespace tarsier::zoo
