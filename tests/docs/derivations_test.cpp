// autograd/DERIVATIONS.md leads from formulas to lines of code, as
//   - `function` in `file`: `code`, `code` and `code`
// Are these functions in these files, and is that code in these functions?
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include "tests/data.h"

namespace tarsier {
namespace {

struct Reference {
  std::string line, function, file;
  std::vector<std::string> code;
};

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// The list items that begin with code.
std::vector<Reference> references_in(const std::vector<std::string>& lines) {
  static const std::regex item("- `(\\w+)` in `([^`]+)`(.*)"), quote("`([^`]+)`");
  std::vector<Reference> references;
  for (const std::string& line : lines) {
    if (line.rfind("- `", 0) != 0) continue;
    Reference reference{line, "", "", {}};
    std::smatch match;
    if (std::regex_match(line, match, item)) {
      reference.function = match[1];
      reference.file = match[2];
      const std::string rest = match[3];
      for (std::sregex_iterator it(rest.begin(), rest.end(), quote), end; it != end; ++it)
        reference.code.push_back((*it)[1]);
    }
    references.push_back(reference);
  }
  return references;
}

std::string without_spaces(std::string text) {
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == ' '; }), text.end());
  return text;
}

/// The definitions of `function`, without spaces: from its name, on a line that is neither indented
/// nor a comment, to the next line that begins with a brace.
std::vector<std::string> bodies_of(const std::string& function,
                                   const std::vector<std::string>& lines) {
  const std::regex definition("[^ /#].*\\b" + function + "\\(.*");
  std::vector<std::string> bodies;
  bool inside = false;
  for (const std::string& line : lines) {
    if (!inside && std::regex_match(line, definition)) {
      if (line.back() == ';') continue;  // declared, not defined
      bodies.emplace_back();
      inside = true;
    }
    if (inside) bodies.back() += without_spaces(line);
    if (line.rfind('}', 0) == 0) inside = false;
  }
  return bodies;
}

/// "" if the reference is true, otherwise what is wrong with it.
std::string wrong_with(const Reference& reference, const std::filesystem::path& folder) {
  if (reference.function.empty()) return "expected: `function` in `file`: `code`";
  if (!std::filesystem::exists(folder / reference.file)) return reference.file + " does not exist";
  const std::vector<std::string> bodies =
      bodies_of(reference.function, lines_of(folder / reference.file));
  if (bodies.empty()) return reference.file + " has no function " + reference.function;
  if (reference.code.empty()) return "no code is quoted";
  for (const std::string& code : reference.code)
    if (std::none_of(bodies.begin(), bodies.end(), [&](const std::string& body) {
          return body.find(without_spaces(code)) != std::string::npos;
        }))
      return reference.function + " has no " + code;
  return "";
}

TEST_CASE("wrong references to code are found") {
  const std::filesystem::path folder = source_file("autograd");
  const auto wrong = [&](const std::string& line) {
    const std::vector<Reference> references = references_in({line});
    REQUIRE(references.size() == 1);
    return wrong_with(references[0], folder);
  };
  const std::string file = "` in `tape/accumulate.cpp`: `";
  CHECK(wrong("- `sum_to_shape" + file + "return  gradient;`") == "");
  CHECK(wrong("- `sum_to_shape" + file + "return total;`") != "");  // in another function
  CHECK(wrong("- `sum_to_shap" + file + "return gradient;`") != "");
  CHECK(wrong("- `is_defined" + file + "return gradient;`") != "");
  CHECK(wrong("- `sum_to_shape` in `tape/no.cpp`: `return gradient;`") != "");
  CHECK(wrong("- `sum_to_shape` in `tape/accumulate.cpp`") != "");
  CHECK(wrong("- `sum_to_shape`: `return gradient;`") != "");
  CHECK(references_in({"text `sum_to_shape` in `tape/accumulate.cpp`", "- text"}).empty());
}

TEST_CASE("DERIVATIONS.md quotes code that exists") {
  const std::filesystem::path folder = source_file("autograd");
  const std::vector<Reference> references = references_in(lines_of(folder / "DERIVATIONS.md"));
  CHECK(references.size() >= 30);
  for (const Reference& reference : references) {
    const std::string wrong = wrong_with(reference, folder);
    CHECK_MESSAGE(wrong.empty(), reference.line, ": ", wrong);
  }
}

}  // namespace
}  // namespace tarsier
