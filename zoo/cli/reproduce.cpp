#include "zoo/task/reproduce.h"

#include <iostream>
#include <set>

#include "zoo/base/format.h"
#include "zoo/base/usage_error.h"
#include "zoo/cli/commands.h"
#include "zoo/cli/console.h"
#include "zoo/cli/interrupt.h"
#include "zoo/cli/streams.h"
#include "zoo/cli/threads.h"
#include "zoo/task/models.h"

namespace tarsier::zoo {

namespace {

/// "BLEU ≥ 36.10"
std::string mark_text(const Metric& bound) {
  return concat(bound.name, bound.higher_is_better ? " ≥ " : " ≤ ", bound.text());
}

/// "mnist/, multi30k/, …": the folders that hold the data of all rows.
std::string data_folders() {
  std::set<std::string> folders;
  for (const ReproduceRow& row : reproduce_rows())
    if (!row.data.empty()) folders.insert(row.data.substr(0, row.data.find('/')));
  std::string text;
  for (const std::string& folder : folders) text += concat(text.empty() ? "" : ", ", folder, "/");
  return text;
}

void print_rows(const std::vector<ReproduceRow>& rows) {
  for (const ReproduceRow& row : rows) {
    std::cout << row.name << "\n"
              << "  model      " << row.model << ", takes " << find_model(row.model).takes << "\n"
              << "  data       " << (row.data.empty() ? "its own" : "DIR/" + row.data) << "\n";
    for (const Mark& mark : row.marks)
      std::cout << "  mark       " << mark_text(mark.bound) << "\n"
                << "  published  " << wrapped(mark.published, 13);
  }
}

/// The row of that name among `rows`. Throws UsageError that lists them.
ReproduceRow find_row(const std::vector<ReproduceRow>& rows, const std::string& name) {
  std::vector<std::string> names;
  for (const ReproduceRow& row : rows) {
    if (row.name == name) return row;
    names.push_back(row.name);
  }
  usage_fail("reproduce", "there is no row '", name, "'", among(name, names, "There are"));
}

/// Runs one seed of a row, after the rows among `all` that its evaluation needs, with seed 1. Empty
/// if it was interrupted.
std::optional<SeedResult> run_seed(const Reproduction& reproduction, const ReproduceRow& row,
                                   const std::vector<ReproduceRow>& all, uint64_t seed,
                                   bool quiet) {
  if (const auto done = reproduction.finished(row, seed)) return done;
  for (const auto& [option, needed] : row.runs)
    if (!run_seed(reproduction, find_row(all, needed), all, 1, quiet)) return {};
  const InterruptGuard guard;
  const auto stop = [] { return InterruptGuard::requested() || nobody_listens(); };
  const std::unique_ptr<Task> task = reproduction.prepare(row, seed);
  if (quiet) {
    TrainObserver silence;
    return reproduction.run(row, *task, seed, stop, silence);
  }
  ConsoleProgress progress(std::cout, stdout_is_terminal(), task->items());
  try {
    const auto result = reproduction.run(row, *task, seed, stop, progress);
    progress.finish();
    return result;
  } catch (...) {
    progress.finish();
    throw;
  }
}

int run(const Arguments& arguments, const std::string&) {
  const std::vector<ReproduceRow>& all = reproduce_rows();
  const auto& words = arguments.positional();
  const std::vector<ReproduceRow> rows =
      words.empty() ? all : std::vector<ReproduceRow>{find_row(all, words[0])};
  if (arguments.has("list")) {
    print_rows(rows);
    return 0;
  }
  ignore_broken_pipes();
  set_threads(arguments);
  const int64_t seeds = arguments.integer("seeds", 1, 1000).value_or(3);
  const Reproduction reproduction(arguments.text("data").value_or(""),
                                  arguments.text("out").value_or("runs/reproduce"));
  reproduction.check_data(rows);
  return reproduce(reproduction, rows, all, seeds, arguments.has("quiet"));
}

/// What one seed reached, a line for each mark: "accuracy 99.00 % in 3:40".
void print_seed(const ReproduceRow& row, const SeedResult& result) {
  for (size_t i = 0; i < row.marks.size(); ++i) {
    Metric measured = row.marks[i].bound;
    measured.value = result.values[i];
    std::cout << "  " << measured.line() << " in " << as_duration(result.seconds) << std::endl;
  }
}

/// Prints a line for each mark of a row. Returns whether all are reached.
bool print_marks(const ReproduceRow& row, const RowResult& result) {
  bool all_pass = true;
  for (size_t i = 0; i < row.marks.size(); ++i) {
    const auto& [bound, published] = row.marks[i];
    const MarkResult reached = result.of(i);
    const bool passes = reached.passes(bound);
    all_pass = all_pass && passes;
    std::cout << row.name << ": " << bound.name << " " << reached.text(bound) << ", "
              << counted(static_cast<int64_t>(result.seeds.size()), "seed") << ", "
              << fixed(result.minutes(), 1) << " minutes each; mark " << mark_text(bound) << ": "
              << (passes ? "pass" : "FAIL") << "; published: " << published << std::endl;
  }
  return all_pass;
}

}  // namespace

int reproduce(const Reproduction& reproduction, const std::vector<ReproduceRow>& rows,
              const std::vector<ReproduceRow>& table, int64_t seeds, bool quiet) {
  if (!quiet) {
    print_rows(rows);
    std::cout << std::endl;
  }
  bool all_pass = true;
  for (const ReproduceRow& row : rows) {
    RowResult result;
    for (int64_t number = 1; number <= seeds; ++number) {
      const auto seed = static_cast<uint64_t>(number);
      if (!quiet) std::cout << row.name << ", seed " << seed << " of " << seeds << std::endl;
      const auto one = run_seed(reproduction, row, table, seed, quiet);
      if (!one) {
        std::cerr << "Interrupted. Finished work is kept in " << reproduction.out()
                  << "; run the same command to continue." << std::endl;
        return 1;
      }
      result.seeds.push_back(*one);
      if (!quiet) print_seed(row, *one);
      write_file_atomically(reproduction.out() + "/table.md", reproduction.table(table));
    }
    all_pass = print_marks(row, result) && all_pass;
  }
  std::cout << "Table of all finished rows: " << reproduction.out() << "/table.md" << std::endl;
  return all_pass ? 0 : 1;
}

Command reproduce_command() {
  CommandSpec spec;
  spec.name = "reproduce";
  spec.arguments = "[ROW]";
  spec.max_arguments = 1;
  spec.summary = "train models and compare them with published results";
  spec.options = {
      {"data", "DIR", "the folder that holds " + data_folders()},
      {"seeds", "N", "runs of each row, with the seeds 1 to N; default: 3"},
      {"out", "DIR", "where the runs are kept; default: runs/reproduce"},
      {"list", "", "only print the rows, with their marks and data"},
      threads_option(),
      {"quiet", "", "print one line per mark"},
  };
  spec.details =
      "Trains one row, or all of them, each seed in a folder of its own; evaluates the weights "
      "that were best on the validation split, once, on the test split; and prints mean ± standard "
      "deviation, minutes, mark and published figure. The exit code is 1 if a mark is missed. "
      "Finished runs are not repeated, and interrupted ones (Ctrl-C) continue. table.md, "
      "next to the runs, lists all finished rows.";
  return {spec, run};
}

}  // namespace tarsier::zoo
