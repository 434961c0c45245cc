#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>

#include "autograd/base/parallel.h"
#include "zoo/base/format.h"
#include "zoo/base/usage_error.h"
#include "zoo/cli/commands.h"
#include "zoo/cli/interrupt.h"
#include "zoo/cli/streams.h"
#include "zoo/cli/threads.h"
#include "zoo/compare/results.h"
#include "zoo/data/text.h"

namespace tarsier::zoo {

namespace {

using compare::Outcome;
using compare::Run;

constexpr const char* kOut = "runs/compare";
constexpr const char* kDistances = "16,64,256,1024";
constexpr int64_t kLongest = 16'384;

/// "a,b" as {"a", "b"}.
std::vector<std::string> parts_of(const std::string& list) {
  std::vector<std::string> parts(1);
  for (const char c : list) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

/// Those of `all` that an option names, in the order of `all`; all of them without the option.
template <class Kind>
std::vector<Kind> chosen(const std::vector<Kind>& all, const Arguments& arguments,
                         const std::string& option) {
  const auto given = arguments.text(option);
  if (!given) return all;
  std::vector<std::string> known;
  for (const Kind& kind : all) known.push_back(kind.name);
  const std::vector<std::string> names = parts_of(*given);
  for (const std::string& name : names)
    if (std::ranges::find(known, name) == known.end())
      usage_fail("compare", "--", option, " has no '", name, "'", among(name, known));
  std::vector<Kind> out;
  for (const Kind& kind : all)
    if (std::ranges::find(names, kind.name) != names.end()) out.push_back(kind);
  return out;
}

/// The distances, from the shortest to the longest.
std::set<int64_t> distances_of(const Arguments& arguments,
                               const std::vector<compare::SyntheticTask>& tasks) {
  int64_t least = 1;
  for (const compare::SyntheticTask& task : tasks) least = std::max(least, task.least_distance);
  std::set<int64_t> out;
  for (const std::string& part : parts_of(arguments.text("distances").value_or(kDistances)))
    out.insert(parse_integer("compare", "--distances", part, least, kLongest));
  return out;
}

/// All runs, short distances first: what is there after an interruption compares all models.
std::vector<Run> planned(const Arguments& arguments, const compare::Recipe& recipe) {
  const auto tasks = chosen(compare::synthetic_tasks(), arguments, "task");
  const auto models = chosen(compare::model_kinds(), arguments, "models");
  const std::set<int64_t> distances = distances_of(arguments, tasks);
  std::vector<Run> runs;
  const auto add = [&](int64_t distance, bool few) {
    for (const compare::SyntheticTask& task : tasks)
      for (const compare::ModelKind& model : models)
        runs.push_back({task.name, model.name, distance, few});
  };
  for (const int64_t distance : distances) {
    add(distance, false);
    if (distance == *distances.begin() && recipe.examples > 0) add(distance, true);
  }
  return runs;
}

std::string described(const Run& run, const compare::Recipe& recipe) {
  return concat(run.task, ", distance ", with_commas(run.distance), ", ", run.model,
                run.few ? concat(", ", with_commas(recipe.examples), " sequences") : std::string());
}

std::string described(const Outcome& outcome) {
  return concat(fixed(100 * outcome.accuracy, 1), " % after ", counted(outcome.steps, "step"), ", ",
                with_commas(static_cast<int64_t>(outcome.tokens_per_second())), " tokens/s, ",
                as_duration(outcome.seconds));
}

size_t columns(const std::string& text) { return static_cast<size_t>(count_characters(text)); }

/// The rows under the head, in columns.
void print_table(const compare::Table& table) {
  std::vector<size_t> widths(table.head.size());
  const auto measure = [&](const std::vector<std::string>& row) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  };
  measure(table.head);
  for (const auto& row : table.rows) measure(row);
  const auto print = [&](const std::vector<std::string>& row) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - columns(row[i]), ' ');
      std::cout << "  " << (i < 2 ? row[i] + space : space + row[i]);
    }
    std::cout << "\n";
  };
  print(table.head);
  for (const auto& row : table.rows) print(row);
}

int run(const Arguments& arguments, const std::string&) {
  ignore_broken_pipes();
  set_threads(arguments);
  compare::Recipe recipe;
  recipe.steps = arguments.integer("steps", 1, 1'000'000).value_or(recipe.steps);
  recipe.examples = arguments.integer("examples", 0, 1'000'000).value_or(recipe.examples);
  recipe.seed = static_cast<uint64_t>(
      arguments.integer("seed", 0).value_or(static_cast<int64_t>(recipe.seed)));
  const std::vector<Run> runs = planned(arguments, recipe);
  const std::string out = arguments.text("out").value_or(kOut);
  compare::Results results(out, recipe);
  std::cout << counted(static_cast<int64_t>(runs.size()), "run") << " of at most "
            << with_commas(recipe.steps) << " steps of " << recipe.batch << " sequences, on "
            << counted(num_threads(), "thread") << std::endl;

  const InterruptGuard guard;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (const Outcome* done = results.find(runs[i])) {
      std::cout << described(runs[i], recipe) << ": " << described(*done) << ", already done\n";
      continue;
    }
    std::cout << described(runs[i], recipe) << ": " << std::flush;
    const auto outcome = compare::train(
        runs[i], recipe, [] { return InterruptGuard::requested() || nobody_listens(); });
    if (!outcome) {
      std::cout << std::endl;
      std::cerr << "Interrupted after " << i << " of " << runs.size() << " runs, which are kept in "
                << out << ". The same command continues." << std::endl;
      return 1;
    }
    results.add(*outcome);
    std::cout << described(*outcome) << std::endl;
  }
  results.write();
  std::cout << "\nRight answers in %, at distance:\n";
  print_table(compare::accuracy_table(results.outcomes()));
  std::cout << "\nSpeed and memory in training, at distance:\n";
  print_table(compare::cost_table(results.outcomes()));
  std::cout << "\nWrote " << out << "/report.html, with curves of accuracy, speed and memory.\n";
  return 0;
}

}  // namespace

Command compare_command() {
  CommandSpec spec;
  spec.name = "compare";
  spec.summary = "train attention, LSTM, GRU and convolution on the same tasks, and compare them";
  spec.options = {
      {"task", "NAMES", "copy, recall, sum, or several with commas; default: all"},
      {"models", "NAMES", "attention, lstm, gru, convolution, or several; default: all"},
      {"distances", "N,N,…", concat("how far back the answers lie; default: ", kDistances)},
      {"steps", "N", "at most, for each run; default: 600"},
      {"examples", "N", "sequences in the runs on few sequences; 0: none; default: 256"},
      {"seed", "N", "seed of weights and sequences; default: 1"},
      {"out", "DIR", concat("folder of report.html and results.json; default: ", kOut)},
      threads_option(),
  };
  spec.details =
      "All models have about 27,000 parameters, the same optimiser and learning rate. A run stops "
      "when it solves its task, or still guesses after 200 steps. The report has accuracy, speed "
      "and memory against the distance, next to what is said of attention. Runs that are in DIR "
      "are not repeated: Ctrl-C loses only the current one, and more tasks, models and distances "
      "can be added later, with the same steps, examples and seed.";
  return {spec, run};
}

}  // namespace tarsier::zoo
