// The benchmark program: Google Benchmark with options for a busy machine, and tables.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "bench/bench.h"

namespace tarsier::bench {
namespace {

struct Entry {
  void (*add)();
  void (*print)(const Medians&);
};
std::vector<Entry>& suites() {
  static std::vector<Entry> all;
  return all;
}

/// Prints runs as usual, and keeps the medians for the tables.
class MedianReporter : public benchmark::ConsoleReporter {
 public:
  MedianReporter() : ConsoleReporter(OO_Tabular) {}
  void ReportRuns(const std::vector<Run>& runs) override {
    std::vector<Run> shown;
    for (const Run& run : runs) {
      if (run.aggregate_name != "median" && run.run_type == Run::RT_Aggregate) continue;
      shown.push_back(run);
      const std::string& name = run.run_name.function_name;
      const auto flops = run.counters.find("flops");
      if (flops != run.counters.end()) medians.flops[name] = flops->second;
      medians.seconds[name] =
          run.GetAdjustedRealTime() / benchmark::GetTimeUnitMultiplier(run.time_unit);
    }
    ConsoleReporter::ReportRuns(shown);
  }

  Medians medians;
};

int run(int argc, char** argv) {
  // Many short runs in random order, so that changes of the machine's load affect all alike.
  std::vector<std::string> words = {
      argv[0], "--benchmark_min_time=0.01", "--benchmark_repetitions=15",
      "--benchmark_enable_random_interleaving=true", "--benchmark_report_aggregates_only=true"};
  words.insert(words.end(), argv + 1, argv + argc);  // later options override earlier ones
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
  for (const Entry& suite : suites()) suite.add();
  MedianReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  for (const Entry& suite : suites()) suite.print(reporter.medians);
  return 0;
}

}  // namespace

Suite::Suite(void (*add)(), void (*print)(const Medians&)) { suites().push_back({add, print}); }

}  // namespace tarsier::bench

int main(int argc, char** argv) {
  // One thread for every library. OpenMP reads this before main, so the program restarts itself.
  if (std::getenv("OMP_NUM_THREADS") == nullptr) {
    setenv("OMP_NUM_THREADS", "1", 1);
    execv("/proc/self/exe", argv);  // returns only if there is no such file
  }
  try {
    return tarsier::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
