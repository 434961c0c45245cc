#include "zoo/cli/cli.h"

#include <exception>
#include <iostream>
#include <new>

#include "autograd/base/error.h"
#include "autograd/base/parallel.h"
#include "autograd/simd/isa.h"
#include "zoo/base/usage_error.h"
#include "zoo/cli/commands.h"
#include "zoo/cli/streams.h"

namespace tarsier::zoo {

namespace {

const Command& find_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    if (command.spec.name == name) return command;
    names.push_back(command.spec.name);
  }
  if (name.starts_with("-"))
    usage_fail("tarsier", "'", name,
               "' is not a command: give the command first, then its options (tarsier "
               "--help shows all)");
  usage_fail("tarsier", "there is no command '", name, "'", did_you_mean(name, names),
             " (tarsier --help shows all)");
}

/// TARSIER_THREADS and TARSIER_ISA are read when they are first needed. A wrong value is better
/// reported now, before any work is done.
void check_environment() {
  num_threads();
  kernels::active_isa();
}

int run(const std::string& program, std::vector<std::string> words) {
  if (words.empty()) {
    std::cerr << program_help();
    return 2;
  }
  // "help", "--help" and "-h" stand for the program; "help train" is "train --help".
  if (words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
    if (words.size() == 1 || words[0] != "help") {
      std::cout << program_help();
      return 0;
    }
    words.erase(words.begin());
    words.push_back("--help");
  }
  if (words[0] == "--version") {
    std::cout << "tarsier " TARSIER_VERSION "\n";
    return 0;
  }
  const Command& command = find_command(words[0]);
  const Arguments arguments(command.spec, {words.begin() + 1, words.end()});
  if (arguments.wants_help()) {
    std::cout << command_help(command.spec, arguments);
    return 0;
  }
  check_environment();
  return command.run(arguments, shell_word(program));
}

}  // namespace

int run_program(const std::string& program, const std::vector<std::string>& arguments) {
  occupy_standard_streams();
  int code = 1;
  std::string message;
  try {
    code = run(program, arguments);
    std::cout.flush();
    if (!std::cout && code == 0) {  // otherwise the error was reported already
      code = 1;
      message = "[output] cannot write to standard output";
    }
  } catch (const UsageError& error) {
    code = 2;
    message = error.what();
  } catch (const std::bad_alloc&) {
    message = "[memory] not enough memory: a smaller model or batch (--set) may fit";
  } catch (const Error& error) {
    message = error.what();
  } catch (const std::exception& error) {
    message = std::string("[system] ") + error.what();
  }
  if (!message.empty()) {
    std::cout.flush();
    std::cerr << "tarsier: " << message << std::endl;
  }
  return code;
}

}  // namespace tarsier::zoo
