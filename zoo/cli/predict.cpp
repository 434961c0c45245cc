#include <unistd.h>

#include <iostream>
#include <iterator>
#include <limits>

#include "autograd/base/parallel.h"
#include "zoo/base/usage_error.h"
#include "zoo/cli/commands.h"
#include "zoo/task/models.h"

namespace tarsier::zoo {

namespace {

/// All of standard input, without the line break at its end that `echo` adds.
std::string read_stdin() {
  if (isatty(STDIN_FILENO) == 1) std::cerr << "The input, then Ctrl-D on a line of its own:\n";
  std::string text(std::istreambuf_iterator<char>(std::cin), {});
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

/// Every line of standard input by itself, as it comes: a person, or a program at the other end of
/// a pipe, has the answer before the next line.
void predict_lines(Task& task, const PredictOptions& options) {
  if (isatty(STDIN_FILENO) == 1) std::cerr << "An input on every line, then Ctrl-D:\n";
  for (std::string line; std::getline(std::cin, line);) {
    if (line.ends_with('\r')) line.pop_back();
    task.predict({line}, options, std::cout);
  }
}

/// Refuses what only a model that writes by chance has a use for.
void check_options(const Task& task, const Arguments& arguments) {
  if (task.continues_text()) return;
  for (const char* option : {"tokens", "temperature", "top-k", "top-p", "seed"})
    if (arguments.has(option))
      usage_fail("predict", "--", option, " is for models that continue a text; ", task.name(),
                 " does not");
}

int run(const Arguments& arguments, const std::string&) {
  PredictOptions options;
  options.notes = &std::cerr;
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
  check_options(*task, arguments);
  const std::vector<std::string> inputs(words.begin() + 1, words.end());
  if (!inputs.empty()) {
    task->predict(inputs, options, std::cout);
  } else if (task->continues_text()) {
    task->predict({read_stdin()}, options, std::cout);
  } else {
    predict_lines(*task, options);
  }
  return 0;
}

}  // namespace

Command predict_command() {
  CommandSpec spec;
  spec.name = "predict";
  spec.arguments = "DIR [INPUT …]";
  spec.min_arguments = 1;
  spec.max_arguments = std::numeric_limits<size_t>::max();
  spec.summary = "let the trained model in DIR do what it learned";
  spec.options = {
      {"tokens", "N", "gpt: tokens to write; default: 500"},
      {"temperature", "X",
       "gpt: below 1: safer, above: bolder; 0: always the likeliest; default: 0.8"},
      {"top-k", "K", "gpt: choose among the K likeliest only; 0: among all (default)"},
      {"top-p", "P",
       "gpt: choose among the likeliest that together have probability P; default: 1"},
      {"seed", "N", "gpt: of the choices; default: 1. The same seed writes the same text"},
      {"threads", "N", "default: all processors. The result does not depend on it"},
  };
  spec.details =
      "An INPUT is a text to translate or to classify, or the file of a picture (PGM, PPM, BMP), "
      "and gets a line of answer, a blank one a blank line. Where there is none, every line of "
      "standard input is one. For a "
      "gpt all words together are one text, which it continues; where there is none it is all of "
      "standard input, and where that is empty the gpt begins by itself. Put -- before an input "
      "that begins with a dash.";
  return {spec, run};
}

}  // namespace tarsier::zoo
