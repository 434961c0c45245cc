#pragma once
// Options that belong to the zoo's tasks and not to the program: a new task brings its own.

#include <string>
#include <utility>
#include <vector>

#include "../task/task.h"
#include "arguments.h"

namespace tarsier::zoo {

/// A kind of options of a task: &Task::data_options, &Task::predict_options, &Task::eval_options.
using OptionsOf = Settings (Task::*)();

/// The options of all tasks. Help names the families that have each.
std::vector<OptionSpec> task_options(OptionsOf options_of);

/// Throws UsageError, tagged with the command's name, if an option was given that `task` lacks.
void check_task_options(OptionsOf options_of, Task& task, const std::string& command,
                        const Arguments& arguments);
/// The same for what is not a task, but has such `options`.
void check_options(OptionsOf options_of, const Settings& options, const std::string& owner,
                   const std::string& command, const Arguments& arguments);

/// Those of `options` that were given, with their values as Settings::set() takes them.
std::vector<std::pair<std::string, std::string>> given_options(const Settings& options,
                                                               const Arguments& arguments);

/// Sets the options of `task` that were given. Throws UsageError for a wrong value.
void set_options(OptionsOf options_of, Task& task, const Arguments& arguments);

/// The same for a new task of every model: reports a wrong value before any file is read.
void check_option_values(OptionsOf options_of, const Arguments& arguments);

}  // namespace tarsier::zoo
