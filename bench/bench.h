#pragma once
// Shared by the benchmark files: suites that register themselves when the program starts, and
// tables of medians that are printed at its end.

#include <map>
#include <string>

namespace tarsier::bench {

/// The medians of every benchmark that ran: of its counter "flops" (per second), if it has one, and
/// of its time in seconds. Names are those of the registration.
struct Medians {
  std::map<std::string, double> flops, seconds;

  /// The number under `name`, or 0 if it was not run.
  static double get(const std::map<std::string, double>& from, const std::string& name) {
    const auto found = from.find(name);
    return found == from.end() ? 0 : found->second;
  }
  /// Whether any benchmark ran whose name begins with `prefix`.
  bool ran(const std::string& prefix) const {
    const auto found = seconds.lower_bound(prefix);
    return found != seconds.end() && found->first.starts_with(prefix);
  }
};

/// A file's benchmarks: `add` registers them, `print` shows their table. Define one per file, as a
/// global. Files that need no table use BENCHMARK() alone.
struct Suite {
  Suite(void (*add)(), void (*print)(const Medians&));
};

}  // namespace tarsier::bench
