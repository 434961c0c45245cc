#pragma once
// The commands of the program, each with its help page and the function that runs it.

#include <string>
#include <vector>

#include "../task/reproduce.h"
#include "arguments.h"

namespace tarsier::zoo {

/// One command of the program.
struct Command {
  CommandSpec spec;
  /// Returns the exit code. `program` is the shell word that the program was called by,
  /// for the commands that it suggests. Throws UsageError and Error.
  int (*run)(const Arguments& arguments, const std::string& program);
};

Command list_command();
Command train_command();
Command eval_command();
Command predict_command();
Command quantize_command();
Command study_command();
Command reproduce_command();
Command compare_command();
Command export_command();

/// Runs the rows with the seeds 1 to `seeds`, prints progress (with `quiet` one line per row), and
/// writes table.md into the folder of `reproduction`. Returns the exit code: 0 if all rows reach
/// their marks. `table` holds all rows, including those that are not run.
int reproduce(const Reproduction& reproduction, const std::vector<ReproduceRow>& rows,
              const std::vector<ReproduceRow>& table, int64_t seeds, bool quiet);

/// All of them, in the order of the help page.
const std::vector<Command>& commands();

/// The page of `tarsier --help`.
std::string program_help();
/// The page of `tarsier COMMAND --help`; for `train MODEL --help` with the model's settings.
std::string command_help(const CommandSpec& spec, const Arguments& arguments);

/// `text` in lines of at most `width` columns, broken between words and ending with a line break.
/// All lines but the first start with `indent` spaces; the caller has printed as many columns
/// before the first.
std::string wrapped(const std::string& text, size_t indent = 0, size_t width = 80);

/// `text` as a word of a shell command, quoted if necessary.
std::string shell_word(const std::string& text);

}  // namespace tarsier::zoo
