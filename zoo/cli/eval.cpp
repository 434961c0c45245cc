#include <iostream>

#include "zoo/base/usage_error.h"
#include "zoo/cli/commands.h"
#include "zoo/cli/precision.h"
#include "zoo/cli/task_options.h"
#include "zoo/cli/threads.h"
#include "zoo/hub/hub_model.h"
#include "zoo/task/models.h"

namespace tarsier::zoo {

namespace {

int eval_hub(const std::string& folder, const Arguments& arguments) {
  const std::unique_ptr<hub::HubModel> model = hub::open_hub_model(folder);
  check_options(&Task::eval_options, Settings(folder, "eval"), folder, "eval", arguments);
  std::cerr << model->description() << "\n";
  const auto data = arguments.text("data");
  if (!data) usage_fail("eval", folder, " does not say what it was trained on: give --data");
  std::cout << lines_of(model->evaluate(*data)) << std::flush;
  return 0;
}

int eval_run(const Arguments& arguments, const std::string&) {
  set_threads(arguments);
  set_precision("eval", arguments);
  check_option_values(&Task::eval_options, arguments);
  if (hub::is_hub_folder(arguments.positional()[0]))
    return eval_hub(arguments.positional()[0], arguments);
  const RunFolder folder = RunFolder::open(arguments.positional()[0]);
  const RunConfig config = folder.read_config();
  const std::unique_ptr<Task> task = make_trained_task(folder, config);
  check_task_options(&Task::eval_options, *task, "eval", arguments);
  set_options(&Task::eval_options, *task, arguments);
  const auto given = arguments.text("data");
  load_trained_data(*task, config, given);
  if (!given && !config.learned_from(task->describe_data()))
    std::cerr << "tarsier: note: the data changed since this model was trained\n";
  std::cout << lines_of(task->evaluate()) << std::flush;
  return 0;
}

}  // namespace

Command eval_command() {
  CommandSpec spec;
  spec.name = "eval";
  spec.arguments = "DIR";
  spec.min_arguments = spec.max_arguments = 1;
  spec.summary = "measure the trained model in DIR";
  spec.options = {{"data", "PATH", "other data; default: the data that it was trained on"}};
  for (const OptionSpec& option : task_options(&Task::eval_options)) spec.options.push_back(option);
  spec.options.push_back(threads_option());
  spec.options.push_back(precision_option());
  spec.details =
      "Prints a line for each metric, such as `val_loss X`, `accuracy X %`, `BLEU X`, `WER X %`: "
      "on the test "
      "split if the data have one, otherwise on the validation split. DIR may also be a folder of "
      "Hugging Face's transformers, with --data: a text for a gpt2 or one of Llama's family, whose "
      "perplexity is measured, labelled texts for a bert, pictures for a vit.";
  return {spec, eval_run};
}

}  // namespace tarsier::zoo
