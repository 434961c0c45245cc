#pragma once
// Paths for the tests: files of the tests, programs that they run, and optional data. Only data.cpp
// is compiled with these paths, so that one compiler cache serves many checkouts.

#include <filesystem>
#include <iostream>
#include <string>

namespace tarsier {

/// A file of the repository: source_file("tests/golden/adamw.txt").
std::filesystem::path source_file(const std::string& name);

/// The programs of this build, quoted for a shell: `tarsier` and the smallest example.
std::string tarsier_program();
std::string self_attention_program();

/// Whether data set `name` of ../shared/data (not part of the project) is on this machine. If not,
/// prints that the test is skipped (tests/run repeats these lines at its end):
///   if (!have_data("tinyshakespeare/input.txt")) return;
inline std::filesystem::path data_file(const std::string& name) {
  return source_file("").parent_path().parent_path() / "shared" / "data" / name;
}
inline bool have_data(const std::string& name) {
  if (std::filesystem::exists(data_file(name))) return true;
  std::cout << "skipped: " << data_file(name).string() << " is missing\n";
  return false;
}

}  // namespace tarsier
