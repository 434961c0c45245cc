// Headers work in the tree and installed, whatever folders are on a user's search path, because
// they include each other by relative paths. (Sources use the full path.)
#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "tests/data.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

/// "" if #include "name" in `header` finds a file relative to it; otherwise what is wrong.
std::string wrong_include(const fs::path& header, const std::string& name) {
  if (fs::exists(header.parent_path() / name)) return "";
  if (!fs::exists(source_file(name))) return "there is no such file";
  return "write \"" + fs::relative(source_file(name), header.parent_path()).generic_string() + "\"";
}

TEST_CASE("headers include each other by paths relative to themselves") {
  CHECK(wrong_include(source_file("nn/nn.h"), "module.h") == "");
  CHECK(wrong_include(source_file("nn/nn.h"), "nn/module.h") == "write \"module.h\"");
  CHECK(wrong_include(source_file("nn/nn.h"), "autograd/ops.h") == "write \"../autograd/ops.h\"");
  int seen = 0;
  for (const char* folder : {"autograd", "nn", "optim", "zoo"}) {
    for (const auto& entry : fs::recursive_directory_iterator(source_file(folder))) {
      if (entry.path().extension() != ".h") continue;
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) {
        const std::string start = "#include \"";
        if (line.rfind(start, 0) != 0) continue;
        const std::string name =
            line.substr(start.size(), line.find('"', start.size()) - start.size());
        const std::string wrong = wrong_include(entry.path(), name);
        CHECK_MESSAGE(wrong.empty(), entry.path().string(), ": \"", name, "\": ", wrong);
        ++seen;
      }
    }
  }
  CHECK(seen > 100);
}

}  // namespace
}  // namespace tarsier
