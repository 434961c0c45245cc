#include <unistd.h>

#include <iostream>
#include <iterator>
#include <limits>

#include "zoo/cli/commands.h"
#include "zoo/cli/precision.h"
#include "zoo/cli/task_options.h"
#include "zoo/cli/threads.h"
#include "zoo/hub/hub_model.h"
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

/// Predicts the inputs; without any, all of standard input if the model continues texts, or else
/// each line of it as it comes: a user, or a program at the other end of a pipe, gets the answer
/// before the next line.
template <class Predict>
void predict_all(const std::vector<std::string>& inputs, bool continues_text,
                 const Predict& predict) {
  if (!inputs.empty()) {
    predict(inputs);
  } else if (continues_text) {
    predict({read_stdin()});
  } else {
    if (isatty(STDIN_FILENO) == 1) std::cerr << "One input per line, then Ctrl-D:\n";
    for (std::string line; std::getline(std::cin, line);) {
      if (line.ends_with('\r')) line.pop_back();
      predict({line});
    }
  }
}

int predict_hub(const std::string& folder, const std::vector<std::string>& inputs,
                const Arguments& arguments) {
  const std::unique_ptr<hub::HubModel> model = hub::open_hub_model(folder);
  Settings options = model->predict_options();
  check_options(&Task::predict_options, options, folder, "predict", arguments);
  for (const auto& [name, value] : given_options(options, arguments)) options.set(name, value);
  std::cerr << model->description() << "\n";
  predict_all(inputs, model->continues_text(),
              [&](const std::vector<std::string>& given) { model->predict(given, std::cout); });
  return 0;
}

int run(const Arguments& arguments, const std::string&) {
  set_threads(arguments);
  set_precision("predict", arguments);
  check_option_values(&Task::predict_options, arguments);
  const auto& words = arguments.positional();
  const std::vector<std::string> inputs(words.begin() + 1, words.end());
  if (hub::is_hub_folder(words[0])) return predict_hub(words[0], inputs, arguments);
  const RunFolder folder = RunFolder::open(words[0]);
  const std::unique_ptr<Task> task = make_trained_task(folder, folder.read_config());
  check_task_options(&Task::predict_options, *task, "predict", arguments);
  set_options(&Task::predict_options, *task, arguments);
  predict_all(inputs, task->continues_text(), [&](const std::vector<std::string>& given) {
    task->predict(given, std::cout, &std::cerr);
  });
  return 0;
}

}  // namespace

Command predict_command() {
  CommandSpec spec;
  spec.name = "predict";
  spec.arguments = "DIR [INPUT …]";
  spec.min_arguments = 1;
  spec.max_arguments = std::numeric_limits<size_t>::max();
  spec.summary = "run the trained model in DIR on inputs";
  spec.options = task_options(&Task::predict_options);
  spec.options.push_back(threads_option());
  spec.options.push_back(precision_option());
  spec.details =
      "An INPUT is a text to translate, to classify or to sum up, a file to sum up, an image file "
      "(PNG, JPEG, PGM, PPM, BMP), a sound file (WAV), or a history of items with semicolons "
      "between them. Each INPUT gets one "
      "line of output; a blank INPUT gets a blank line. Without INPUT, every line of standard "
      "input "
      "is one. A gpt joins all INPUTs into one text and continues it; without INPUT it continues "
      "all of standard input, and if that is empty it starts on its own. A music model continues "
      "each INPUT, a MIDI file or notes, and writes it to --out. An image-gpt draws, or completes "
      "the upper half of each INPUT, and writes a PNG file to --out. A diffusion model draws "
      "pictures of classes, or variations of each INPUT, and writes them likewise. DIR may also be "
      "a folder of Hugging Face's transformers: a gpt2 or one of Llama's family continues a text, "
      "a "
      "bert classifies it or names the words for each [MASK], a vit classifies pictures. Put -- "
      "before "
      "an INPUT that "
      "begins with a dash.";
  return {spec, run};
}

}  // namespace tarsier::zoo
