#include "zoo/export/new_folder.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "autograd/base/error.h"

namespace tarsier::zoo {

namespace fs = std::filesystem;

namespace {

constexpr const char* kName = "export";

/// "runs/gpt" of "runs/gpt//".
std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

NewFolder::NewFolder(const std::string& path)
    : path_(without_slash(path)), place_(concat(path_, ".tmp.", ::getpid())) {
  std::error_code error;
  check(!path.empty(), kName, "the name of the folder is empty");
  check(!fs::exists(fs::symlink_status(path_, error)), kName, "'", path_,
        "' exists already: remove it, or choose another folder with --out");
  fs::remove_all(place_, error);  // of a process that was killed, and had the same number
  fs::create_directories(place_, error);
  check(!error, kName, "cannot make the folder '", place_, "': ", error.message());
}

NewFolder::~NewFolder() {
  std::error_code ignored;
  if (!place_.empty()) fs::remove_all(place_, ignored);
}

void NewFolder::commit() {
  std::error_code error;
  fs::rename(place_, path_, error);
  check(!error, kName, "cannot rename '", place_, "' to '", path_, "': ", error.message());
  place_.clear();
}

}  // namespace tarsier::zoo
