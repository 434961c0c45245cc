// Are the READMEs true? The files that they name exist, and their commands work.
// (Their C++ is compiled and run by snippets.cmake.)
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <regex>
#include <sstream>
#include <vector>

#include "tests/data.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolders[] = {"autograd", "nn", "optim", "zoo", "tests", "bench", "findings"};

/// The project's Markdown files, two folders deep.
std::vector<fs::path> readmes() {
  std::vector<fs::path> found = {source_file("README.md")};
  for (const char* folder : kFolders)
    for (const auto& entry : fs::recursive_directory_iterator(source_file(folder)))
      if (entry.path().extension() == ".md") found.push_back(entry.path());
  return found;
}

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// The lines of the blocks ```sh, without comments.
std::vector<std::string> commands_in(const std::string& text) {
  std::vector<std::string> commands;
  std::istringstream lines(text);
  std::string line;
  bool inside = false;
  while (std::getline(lines, line)) {
    if (line.rfind("```", 0) == 0) {
      inside = line == "```sh";
    } else if (inside) {
      line = line.substr(0, line.find(" #"));
      if (!line.empty() && line[0] != '#') commands.push_back(line);
    }
  }
  return commands;
}

/// The text without its code blocks.
std::string prose_of(const std::string& text) {
  std::string prose, line;
  std::istringstream lines(text);
  for (bool inside = false; std::getline(lines, line);) {
    const bool fence = line.rfind("```", 0) == 0;
    if (!inside && !fence) prose += line + '\n';
    if (fence) inside = !inside;
  }
  return prose;
}

/// What a command prints.
std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  for (int c; (c = fgetc(pipe)) != EOF;) text += static_cast<char>(c);
  pclose(pipe);
  return text;
}

/// "" if `command` works in the project's folder; otherwise what is wrong with it.
std::string wrong_with(const std::string& command) {
  std::istringstream stream(command);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  while (!words.empty() && words[0].find('=') != std::string::npos) words.erase(words.begin());
  if (words.empty()) return "";
  const std::string& name = words[0];
  const bool program = name == "build/tarsier" || name == "./build/tarsier" || name == "tarsier";
  const bool script = name == "./zoo/run" || name == "zoo/run";
  if (!program && name.find('/') != std::string::npos) {
    const fs::path file = source_file(name);
    if (name.find("build/") != std::string::npos) return "";  // made by earlier commands
    if (!fs::exists(file)) return name + " does not exist";
    const fs::perms mode = fs::status(file).permissions();
    if ((mode & fs::perms::owner_exec) == fs::perms::none) return name + " is not executable";
  }
  if ((program || script) && words.size() > 1) {
    const std::string quoted = tarsier_program() + " ";
    const std::string help =
        output_of(quoted + (words[1][0] == '-' ? "--help" : words[1] + " --help"));
    for (size_t i = 1; i < words.size(); ++i) {
      const std::string option = words[i].substr(0, words[i].find('='));
      if (option.rfind("--", 0) == 0 && help.find(option) == std::string::npos)
        return option + " is not in the help of " + words[1];
    }
    if (words[1][0] != '-' && output_of(quoted + "--help").find(words[1]) == std::string::npos)
      return "tarsier has no command " + words[1];
  }
  return "";
}

TEST_CASE("commands are taken from sh blocks, and wrong ones are found") {
  CHECK(commands_in("```sh\n# no\n./a b  # c\n```\n./no\n```text\nno\n```\n") ==
        std::vector<std::string>{"./a b "});
  CHECK(wrong_with("./zoo/run train gpt --data x") == "");
  CHECK(wrong_with("A=1 ./tests/run") == "");
  CHECK(wrong_with("./tests/walk") != "");
  CHECK(wrong_with("./zoo/run train gpt --dada x") != "");
  CHECK(wrong_with("build/tarsier trane gpt") != "");
}

TEST_CASE("the commands of the READMEs work") {
  for (const fs::path& readme : readmes())
    for (const std::string& command : commands_in(text_of(readme))) {
      const std::string wrong = wrong_with(command);
      CHECK_MESSAGE(wrong.empty(), readme.string(), ": ", command, ": ", wrong);
    }
}

TEST_CASE("every folder has a README, and what the READMEs link to exists") {
  static const std::regex link(R"(\]\(([^)#:]+)\))");
  for (const char* folder : kFolders)
    CHECK_MESSAGE(fs::exists(source_file(folder) / "README.md"), folder, " has no README");
  for (const auto& entry : fs::directory_iterator(source_file("zoo")))
    if (fs::exists(entry.path() / "model.h"))
      CHECK_MESSAGE(fs::exists(entry.path() / "README.md"), entry.path(), " has no README");
  for (const fs::path& readme : readmes()) {
    const std::string text = prose_of(text_of(readme));
    for (std::sregex_iterator it(text.begin(), text.end(), link), end; it != end; ++it) {
      const std::string target = (*it)[1];
      CHECK_MESSAGE(fs::exists(readme.parent_path() / target), readme.string(), " links to ",
                    target, ", which does not exist");
    }
  }
}

TEST_CASE("READMEs begin with a heading, and only code is indented") {
  // A tool that formats C++ makes such lines of prose.
  for (const fs::path& readme : readmes()) {
    const std::string text = text_of(readme);
    CHECK_MESSAGE(text.starts_with("# "), readme.string(), " does not begin with a heading");
    std::istringstream lines(prose_of(text));
    for (std::string line; std::getline(lines, line);)
      CHECK_MESSAGE(!line.starts_with("    "), readme.string(), ": '", line, "' is indented");
  }
}

/// The paths of all files of the project, each with a slash before it.
std::vector<std::string> project_files() {
  std::vector<std::string> files;
  for (const char* folder : kFolders)
    for (const auto& entry : fs::recursive_directory_iterator(source_file(folder)))
      files.push_back('/' + fs::relative(entry.path(), source_file("")).generic_string());
  return files;
}

TEST_CASE("every finding can be run, and is listed") {
  const std::string readme = text_of(source_file("findings") / "README.md");
  for (const auto& entry : fs::directory_iterator(source_file("findings"))) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".sh" || name == "packages.sh") continue;
    CHECK_MESSAGE(wrong_with("./findings/" + name).empty(), wrong_with("./findings/" + name));
    CHECK_MESSAGE(readme.find("| `" + name + "` |") != readme.npos, name, " is not listed");
    CHECK_MESSAGE(text_of(entry.path()).find("\nneed ") != std::string::npos, name,
                  " pins no package");
  }
}

TEST_CASE("the files that the READMEs name exist") {
  // The end of a path is enough: `matmul/gemm.h`. x.h and x_test.cpp stand for any name, and
  // main.cpp is the reader's.
  static const std::regex file(R"(`([a-z_]+/)*[a-z_0-9]+\.(h|cpp|cmake|py|sh)`)");
  static const std::regex example(R"((x|x_\w+|main)\.\w+)");
  const std::vector<std::string> files = project_files();
  for (const fs::path& readme : readmes()) {
    const std::string text = text_of(readme);
    for (std::sregex_iterator it(text.begin(), text.end(), file), end; it != end; ++it) {
      const std::string name = it->str().substr(1, it->str().size() - 2);
      const bool exists = std::any_of(files.begin(), files.end(), [&](const std::string& path) {
        const std::string ending = '/' + name;
        return path.size() >= ending.size() &&
               path.compare(path.size() - ending.size(), ending.size(), ending) == 0;
      });
      CHECK_MESSAGE((exists || std::regex_match(name, example)), readme.string(), " names ", name,
                    ", which does not exist");
    }
  }
}

}  // namespace
}  // namespace tarsier
