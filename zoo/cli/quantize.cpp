#include <filesystem>
#include <iostream>

#include "autograd/base/numerals.h"
#include "nn/quantize.h"
#include "zoo/base/format.h"
#include "zoo/cli/commands.h"
#include "zoo/task/models.h"

namespace tarsier::zoo {

namespace {

namespace fs = std::filesystem;

/// The size of the weights of a run as text: "3.2 MB".
std::string size_of_weights(const RunFolder& folder) {
  return fixed(static_cast<double>(fs::file_size(folder.file("model.safetensors"))) / 1e6, 2) +
         " MB";
}

int run(const Arguments& arguments, const std::string& program) {
  const RunFolder folder = RunFolder::open(arguments.positional()[0]);
  folder.refuse_int8("quantize", "quantised again");
  RunConfig config = folder.read_config();
  const std::unique_ptr<Task> task = make_trained_task(folder, config);
  const int64_t parameters = task->model().num_parameters();
  const std::vector<std::string> names = nn::quantize_(task->model());
  const int64_t rest = task->model().num_parameters();
  int64_t step = -1;
  folder.load_weights(&step);

  const auto out = arguments.text("out");
  RunFolder::check_space(out.value_or(folder.path()), 2 * parameters);
  const RunFolder made =
      out ? RunFolder::create(*out) : RunFolder::create_next(folder.path() + "-int8");
  config.quantized_from = fs::absolute(folder.path()).lexically_normal().string();
  made.write_config(config);
  made.save_int8(task->model(), config.model, step);
  const std::string dir = shell_word(made.path());
  std::cout << "Quantised " << names.size() << (names.size() == 1 ? " matrix, " : " matrices, ")
            << with_commas(parameters - rest) << " of " << with_commas(parameters)
            << " weights: " << size_of_weights(folder) << " became " << size_of_weights(made)
            << ".\nSaved in " << made.path() << ".\n\nNext:\n  " << program << " eval " << dir
            << "\n  " << program << " predict " << dir << " " << shell_word(task->example_input())
            << "\n";
  return 0;
}

}  // namespace

Command quantize_command() {
  CommandSpec spec;
  spec.name = "quantize";
  spec.arguments = "DIR";
  spec.min_arguments = spec.max_arguments = 1;
  spec.summary = "make a run with int8 weights of the run in DIR, to use it";
  spec.options = {
      {"out", "DIR2", "new folder; default: the first free one of DIR-int8, DIR-int8-2, …"}};
  spec.details =
      "The matrices become integers of 8 bits with a scale for each row, a quarter of the size; "
      "biases, norms and convolutions stay. eval and predict take the new folder as they take any "
      "run; train and study refuse it. DIR stays as it is.";
  return {spec, run};
}

}  // namespace tarsier::zoo
