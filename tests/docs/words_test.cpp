// The English of the project: words that we replace by the usual ones, in all of its text files.
#include <doctest/doctest.h>

#include <cctype>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autograd/io/file.h"
#include "tests/data.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

/// What to look for, whole words in lower case, and what to write in its place.
const std::vector<std::pair<std::string_view, const char*>> kWords = {
    {"beside", "next to, with, compared with"},
    {"behind", "after, under"},
    {"anew", "again; recompute, retrain"},
    {"mend", "fix"},
    {"mends", "fixes"},
    {"mended", "fixed"},
    {"inside of", "inside"},
    {"for ever", "forever"},
    {"what one sees", "the result"},
    {"is due", "comes next"},
    {"speaks of", "describes"},
    {", too", "as well, also"},  // before a punctuation mark
};

/// The text in lower case and one line: line breaks, with the comment signs after them, are spaces.
std::string joined(const std::string& text) {
  std::string out;
  bool at_start = false;
  for (const char c : text) {
    if (c == '\n') at_start = true;
    if (at_start && std::string_view("\n\r\t /#*<").find(c) != std::string_view::npos) continue;
    if (at_start) out += ' ';
    at_start = false;
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// "'… made anew': write again; …" for every word of the list in `text`.
std::vector<std::string> found_in(const std::string& text) {
  std::vector<std::string> out;
  const std::string line = joined(text);
  for (const auto& [word, better] : kWords)
    for (size_t at = line.find(word); at != line.npos; at = line.find(word, at + 1)) {
      const char before = at == 0 ? ' ' : line[at - 1];
      const size_t end = at + word.size();
      const char after = end == line.size() ? '.' : line[end];
      const bool found = word == ", too"
                             ? std::string_view(".,;:!?)\"'`").find(after) != std::string_view::npos
                             : !is_letter(before) && !is_letter(after);
      if (!found) continue;
      const size_t begin = at < 30 ? 0 : at - 30;
      out.push_back("'…" + line.substr(begin, end - begin) + "': write " + better);
    }
  return out;
}

/// All sources, scripts and pages of the project, but not this file.
std::vector<fs::path> text_files() {
  static const std::set<std::string> kinds = {".h",     ".cpp", ".md", ".py", ".sh",
                                              ".cmake", ".txt", ".in", ""};
  std::vector<fs::path> out;
  for (const char* folder : {"autograd", "nn", "optim", "zoo", "tests", "bench", "findings", ".ci",
                             ".cmake", ".scripts"})
    for (const auto& entry : fs::recursive_directory_iterator(source_file(folder))) {
      const fs::path& path = entry.path();
      const bool is_data =
          path.string().find("tests/golden") != std::string::npos && path.extension() != ".py";
      if (entry.is_regular_file() && kinds.count(path.extension().string()) != 0 && !is_data &&
          path.filename() != "words_test.cpp")
        out.push_back(path);
    }
  for (const char* file : {"README.md", "CMakeLists.txt"}) out.push_back(source_file(file));
  return out;
}

TEST_CASE("words to replace are found, and others are not") {
  CHECK(found_in("it is\n  // made anew").size() == 1);
  CHECK(found_in("a test, too\n/// few of them").empty());
  CHECK(found_in("this, too.").size() == 1);
  CHECK(found_in("f(a, too); the end, too").size() == 2);
  CHECK(found_in("it runs for\n/// ever").size() == 1);
  CHECK(found_in("too few, besides; a renewed, recommended command, forever").empty());
  CHECK(found_in("Beside it").size() == 1);
}

TEST_CASE("the project's text has the field's usual words") {
  const std::vector<fs::path> files = text_files();
  CHECK(files.size() > 600);
  for (const fs::path& file : files)
    for (const std::string& problem : found_in(read_file(file.string())))
      CHECK_MESSAGE(false, file.string(), ": ", problem);
}

}  // namespace
}  // namespace tarsier
