#pragma once
// The command line: the options of a command, and what the user gave.

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tarsier::zoo {

/// One option, "--name VALUE".
struct OptionSpec {
  std::string name;   ///< without the dashes
  std::string value;  ///< the value's name in help: "N"; empty for a switch
  std::string help;
  bool repeats = false;  ///< may be given more than once
};

/// One command: what it takes, and what help says about it.
struct CommandSpec {
  std::string name;
  std::string arguments;  ///< the arguments as help shows them: "DIR [PROMPT …]"
  size_t min_arguments = 0;
  size_t max_arguments = 0;
  std::string summary;  ///< one line
  std::string details;  ///< the paragraph under the options
  std::vector<OptionSpec> options;
};

/// What was given to a command.
class Arguments {
 public:
  /// Reads `words` (what follows the command's name): "--name VALUE" or "--name=VALUE"; "--" ends
  /// the options. Throws UsageError, tagged with the command's name, for unknown options (with the
  /// nearest known one), missing or repeated values, and too few or too many arguments.
  Arguments(const CommandSpec& command, const std::vector<std::string>& words);

  /// "--help" or "-h" was given. Nothing is checked then; positional() has every word that
  /// does not begin with a dash.
  bool wants_help() const { return wants_help_; }
  /// The arguments that are not options, in order.
  const std::vector<std::string>& positional() const { return positional_; }

  bool has(const std::string& name) const { return options_.contains(name); }
  std::optional<std::string> text(const std::string& name) const;
  /// All values of an option that repeats.
  std::vector<std::string> all(const std::string& name) const;
  /// The value as a number. Throws UsageError unless it is one and lies in [low, high].
  std::optional<int64_t> integer(const std::string& name, int64_t low,
                                 int64_t high = std::numeric_limits<int64_t>::max()) const;
  std::optional<double> number(const std::string& name, double low, double high) const;

 private:
  void check_count(const CommandSpec& command) const;

  std::string command_;
  bool wants_help_ = false;
  std::vector<std::string> positional_;
  std::map<std::string, std::vector<std::string>> options_;
};

}  // namespace tarsier::zoo
