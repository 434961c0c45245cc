#include "autograd/base/call_site.h"

#include <algorithm>
#include <filesystem>
#include <string_view>

namespace tarsier::detail {
namespace {

/// Without "..": relative includes turn nn/module.h into zoo/../nn/module.h.
std::string normal(const char* file) {
  return std::filesystem::path(file).lexically_normal().generic_string();
}

/// "/home/me/tarsier/" if this file is /home/me/tarsier/autograd/base/call_site.cpp. Compilers may
/// write paths differently, but within one build they write all in the same way.
std::string source_root() {
  const std::string file = normal(SourceLine::current().file_name());
  return file.substr(0, file.size() - std::string_view("autograd/base/call_site.cpp").size());
}

}  // namespace

bool in_library(const SourceLine& at) {
  static const std::string root = source_root();
  const std::string file = normal(at.file_name());
  for (const char* folder : {"autograd/", "nn/", "optim/"}) {
    // Headers may be installed: include/tarsier/nn/module.h.
    if (file.starts_with(root + folder)) return true;
    if (file.find(std::string("/include/tarsier/") + folder) != file.npos) return true;
  }
  return false;
}

std::string called_at() {
  const int size = std::min(call_stack.size, CallStack::kKept);
  for (int i = size - 1; i >= 0; --i) {
    const SourceLine& at = call_stack.at[i];
    if (in_library(at)) continue;
    return std::string(" (called at ") + at.file_name() + ":" + std::to_string(at.line()) + ")";
  }
  return "";
}

}  // namespace tarsier::detail
