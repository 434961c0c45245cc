// `tarsier compare` as a user runs it.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "autograd/io/json.h"
#include "tests/zoo/program.h"
#include "zoo/compare/results.h"

namespace tarsier::zoo {
namespace {

TEST_CASE("compare prints each run and a table, writes a page, and repeats nothing") {
  const Scratch scratch;
  const std::string command =
      "compare --task sum,copy --models attention,gru --steps 2 --examples 4 --threads 1";
  const Result first = tarsier(scratch, command + " --distances 4");
  CHECK_MESSAGE(first.code == 0, first.err);
  CHECK(has(first.out, "8 runs of at most 2 steps of 16 sequences, on 1 thread\n"));
  CHECK(has(first.out, "copy, distance 4, attention: "));
  CHECK(has(first.out, "sum, distance 4, gru, 4 sequences: "));
  CHECK(has(first.out, "% after 2 steps, "));
  CHECK(has(first.out, "\n  task  model         4\n  copy  attention  "));
  CHECK(has(first.out, "\n  MB           gru   "));
  CHECK(has(first.out, "\nWrote runs/compare/report.html"));
  CHECK(has(scratch.read("runs/compare/report.html"), "tokens per second"));
  const std::string results = scratch.read("runs/compare/results.json");
  CHECK(Json::parse(results)["outcomes"].as_array().size() == 8);

  const Result again = tarsier(scratch, command + " --distances 4 --threads 2");
  CHECK(again.code == 2);  // --threads twice
  const Result more = tarsier(scratch, command + " --distances 5,4");
  CHECK_MESSAGE(more.code == 0, more.err);
  CHECK(has(more.out, "sum, distance 4, gru, 4 sequences: "));
  CHECK(has(more.out, ", already done\n"));
  CHECK(has(more.out, "\n  task  model         4     5\n"));
  CHECK(Json::parse(scratch.read("runs/compare/results.json"))["outcomes"].as_array().size() == 12);

  const Result other = tarsier(scratch, "compare --distances 4 --steps 3");
  CHECK(other.code == 1);
  CHECK(has(complaint(other), "runs/compare/results.json has results of other settings"));
  CHECK(Json::parse(scratch.read("runs/compare/results.json"))["outcomes"].as_array().size() == 12);
}

TEST_CASE("compare refuses what it does not know before it begins") {
  const Scratch scratch;
  const auto refused = [&](const std::string& options) {
    const Result result = tarsier(scratch, "compare " + options);
    CHECK(result.code == 2);
    CHECK(result.out == "");
    return complaint(result);
  };
  CHECK(has(refused("--task copi"), "--task has no 'copi': did you mean 'copy'?"));
  CHECK(has(refused("--models lstm,"), "--models has no ''"));
  CHECK(has(refused("--distances 16,x"), "--distances"));
  CHECK(has(refused("--distances 3"), "--distances"));
  CHECK(has(refused("--distances 20000"), "16384"));
  CHECK(has(refused("--distances ''"), "--distances"));
  CHECK(has(refused("--steps 0"), "--steps"));
  CHECK(has(refused("--examples -1"), "--examples"));
  CHECK(has(refused("--seed -1"), "--seed"));
  CHECK(has(refused("copy"), "compare"));
  CHECK_FALSE(std::filesystem::exists(scratch.path("runs")));
  CHECK(has(tarsier(scratch, "compare --help").out, "--distances N,N,…"));
  scratch.write("file", "");
  const Result no_folder =
      tarsier(scratch, "compare --task copy --models gru --distances 4 --steps 1 --out file/sub");
  CHECK(no_folder.code == 1);
}

TEST_CASE("compare: Ctrl-C leaves what is finished, and says that the same command continues") {
  const Scratch scratch;
  const compare::Recipe recipe{.steps = 1'000'000, .examples = 0};
  compare::Results(scratch.path("out"), recipe)
      .add({.run = {"copy", "convolution", 512}, .steps = 1, .seconds = 1, .tokens = 1});
  const pid_t child = fork();
  if (child == 0) {
    const std::string line = "cd '" + scratch.path("") + "' && exec " + tarsier_program() +
                             " compare --task copy,recall --models convolution --distances 512"
                             " --steps 1000000 --examples 0 --threads 1 --out out >stdout 2>stderr";
    execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
    _exit(127);
  }
  for (int i = 0; i < 3000 && !has(scratch.read("stdout"), "recall, "); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  REQUIRE(kill(child, SIGINT) == 0);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 1);
  CHECK(has(scratch.read("stderr"),
            "Interrupted after 1 of 2 runs, which are kept in out. The same command continues."));
  CHECK(compare::Results(scratch.path("out"), recipe).outcomes().size() == 1);
  CHECK(std::filesystem::exists(scratch.path("out/report.html")));
}

}  // namespace
}  // namespace tarsier::zoo
