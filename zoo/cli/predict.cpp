#include <unistd.h>

#include <iostream>
#include <iterator>
#include <limits>

#include "autograd/parallel.h"
#include "zoo/cli/commands.h"
#include "zoo/models.h"

namespace tarsier::zoo {

namespace {

/// All of standard input, without the line break at its end that `echo` adds.
std::string read_stdin() {
  if (isatty(STDIN_FILENO) == 1) std::cerr << "The input, then Ctrl-D on a line of its own:\n";
  std::string text(std::istreambuf_iterator<char>(std::cin), {});
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

int run(const Arguments& arguments, const std::string&) {
  PredictOptions options;
  options.tokens = arguments.integer("tokens", 0, 1'000'000'000);
  options.temperature = arguments.number("temperature", 0, 1000);
  options.top_k = arguments.integer("top-k", 0);
  options.top_p = arguments.number("top-p", 0, 1);
  options.seed = static_cast<uint64_t>(arguments.integer("seed", 0).value_or(1));
  if (const auto threads = arguments.integer("threads", 1, 1024))
    set_num_threads(static_cast<int>(*threads));

  const auto& words = arguments.positional();
  const RunFolder folder = RunFolder::open(words[0]);
  const std::unique_ptr<Task> task = make_trained_task(folder, folder.read_config());
  std::vector<std::string> inputs(words.begin() + 1, words.end());
  if (inputs.empty()) inputs.push_back(read_stdin());
  task->predict(inputs, options, std::cout);
  return 0;
}

}  // namespace

Command predict_command() {
  CommandSpec spec;
  spec.name = "predict";
  spec.arguments = "DIR [PROMPT …]";
  spec.min_arguments = 1;
  spec.max_arguments = std::numeric_limits<size_t>::max();
  spec.summary = "let the trained model in DIR continue the prompt";
  spec.options = {
      {"tokens", "N", "characters to write; default: 500"},
      {"temperature", "X", "below 1: safer, above: bolder; 0: always the likeliest; default: 0.8"},
      {"top-k", "K", "choose among the K likeliest only; 0: among all (default)"},
      {"top-p", "P", "choose among the likeliest that together have probability P; default: 1"},
      {"seed", "N", "of the choices; default: 1. The same seed writes the same text"},
      {"threads", "N", "default: all processors. The result does not depend on it"},
  };
  spec.details =
      "Several words are joined to one prompt; where there is none it is read from standard input, "
      "and where that is empty the model begins by itself. Put -- before a prompt that begins with "
      "a dash.";
  return {spec, run};
}

}  // namespace tarsier::zoo
