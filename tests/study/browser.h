#pragma once
// Opens pages in a headless browser: Chromium, or one that takes its options.

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "tests/data.h"
#include "tests/zoo/scratch.h"

namespace tarsier::study {

/// The browser's command: $CHROMIUM, or the first of the usual names that is installed. Empty if
/// there is none; then it prints that the test is skipped.
inline std::string browser() {
  if (const char* given = std::getenv("CHROMIUM")) return given;
  for (const char* name : {"chromium", "chromium-browser", "google-chrome", "chrome"})
    if (std::system((std::string("command -v ") + name + " >/dev/null 2>&1").c_str()) == 0)
      return name;
  std::cout << "skipped: there is no Chromium to open the study page with (Debian: apt install "
               "chromium; elsewhere: set CHROMIUM to its path)\n";
  return "";
}

/// What a browser made of a page.
struct Opened {
  std::string dom;         ///< the document, after its scripts
  std::string complaints;  ///< the lines of its console
};

/// Opens `file` of the scratch folder and waits until its scripts have run.
inline Opened open_page(const std::string& browser, const zoo::Scratch& scratch,
                        const std::string& file) {
  const std::string command =
      "timeout 300 '" + browser +
      "' --headless --no-sandbox --disable-gpu --window-size=1366,768 --enable-logging=stderr"
      " --v=0 --virtual-time-budget=20000 --user-data-dir='" +
      scratch.path("profile") + "' --dump-dom 'file://" + scratch.path(file) + "' >'" +
      scratch.path("dom") + "' 2>'" + scratch.path("log") + "'";
  const int status = std::system(command.c_str());
  const std::string log = scratch.read("log");
  REQUIRE_MESSAGE((WIFEXITED(status) && WEXITSTATUS(status) == 0), log);
  Opened opened{scratch.read("dom"), ""};
  // Chromium also prints errors of its own; those of the page have this mark.
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);)
    if (line.find("CONSOLE") != line.npos) opened.complaints += line + "\n";
  return opened;
}

/// The lines of the document that start with `word`.
inline std::vector<std::string> lines_with(const std::string& dom, const std::string& word) {
  std::vector<std::string> found;
  std::istringstream lines(dom);
  for (std::string line; std::getline(lines, line);) {
    const size_t body = line.find("<body");
    if (body != line.npos) line = line.substr(line.find('>', body) + 1);
    line = line.substr(0, line.find("</body>"));
    if (line.starts_with(word + " ")) found.push_back(line.substr(word.size() + 1));
  }
  return found;
}

/// The text of a file of the repository.
inline std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace tarsier::study
