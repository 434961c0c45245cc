// Who includes whom: no two files depend on each other, and dependencies run one way.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/data.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

/// A header and its source are one unit: "autograd/tape/tape". A kernel is a unit of its own:
/// "autograd/ops/norm/norm.kernel".
using Includes = std::map<std::string, std::set<std::string>>;

std::string unit_of(const fs::path& file) {
  return fs::path(file).replace_extension().generic_string();
}

Includes read_includes() {
  Includes includes;
  const fs::path root = source_file("");
  for (const char* folder : {"autograd", "nn", "optim", "zoo"}) {
    for (const auto& entry : fs::recursive_directory_iterator(source_file(folder))) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cpp") continue;
      const fs::path file = entry.path().lexically_relative(root);
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) {
        const std::string start = "#include \"";
        if (line.rfind(start, 0) != 0) continue;
        const std::string name =
            line.substr(start.size(), line.find('"', start.size()) - start.size());
        const fs::path near = (file.parent_path() / name).lexically_normal();
        const std::string other = unit_of(fs::exists(root / near) ? near : fs::path(name));
        if (other != unit_of(file)) includes[unit_of(file)].insert(other);
      }
    }
  }
  return includes;
}

/// The units on a cycle through `from`, in order; empty if there is none.
std::vector<std::string> cycle_through(const std::string& from, const Includes& includes) {
  std::map<std::string, std::string> came_from;
  std::vector<std::string> stack = {from};
  while (!stack.empty()) {
    const std::string unit = stack.back();
    stack.pop_back();
    const auto found = includes.find(unit);
    if (found == includes.end()) continue;
    for (const std::string& next : found->second) {
      if (next == from) {
        std::vector<std::string> cycle = {unit};
        while (cycle.back() != from) cycle.push_back(came_from.at(cycle.back()));
        return {cycle.rbegin(), cycle.rend()};
      }
      if (came_from.emplace(next, unit).second) stack.push_back(next);
    }
  }
  return {};
}

std::string joined(const std::vector<std::string>& units) {
  std::string text;
  for (const std::string& unit : units) text += unit + " -> ";
  return text;
}

/// The layers from the bottom to the top: a file includes its own layer and those before it.
const std::vector<std::vector<std::string>> kLayers = {
    {"autograd/base/"},
    {"autograd/simd/"},
    {"autograd/tensor/"},
    {"autograd/loops/"},
    {"autograd/tape/"},
    {"autograd/ops", "autograd/io/"},
    {"autograd/check/", "autograd/functional/", "autograd/autograd"},
    {"nn/", "optim/"},
    {"zoo/"}};

int layer_of(const std::string& unit) {
  for (size_t layer = 0; layer < kLayers.size(); ++layer)
    for (const std::string& start : kLayers[layer])
      if (unit.rfind(start, 0) == 0) return static_cast<int>(layer);
  return -1;
}

TEST_CASE("no two files depend on each other") {
  const Includes known = {{"a", {"b"}}, {"b", {"c"}}, {"c", {"b"}}};
  CHECK(cycle_through("a", known).empty());
  CHECK(joined(cycle_through("b", known)) == "b -> c -> ");

  const Includes includes = read_includes();
  CHECK(includes.size() > 200);
  for (const auto& [unit, others] : includes)
    CHECK_MESSAGE(cycle_through(unit, includes).empty(), joined(cycle_through(unit, includes)));
}

TEST_CASE(
    "dependencies run one way: base, simd, tensor, loops, tape, ops, check, nn and optim, zoo") {
  CHECK(layer_of("autograd/tape/tape") < layer_of("autograd/ops/norm/norm.kernel"));
  CHECK(layer_of("elsewhere") == -1);
  for (const auto& [unit, others] : read_includes()) {
    CHECK_MESSAGE(layer_of(unit) >= 0, unit, " is in no layer");
    for (const std::string& other : others) {
      CHECK_MESSAGE(layer_of(other) <= layer_of(unit), unit, " includes ", other,
                    ", which is above it");
      CHECK_MESSAGE(!(unit.rfind("optim/", 0) == 0 && other.rfind("nn/", 0) == 0), unit,
                    " includes ", other, ": optim does not know nn");
      CHECK_MESSAGE(!(unit.rfind("nn/", 0) == 0 && other.rfind("optim/", 0) == 0), unit,
                    " includes ", other, ": nn does not know optim");
    }
  }
}

}  // namespace
}  // namespace tarsier
