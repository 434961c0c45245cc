#include "zoo/data/splits.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "autograd/base/error.h"
#include "zoo/data/lines.h"

namespace tarsier::zoo {

namespace fs = std::filesystem;

const std::vector<std::string>& train_names() {
  static const std::vector<std::string> names{"train"};
  return names;
}

const std::vector<std::string>& validation_names() {
  static const std::vector<std::string> names{"val", "valid", "validation", "dev"};
  return names;
}

const std::vector<std::string>& test_names() {
  static const std::vector<std::string> names{"test"};
  return names;
}

std::string table_in(const std::string& folder, const std::vector<std::string>& names,
                     const std::string& before) {
  for (const std::string& name : names)
    for (const char* ending : {".tsv", ".csv"}) {
      const std::string path = (fs::path(folder) / concat(before, name, ending)).string();
      if (file_exists(path)) return path;
    }
  return "";
}

std::vector<std::string> tables_in(const std::string& folder) {
  std::vector<std::string> out;
  for (const std::string& name : names_in(folder)) {
    const fs::path path = fs::path(folder) / name;
    if (path.extension() == ".tsv" || path.extension() == ".csv") out.push_back(path.string());
  }
  return out;
}

std::string find_file(const std::string& folder, const std::string& name,
                      const std::vector<std::string>& below,
                      const std::vector<std::string>& endings) {
  std::string slashes = name;
  std::replace(slashes.begin(), slashes.end(), '\\', '/');
  std::vector<std::string> written{name, slashes};
  for (const std::string& ending : endings) written.push_back(slashes + ending);
  for (const std::string& one : written) {
    if (const fs::path path = fs::path(folder) / one; file_exists(path.string()))
      return path.string();
    for (const std::string& between : below)
      if (const fs::path path = fs::path(folder) / between / one; file_exists(path.string()))
        return path.string();
  }
  return "";
}

std::vector<int> parts_by_label(const std::vector<std::string>& labels, RandomKey key) {
  std::map<std::string, std::vector<size_t>> members;  // examples of each label, shuffled
  for (const int64_t i : permutation(static_cast<int64_t>(labels.size()), key))
    members[labels[static_cast<size_t>(i)]].push_back(static_cast<size_t>(i));
  // Dealing continues from label to label, so that many small classes give their share as well.
  std::vector<int> part(labels.size(), 0);
  int64_t dealt = 0;
  for (const auto& [label, places] : members)
    for (size_t i = 1; i < places.size(); ++i, ++dealt)
      part[places[i]] = dealt % 10 == 4 ? 1 : dealt % 10 == 9 ? 2 : 0;
  return part;
}

}  // namespace tarsier::zoo
