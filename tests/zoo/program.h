#pragma once
// Runs the program as a user does.

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <string>

#include "tests/data.h"
#include "tests/zoo/scratch.h"

namespace tarsier::zoo {

struct Result {
  int code;
  std::string out, err;
};

/// Runs `tarsier ARGUMENTS` (a line of shell) in the scratch folder.
inline Result tarsier(const Scratch& scratch, const std::string& arguments) {
  const std::string line = "cd '" + scratch.path("") + "' && " + tarsier_program() + " " +
                           arguments + " >stdout 2>stderr";
  const int status = std::system(line.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, scratch.read("stdout"),
          scratch.read("stderr")};
}

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline const char* const kTiny =
    " --set n_layer=1 --set n_head=2 --set n_embd=16 --set block_size=8 --set batch_size=3"
    " --set checkpoint_every=2 --threads 1";

/// A folder with data.txt, and on request with a trained run in "run".
struct Place : Scratch {
  explicit Place(bool with_run = false) {
    write("data.txt", small_text());
    if (!with_run) return;
    const Result result =
        tarsier(*this, concat("train gpt --data data.txt --out run --steps 4", kTiny));
    REQUIRE_MESSAGE(result.code == 0, result.err);
  }
};

/// The one line on stderr that a failure prints, after "tarsier: ".
inline std::string complaint(const Result& result) {
  const std::string start = "tarsier: ";
  REQUIRE_MESSAGE(result.err.starts_with(start), result.err);
  CHECK(result.err.ends_with('\n'));
  CHECK(result.err.find('\n') == result.err.size() - 1);
  CHECK(result.err[start.size()] == '[');
  return result.err.substr(start.size(), result.err.size() - start.size() - 1);
}

}  // namespace tarsier::zoo
