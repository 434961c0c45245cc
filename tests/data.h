#pragma once
// Where tests find files: the ones beside them, and data that may not be there.

#include <filesystem>
#include <iostream>
#include <string>

namespace tarsier {

/// A file of the repository: source_file("tests/golden/adamw.txt").
inline std::filesystem::path source_file(const std::string& name) {
  return std::filesystem::path(TARSIER_SOURCE_DIR) / name;
}

/// Whether data set `name` of ../shared/data (which is no part of the project) is on this machine;
/// says that the test is skipped where not (tests/run repeats those lines at its end):
///   if (!have_data("tinyshakespeare/input.txt")) return;
inline std::filesystem::path data_file(const std::string& name) {
  return std::filesystem::path(TARSIER_SOURCE_DIR).parent_path() / "shared" / "data" / name;
}
inline bool have_data(const std::string& name) {
  if (std::filesystem::exists(data_file(name))) return true;
  std::cout << "skipped: " << data_file(name).string() << " is missing\n";
  return false;
}

}  // namespace tarsier
