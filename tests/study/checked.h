#pragma once
// Runs scripts of this folder in a study page, and gathers what they found.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/study/browser.h"

namespace tarsier::study {

/// The page with check.js and scripts of this folder after its own.
inline std::string with_checks(const std::string& page, const std::vector<std::string>& names) {
  const std::string mark = "</script>";
  const size_t at = page.rfind(mark) + mark.size();
  std::string script = text_of(source_file("tests/study/check.js"));
  for (const std::string& name : names) script += text_of(source_file("tests/study/" + name));
  return page.substr(0, at) + "<script>" + script + "Study.checks.end();" + mark + page.substr(at);
}

/// Opens a page and runs the scripts in it; everything that they find wrong fails the test. Gives
/// what they counted.
inline std::vector<std::string> checked(const std::string& chromium, const zoo::Scratch& scratch,
                                        const std::string& page,
                                        const std::vector<std::string>& names) {
  scratch.write("checked.html", with_checks(page, names));
  const Opened opened = open_page(chromium, scratch, "checked.html");
  CHECK(opened.complaints == "");
  for (const std::string& line : lines_with(opened.dom, "FAIL")) FAIL_CHECK(line);
  CHECK(lines_with(opened.dom, "ok") == std::vector<std::string>{"end"});
  return lines_with(opened.dom, "counted");
}

/// The number before `what` in lines such as "134 forward steps"; 0 if there is none.
inline int counted(const std::vector<std::string>& lines, const std::string& what) {
  for (const std::string& line : lines)
    if (line.ends_with(" " + what)) return std::stoi(line);
  return 0;
}

}  // namespace tarsier::study
