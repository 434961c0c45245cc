#include <sys/resource.h>

#include <cmath>
#include <filesystem>
#include <iostream>
#include <limits>
#include <set>

#include "autograd/base/parallel.h"
#include "autograd/ops/matmul/precision.h"
#include "autograd/simd/isa.h"
#include "zoo/base/format.h"
#include "zoo/base/usage_error.h"
#include "zoo/cli/commands.h"
#include "zoo/cli/console.h"
#include "zoo/cli/interrupt.h"
#include "zoo/cli/precision.h"
#include "zoo/cli/streams.h"
#include "zoo/cli/task_options.h"
#include "zoo/cli/threads.h"
#include "zoo/gpt/adapter.h"
#include "zoo/gpt/model.h"
#include "zoo/hub/hub_model.h"
#include "zoo/report/report.h"
#include "zoo/task/models.h"
#include "zoo/task/trainer.h"

namespace tarsier::zoo {

namespace {

/// Applies --steps, which overrides the recipe's epochs.
void set_steps(Task& task, const Arguments& arguments) {
  const auto steps = arguments.integer("steps", 1, std::numeric_limits<int32_t>::max());
  if (!steps) return;
  task.recipe.steps = *steps;
  task.recipe.epochs = 0;
}

[[noreturn]] void fail_twice(const std::string& name) {
  usage_fail("train", "--", name, " and --set ", name, " are the same: give one of them");
}

/// The model with its preset, and with --set and --steps applied.
std::unique_ptr<Task> configured_task(const Arguments& arguments) {
  if (arguments.positional().empty()) {
    std::vector<std::string> names;
    for (const ModelEntry& entry : models()) names.push_back(entry.name);
    usage_fail("train", "which model? The zoo has: ", listed(names), " (tarsier list tells more)");
  }
  const ModelEntry* entry = &find_model(arguments.positional()[0]);
  std::vector<std::pair<std::string, std::string>> changes;
  std::set<std::string> keys;
  for (const std::string& change : arguments.all("set")) {
    const size_t equals = change.find('=');
    if (equals == change.npos || equals == 0)
      usage_fail("train", "--set takes KEY=VALUE, not '", change, "'");
    changes.emplace_back(change.substr(0, equals), change.substr(equals + 1));
    const std::string& key = changes.back().first;
    if (!keys.insert(key).second) usage_fail("train", "--set ", key, " is given twice");
    if (key == "steps" && arguments.has("steps")) fail_twice(key);
    // The preset comes first, wherever it is given: the others change its values.
    if (changes.back().first == "preset") {
      entry = &find_preset(entry->family, changes.back().second);
      changes.pop_back();
    }
  }
  std::unique_ptr<Task> task = entry->make();
  if (const auto from = arguments.text("from")) task->start_from(*from);
  check_task_options(&Task::data_options, *task, "train", arguments);
  for (const auto& [name, value] : given_options(task->data_options(), arguments)) {
    if (!keys.insert(name).second) fail_twice(name);
    changes.emplace_back(name, value);
  }
  Settings settings = task->settings();
  for (const auto& [key, value] : changes) settings.set(key, value);
  set_steps(*task, arguments);
  return task;
}

/// The result of the trial steps.
struct Estimate {
  double seconds = 0;
  int64_t bytes = 0;
};

/// The memory that training will take: the peak so far, of the trial steps, and what these did not
/// allocate: two moments of each weight, the averaged weights, the best of those, and a checkpoint
/// of all five while it is written.
int64_t estimated_bytes(Task& task) {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
#ifdef __APPLE__
  const int64_t most = usage.ru_maxrss;
#else
  const int64_t most = int64_t{1024} * usage.ru_maxrss;
#endif
  int64_t weights = 0;
  for (const auto& [name, parameter] : task.model().named_parameters())
    weights += parameter.numel() * static_cast<int64_t>(size_of(parameter.dtype()));
  return most + 9 * weights;
}

void print_facts(Task& task, const RunFolder& folder, uint64_t seed, const Estimate& estimate) {
  constexpr size_t kIndent = 11;
  std::cout << "Training " << task.name() << "\n";
  const auto row = [](const std::string& name, const std::string& text) {
    const size_t blanks = name.size() + 2 < kIndent ? kIndent - 2 - name.size() : 1;
    std::cout << "  " << name << std::string(blanks, ' ')
              << wrapped(text, kIndent, static_cast<size_t>(terminal_width()));
  };
  for (const auto& [name, text] : task.facts()) row(name, text);
  if (const std::string from = folder.read_config().from; !from.empty())
    row("start",
        concat(hub::is_hub_folder(from) ? "from the model in " : "from the run in ", from));
  row("seed", std::to_string(seed));
  row("threads", concat(num_threads(), ", with the instruction set ",
                        kernels::name_of(kernels::active_isa())));
  if (matmul_uses_bf16(matmul_precision()))
    row("precision", concat(name_of(matmul_precision()), ": matrix products in bf16"));
  if (estimate.bytes > 0)
    row("memory", concat("about ", with_commas((estimate.bytes >> 20) + 1), " MB"));
  row("folder", folder.path());
  if (estimate.seconds > 0)
    row("time", concat("about ", as_duration(estimate.seconds), " without validation"));
  std::cout << std::endl;
}

/// The commands to try after a run.
std::vector<std::string> next_commands(const Task& task, const RunFolder& folder,
                                       const TrainOutcome& outcome, const std::string& program) {
  const std::string dir = shell_word(folder.path());
  std::vector<std::string> next = {
      program + " predict " + dir + " " + shell_word(task.example_input()),
      program + " eval " + dir,
  };
  if (outcome.interrupted) next.insert(next.begin(), program + " train --resume " + dir);
  return next;
}

/// Writes report.html. The run is complete without it, so a failure is only reported.
bool try_report(Task& task, const RunFolder& folder, const TrainOutcome& outcome,
                const std::string& program) {
  try {
    write_report(task, folder, outcome, next_commands(task, folder, outcome, program));
    return true;
  } catch (const std::exception& error) {
    std::cerr << "tarsier: report.html is missing or incomplete: " << error.what()
              << ". Everything else is saved in " << folder.path() << std::endl;
    return false;
  }
}

void print_result(Task& task, const RunFolder& folder, const TrainOutcome& outcome, bool reported,
                  const std::string& program) {
  std::cout << "\n"
            << lines_of(outcome.metrics) << "on the whole validation split, after step "
            << outcome.best_step
            << (outcome.best_step < outcome.step ? ", the best, which is kept" : "") << ".\n";
  if (outcome.early)
    std::cout << "Stopped early, after step " << outcome.step << " of " << task.steps() << ": "
              << counted(task.recipe.patience, "validation")
              << " without improvement (patience).\n";
  std::cout << "Saved in " << folder.path() << ".\n\nA sample:\n" << std::endl;
  if (!std::cout) return;
  task.show_sample(std::cout);
  std::cout << "\nNext:\n";
  for (const std::string& command : next_commands(task, folder, outcome, program))
    std::cout << "  " << command << "\n";
  std::cout << "  " << program << " train --help\n";
  if (reported) std::cout << "Curves and more: " << folder.file("report.html") << "\n";
  std::cout << std::flush;
}

/// Saves the adapters of a gpt apart from its weights, in the folder "adapter" of the run.
void save_adapters_apart(Task& task, const RunFolder& folder) {
  const auto* gpt = dynamic_cast<const gpt::Gpt*>(&task.model());
  if (gpt == nullptr || gpt->config.lora.r == 0) return;
  gpt::save_adapters(gpt->config, folder.load_weights(), folder.read_config().from,
                     folder.file("adapter"));
}

/// Trains and prints the result. Returns the exit code.
int train_and_report(Task& task, const RunFolder& folder, const TrainOptions& options,
                     const Estimate& estimate, bool quiet, const std::string& program) {
  if (!quiet) print_facts(task, folder, options.seed, estimate);
  ConsoleProgress progress(std::cout, stdout_is_terminal(), task.items());
  TrainObserver silence;
  TrainOutcome outcome;
  {
    const InterruptGuard guard;
    TrainOptions interruptible = options;
    interruptible.interrupted = [&] { return InterruptGuard::requested() || nobody_listens(); };
    try {
      outcome = train(task, folder, interruptible, quiet ? silence : progress);
    } catch (...) {
      progress.finish();
      throw;
    }
  }
  progress.finish();
  save_adapters_apart(task, folder);
  if (outcome.interrupted) {
    std::cerr << "Stopped after step " << outcome.step << " of " << task.steps()
              << (nobody_listens() ? ", because nothing reads the output any more (broken pipe)"
                                   : "")
              << ". Everything is saved in " << folder.path() << "; continue with:\n  " << program
              << " train --resume " << shell_word(folder.path()) << std::endl;
    try_report(task, folder, outcome, program);
    return 1;
  }
  const bool reported = try_report(task, folder, outcome, program);
  if (quiet) {
    std::cout << outcome.metrics[0].name << " " << outcome.metrics[0].text() << "  "
              << folder.path() << std::endl;
  } else {
    print_result(task, folder, outcome, reported, program);
  }
  if (std::cout) return 0;
  std::cerr << "All steps are done and saved in " << folder.path()
            << ", but standard output could not be written." << std::endl;
  return 1;
}

int train_new(const Arguments& arguments, const std::string& program) {
  const std::unique_ptr<Task> task = configured_task(arguments);
  TrainOptions options;
  options.seed = static_cast<uint64_t>(arguments.integer("seed", 0).value_or(1));
  const std::string data = arguments.text("data").value_or("");
  task->load_data(data);
  task->build(options.seed);
  check_batch_memory(*task, options.seed);
  const bool quiet = arguments.has("quiet");
  Estimate estimate;
  if (!quiet) {
    estimate.seconds = estimated_seconds(*task, options.seed);
    estimate.bytes = estimated_bytes(*task);
    task->build(options.seed);
  }

  const auto out = arguments.text("out");
  RunFolder::check_space(out.value_or("runs"), disk_space_needed(*task));
  const RunFolder folder =
      out ? RunFolder::create(*out) : RunFolder::create_next("runs/" + task->name());
  const RunLock lock(folder);
  RunConfig config;
  config.model = task->name();
  config.seed = options.seed;
  config.data_path = data.empty() ? "" : std::filesystem::absolute(data).string();
  if (const auto from = arguments.text("from"))
    config.from = std::filesystem::absolute(*from).string();
  config.data = task->describe_data();
  config.keep(task->settings());
  folder.write_config(config);
  return train_and_report(*task, folder, options, estimate, quiet, program);
}

/// The one setting that a resumed run may change, apart from --steps: where the decay ends.
void set_decay_steps(Task& task, const Arguments& arguments) {
  Settings settings = task.settings();
  for (const std::string& change : arguments.all("set")) {
    const std::string key = "decay_steps=";
    if (!change.starts_with(key))
      usage_fail("train", "--set ", change, " does not go with --resume: a resumed run keeps its ",
                 "settings, except decay_steps");
    settings.set("decay_steps", change.substr(key.size()));
  }
}

/// Warns if a run that is resumed with another number of steps continues with another learning rate
/// than planned: most schedules are stretched over all steps.
void print_rate_jump(const Recipe& before, int64_t steps_before, const Recipe& now,
                     int64_t steps_now, int64_t done, const std::string& program,
                     const std::string& folder) {
  if (done == 0) return;
  const double last = before.learning_rate_of(done, steps_before),
               expected = before.learning_rate_of(done + 1, steps_before),
               next = now.learning_rate_of(done + 1, steps_now);
  if (std::abs(next - expected) <= 1e-3 * expected) return;
  const int64_t end = before.decay_steps > 0 ? before.decay_steps : steps_before;
  std::cout
      << "The learning rate jumps, from " << last << " in step " << with_commas(done) << " to "
      << next << " in the next: the " << now.schedule << " schedule now ends after "
      << with_commas(now.decay_steps > 0 ? now.decay_steps : steps_now) << " steps instead of "
      << with_commas(end)
      << ". The result differs from that of a run with this number of steps from the "
      << "start.\nTo continue without a jump, at the rate where the schedule ended (or on its way "
      << "to the end):\n  " << program << " train --resume " << shell_word(folder) << " --steps "
      << steps_now << " --set decay_steps=" << end
      << "\nFor the same result as a run with this length, train again from the start with --steps "
      << steps_now << ".\n";
}

int train_resumed(const Arguments& arguments, const std::string& program) {
  const auto refuse = [&](const std::string& option, const char* kept) {
    if (arguments.has(option))
      usage_fail("train", "--", option, " does not go with --resume: a resumed run keeps its ",
                 kept);
  };
  refuse("out", "folder");
  refuse("seed", "seed");
  refuse("from", "start");
  for (const OptionSpec& option : task_options(&Task::data_options))
    refuse(option.name, "settings");
  const RunFolder folder = RunFolder::open(*arguments.text("resume"));
  const RunLock lock(folder);
  RunConfig config = folder.read_config();
  if (!arguments.positional().empty() && arguments.positional()[0] != config.model)
    usage_fail("train", folder.path(), " is a run of ", config.model, ", not of ",
               arguments.positional()[0]);
  folder.refuse_int8("train", "trained");
  check(folder.has_checkpoint(), "train", folder.path(),
        " has no checkpoint: the run ended before its first. Train again");

  const std::unique_ptr<Task> task = make_task(config);
  const std::string data = arguments.text("data").value_or(config.data_path);
  load_trained_data(*task, config, arguments.text("data"));
  check(config.learned_from(task->describe_data()), "train",
        data.empty() ? "the built-in data" : "'" + data + "'",
        " is not what this run was trained on, so it cannot go on to the same result. ",
        data.empty() ? "The program was rebuilt from changed sources: train again"
                     : "Give the same data with --data, or train again");
  const Recipe recipe_before = task->recipe;
  const int64_t steps_before = task->steps();
  set_steps(*task, arguments);
  set_decay_steps(*task, arguments);
  TrainOptions options;
  options.seed = config.seed;
  options.resume = true;
  const int64_t done = folder.load_checkpoint().step;
  check(done <= task->steps(), "train", folder.path(), " has ", done,
        " steps already, more than --steps ", task->steps());
  task->build(config.seed);
  check_batch_memory(*task, config.seed);
  config.keep(task->settings());
  if (!data.empty()) config.data_path = std::filesystem::absolute(data).string();
  folder.write_config(config);
  if (!arguments.has("quiet")) {
    std::cout << "Resuming after step " << done << " of " << task->steps()
              << (done == task->steps() ? ": nothing left to do (--steps N continues)\n" : "\n");
    if (done < task->steps())
      print_rate_jump(recipe_before, steps_before, task->recipe, task->steps(), done, program,
                      folder.path());
  }
  return train_and_report(*task, folder, options, {}, arguments.has("quiet"), program);
}

int run(const Arguments& arguments, const std::string& program) {
  ignore_broken_pipes();
  set_threads(arguments);
  set_precision("train", arguments);
  return arguments.has("resume") ? train_resumed(arguments, program)
                                 : train_new(arguments, program);
}

}  // namespace

Command train_command() {
  CommandSpec spec;
  spec.name = "train";
  spec.arguments = "MODEL";
  spec.max_arguments = 1;
  spec.summary = "train a model, with live progress";
  spec.options = {
      {"data", "PATH",
       "file or folder to learn from; default: the model's built-in data (`tarsier list` "
       "tells which)"},
      {"out", "DIR",
       "new folder for the run; default: the first free one of runs/MODEL, runs/MODEL-2, …"},
      {"from", "DIR",
       "text-classifier: start from the tokens and the encoder of the run of bert in DIR; gpt: "
       "from "
       "the GPT-2 of Hugging Face's transformers in DIR"},
      {"steps", "N",
       "training steps; default: the model's recipe. With --resume: of the whole run; the learning "
       "rate then follows a curve of another length, unless --set decay_steps=N keeps its end"},
      {"seed", "N", "seed of all random numbers; default: 1. The same seed gives the same bits"},
      threads_option(),
      precision_option(),
      {"resume", "DIR", "continue the run in DIR, as if it had never stopped"},
      {"set", "KEY=VALUE",
       "change a size, a rate or the preset; `tarsier train MODEL --help` lists them", true},
      {"quiet", "", "print only the result"},
  };
  const std::vector<OptionSpec> data_options = task_options(&Task::data_options);
  spec.options.insert(spec.options.begin() + 1, data_options.begin(), data_options.end());
  spec.details =
      "The run's folder holds model.safetensors (the weights), config.json, metrics.jsonl (a line "
      "per step), report.html (curves, predictions, attention) and checkpoint/. Ctrl-C saves "
      "and stops (exit code 1); a second one stops at "
      "once, and the last checkpoint remains. To continue: tarsier train --resume DIR. An existing "
      "run "
      "is never overwritten.";
  return {spec, run};
}

}  // namespace tarsier::zoo
