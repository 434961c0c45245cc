// The progress that setup.sh prints while ./zoo/run and others build.
#include <doctest/doctest.h>

#include <cstdio>
#include <string>

#include "tests/data.h"

namespace tarsier {
namespace {

/// The output of setup.sh for these lines of a build, without a terminal.
std::string progress_of(const std::string& lines) {
  const std::string command = "bash -ec 'source \"" + source_file(".scripts/setup.sh").string() +
                              "\"; printf \"" + lines + "\" | show_progress \"the program\"' 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  for (int c; (c = fgetc(pipe)) != EOF;) text += static_cast<char>(c);
  CHECK(pclose(pipe) == 0);
  return text;
}

TEST_CASE("a build says what is built and how far it is, with ninja and with make") {
  CHECK(progress_of("[1/200] Building CXX object a/b.cpp.o\\n[2/200] Linking c\\nnote: x\\n"
                    "[40/200] Building CXX object x/y.cpp.o\\n[200/200] Linking d\\n") ==
        "Building the program: 0 %\nBuilding the program: 20 %\nBuilding the program: 100 %\n");
  CHECK(progress_of("[  3%%] Building CXX object a/b.cpp.o\\n[ 50%%] Built target y\\n"
                    "[100%%] Built target z\\n[100%%] Built target w\\n") ==
        "Building the program: 3 %\nBuilding the program: 50 %\nBuilding the program: 100 %\n");
  // The end is reported even if little was left.
  CHECK(progress_of("[194/200] Building CXX object a/b.cpp.o\\n[200/200] Linking d\\n") ==
        "Building the program: 97 %\nBuilding the program: 100 %\n");
  CHECK(progress_of("ninja: no work to do.\\n") == "");
}

}  // namespace
}  // namespace tarsier
