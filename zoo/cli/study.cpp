#include <cmath>
#include <filesystem>
#include <iostream>
#include <limits>
#include <optional>

#include "autograd/io/file.h"
#include "zoo/base/format.h"
#include "zoo/base/usage_error.h"
#include "zoo/cli/commands.h"
#include "zoo/cli/task_options.h"
#include "zoo/cli/threads.h"
#include "zoo/study/learning.h"
#include "zoo/study/module.h"
#include "zoo/study/page.h"
#include "zoo/study/step.h"
#include "zoo/study/walk.h"
#include "zoo/task/models.h"

namespace tarsier::zoo {

namespace {

/// What is studied: a fresh model, or a run with its next step.
struct Subject {
  std::unique_ptr<Task> task;
  uint64_t seed = 1;
  std::optional<RunFolder> folder;
  std::optional<Checkpoint> checkpoint;
};

/// `KEY=VALUE` of an option that repeats, applied.
void apply_settings(Task& task, const Arguments& arguments, const std::string& option) {
  Settings settings = task.settings();
  for (const std::string& change : arguments.all(option)) {
    const size_t equals = change.find('=');
    if (equals == change.npos || equals == 0)
      usage_fail("study", "--", option, " takes KEY=VALUE, not '", change, "'");
    settings.set(change.substr(0, equals), change.substr(equals + 1));
  }
}

/// A run folder is given by its path; everything else is the name of a model.
bool is_run(const std::string& what) {
  return what.find('/') != what.npos || std::filesystem::is_directory(what);
}

/// A run, with the weights and the optimiser of its checkpoint.
Subject open_run(const std::string& path, const Arguments& arguments, const std::string& set) {
  if (arguments.has(set))
    usage_fail("study", "--", set, " changes a new model, but ", path,
               " is a run, which keeps its settings");
  Subject subject;
  subject.folder = RunFolder::open(path);
  subject.folder->refuse_int8("study", "studied, because they have no gradients");
  const RunConfig config = subject.folder->read_config();
  subject.seed = config.seed;
  if (subject.folder->has_checkpoint()) {
    subject.task = make_task(config);
    load_trained_data(*subject.task, config, arguments.text("data"));
    subject.task->build(config.seed);
    subject.checkpoint = subject.folder->load_checkpoint();
  } else {
    std::cerr
        << "tarsier: note: " << path
        << " has no checkpoint: this is the step that the trained weights would do with a new "
           "optimiser\n";
    subject.task = make_trained_task(*subject.folder, config);
    load_trained_data(*subject.task, config, arguments.text("data"));
  }
  return subject;
}

Subject open_subject(const std::string& what, const Arguments& arguments, const std::string& set) {
  if (is_run(what)) return open_run(what, arguments, set);
  Subject subject;
  subject.task = find_model(what).make();
  check_task_options(&Task::data_options, *subject.task, "study", arguments);
  Settings settings = subject.task->settings();
  for (const auto& [name, value] : given_options(subject.task->data_options(), arguments))
    settings.set(name, value);
  apply_settings(*subject.task, arguments, set);
  subject.seed = static_cast<uint64_t>(arguments.integer("seed", 0).value_or(1));
  subject.task->load_data(arguments.text("data").value_or(""));
  subject.task->build(subject.seed);
  return subject;
}

/// A subject with its input, and what the step on it was.
struct Studied {
  Subject subject;
  StudyInput input;
  study::Recording recording;
};

/// The step of `what`; on the input of `first`, if that is given and can be read.
Studied record(const std::string& what, const Arguments& arguments, const std::string& set,
               const Studied* first = nullptr) {
  Studied studied;
  studied.subject = open_subject(what, arguments, set);
  Subject& subject = studied.subject;
  study::StepOptions options;
  options.tokens = arguments.integer("tokens", 2, 1'000'000).value_or(options.tokens);
  options.proof_seconds = arguments.number("proof", 0, 3600).value_or(options.proof_seconds);
  const std::string differs =
      first == nullptr ? ""
                       : study::why_unreadable(*subject.task, *first->subject.task, first->input);
  studied.input = first != nullptr && differs.empty()
                      ? first->input
                      : subject.task->study_input(options.tokens, subject.seed);
  options.input = studied.input;
  study::Recording& recording = studied.recording;
  recording = record_step(*subject.task, subject.seed,
                          subject.checkpoint ? &*subject.checkpoint : nullptr, options);
  recording.command = "tarsier study " + shell_word(what);
  recording.input_differs = differs;
  for (auto& [name, text] : recording.facts)
    if (name == "input" && !differs.empty()) text += ", not that of the first: " + differs;
  std::string changes;  // so that two variants have different titles
  for (const std::string& change : arguments.all(set)) changes += " " + change;
  recording.title = concat(subject.task->name(), changes, ", step ", recording.step.number);
  if (subject.folder) recording.learning = study::learning_of(*subject.task, *subject.folder);
  if (const auto module = arguments.text("module")) recording = only_module(recording, *module);
  return studied;
}

int run(const Arguments& arguments, const std::string&) {
  set_threads(arguments);
  const std::string what = arguments.positional()[0];
  if (arguments.has("against-set") && !arguments.has("against"))
    usage_fail("study", "--against-set changes the model that --against names: give both");
  if (arguments.has("print") && arguments.has("against"))
    usage_fail("study",
               "--print shows one step: leave out --against, or --print for a page of two");
  const Studied studied = record(what, arguments, "set");
  const study::Recording& recording = studied.recording;
  if (arguments.has("print")) {
    study::print_walk(recording, std::cout);
    return 0;
  }
  std::optional<Studied> other;
  if (const auto against = arguments.text("against"))
    other = record(*against, arguments, "against-set", &studied);
  if (other && !other->recording.input_differs.empty())
    std::cerr << "tarsier: note: each of the two sees its own first example, because "
              << other->recording.input_differs << "\n";
  const std::string out = arguments.text("out").value_or("study.html");
  const std::string page = study::study_page(recording, other ? &other->recording : nullptr);
  write_file_atomically(out, page);
  std::cout << "Wrote " << out << " (" << fixed(static_cast<double>(page.size()) / 1e6, 1)
            << " MB): " << recording.step.items << ", "
            << counted(static_cast<int64_t>(recording.nodes.size()), "node") << ", loss "
            << fixed(recording.step.loss, 4) << ". Open it in a browser.\n";
  return 0;
}

}  // namespace

Command study_command() {
  CommandSpec spec;
  spec.name = "study";
  spec.arguments = "MODEL|DIR";
  spec.min_arguments = spec.max_arguments = 1;
  spec.summary = "write a page that steps through one training step, with all its numbers";
  spec.options = {
      {"out", "FILE", "the page; default: study.html"},
      {"data", "PATH", "file or folder to learn from; default: as for train, or the run's"},
      {"set", "KEY=VALUE", "change a setting of a new model", true},
      {"seed", "N", "seed of a new model; default: 1"},
      {"tokens", "N", "tokens of the text that is studied; default: 16"},
      {"module", "PATH", "only this module, such as transformer.h.0"},
      {"against", "MODEL|DIR", "compare with this model or run, on the same input"},
      {"against-set", "KEY=VALUE", "change a setting of the model that --against names", true},
      {"proof", "SECONDS", "time for checking gradients by differences; default: 3, 0: none"},
      {"print", "", "print the walk as text, without a page (--text is a column of data)"},
      threads_option(),
  };
  const std::vector<OptionSpec> data_options = task_options(&Task::data_options);
  spec.options.insert(spec.options.begin() + 2, data_options.begin(), data_options.end());
  spec.details =
      "With a MODEL, the first step of a new one; with the DIR of a run, the next step that it "
      "would "
      "do. The page shows the tape as a graph, every value and gradient, the rule of every "
      "backward "
      "with its numbers, the attention, and what the optimiser did. It needs no network. Two "
      "variants: tarsier study gpt --against gpt --against-set norm=rms.";
  return {spec, run};
}

}  // namespace tarsier::zoo
