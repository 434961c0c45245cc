// How long files and functions may be.
#include <doctest/doctest.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "autograd/base/error.h"
#include "tests/data.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

constexpr size_t kMostInFile = 450, kMostInFunction = 60;

Lines lines_of(const fs::path& file) {
  Lines lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// The sources below `folders`, with their names from the root of the tree.
std::vector<std::pair<std::string, Lines>> sources(std::initializer_list<const char*> folders) {
  std::vector<std::pair<std::string, Lines>> all;
  for (const char* folder : folders)
    for (const auto& entry : fs::recursive_directory_iterator(source_file(folder))) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cpp") continue;
      const fs::path name = entry.path().lexically_relative(source_file(""));
      all.emplace_back(name.generic_string(), lines_of(entry.path()));
    }
  return all;
}

/// How many braces a line opens, less those that it closes; not those in literals and comments.
int braces(const std::string& line) {
  int depth = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool separator =
        c == '\'' && i > 0 && std::isalnum(static_cast<unsigned char>(line[i - 1]));
    if (c == '"' || (c == '\'' && !separator)) {
      while (++i < line.size() && line[i] != c)
        if (line[i] == '\\') ++i;
    } else if (line.compare(i, 2, "//") == 0) {
      break;
    } else {
      depth += c == '{' ? 1 : c == '}' ? -1 : 0;
    }
  }
  return depth;
}

/// Whether a line ends with the brace of a block of code, and not of a type or of data.
bool opens_block(const std::string& line) {
  if (!line.ends_with('{') || line.ends_with("= {") || line.ends_with("{{")) return false;
  const std::string text = line.substr(line.find_first_not_of(' '));
  for (const char* other :
       {"namespace", "struct", "class", "enum", "template", "extern", "@", "//"})
    if (text.starts_with(other)) return false;
  return true;
}

struct Block {
  std::string where;  // "line 2:   int f() {"
  size_t lines = 0;
};

/// The longest block: where there is a function, that is one.
Block longest_block(const Lines& lines) {
  Block longest;
  for (size_t begin = 0; begin < lines.size(); ++begin) {
    if (!opens_block(lines[begin])) continue;
    int depth = 1;
    size_t end = begin;
    while (depth > 0 && ++end < lines.size()) depth += braces(lines[end]);
    if (end - begin + 1 > longest.lines)
      longest = {concat("line ", begin + 1, ": ", lines[begin]), end - begin + 1};
  }
  return longest;
}

TEST_CASE("no file has more than 450 lines") {
  const auto files = sources({"autograd", "nn", "optim", "zoo", "tests", "bench"});
  CHECK(files.size() > 400);
  for (const auto& [name, lines] : files)
    CHECK_MESSAGE(lines.size() <= kMostInFile, name, " has ", lines.size(), " lines");
}

TEST_CASE("no function has more than 60 lines") {
  const Lines known = {"struct S {",
                       "  int f(int x,",
                       "        int y) {",
                       "    if (x > 1'000) {",
                       "      g('{', \"}\");  // }",
                       "    }",
                       "    return 1;",
                       "  }",
                       "};",
                       "int x = {"};
  CHECK(longest_block(known).lines == 6);
  CHECK(longest_block(known).where == "line 3:         int y) {");

  for (const auto& [name, lines] : sources({"autograd", "nn", "optim", "zoo"})) {
    const Block longest = longest_block(lines);
    CHECK_MESSAGE(longest.lines <= kMostInFunction, name, ", ", longest.where, " has ",
                  longest.lines, " lines");
  }
}

}  // namespace
}  // namespace tarsier
