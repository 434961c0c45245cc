// How setup.sh configures what ./zoo/run and others build, and the progress that it prints.
#include <doctest/doctest.h>

#include <cstdio>
#include <string>

#include "tests/data.h"

namespace tarsier {
namespace {

/// The output of these commands after setup.sh, without a terminal.
std::string output_of(const std::string& commands) {
  const std::string command = "bash -ec 'source \"" + source_file(".scripts/setup.sh").string() +
                              "\"; " + commands + "' 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  for (int c; (c = fgetc(pipe)) != EOF;) text += static_cast<char>(c);
  CHECK(pclose(pipe) == 0);
  return text;
}

/// The progress that setup.sh prints for these lines of a build.
std::string progress_of(const std::string& lines) {
  return output_of("printf \"" + lines + "\" | show_progress \"the program\"");
}

/// What setup.sh tells CMake about precompiled headers.
std::string precompiled_where(const std::string& werror) {
  return output_of("build_dir=$(mktemp -d); TARSIER_WERROR=" + werror +
                   "; cmake() { printf \"%s\\n\" \"$@\"; }; configure; "
                   "grep PCH \"$build_dir/configure.log\"; rm -r \"$build_dir\"");
}

TEST_CASE("builds use precompiled headers, but for those that look for missing includes") {
  CHECK(precompiled_where("") == "-DTARSIER_PCH=ON\n");
  CHECK(precompiled_where("OFF") == "-DTARSIER_PCH=ON\n");
  CHECK(precompiled_where("ON") == "-DTARSIER_PCH=OFF\n");
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
