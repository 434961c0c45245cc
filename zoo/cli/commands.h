#pragma once
// The commands of the program. Each has its page of help and a function that runs it.

#include <string>
#include <vector>

#include "zoo/cli/arguments.h"

namespace tarsier::zoo {

/// One command of the program.
struct Command {
  CommandSpec spec;
  /// Runs it and returns the exit code. `program` is the shell word that the program was called by,
  /// for the commands that it suggests. Throws UsageError and Error.
  int (*run)(const Arguments& arguments, const std::string& program);
};

Command list_command();
Command train_command();
Command eval_command();
Command predict_command();

/// All of them, in the order of the help page.
const std::vector<Command>& commands();

/// The page of `tarsier --help`.
std::string program_help();
/// The page of `tarsier COMMAND --help`; for `train MODEL --help` with the model's settings.
std::string command_help(const CommandSpec& spec, const Arguments& arguments);

/// `text` as a word of a shell command: quoted where it needs to be.
std::string shell_word(const std::string& text);

}  // namespace tarsier::zoo
