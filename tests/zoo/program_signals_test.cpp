// The program when it is interrupted or killed, or when the disk is full.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "autograd/io/json.h"
#include "nn/nn.h"
#include "tests/zoo/program.h"

namespace tarsier::zoo {
namespace {

/// Starts `tarsier train` of a tiny model that would run for hours.
pid_t start_training(const Scratch& scratch, const std::string& out) {
  const pid_t child = fork();
  if (child == 0) {
    const std::string line = "cd '" + scratch.path("") + "' && exec " + tarsier_program() +
                             " train gpt --data data.txt --steps 100000000 --set decay_steps=1000"
                             " --set eval_every=1000000 --out " +
                             out + kTiny + " >stdout 2>stderr";
    execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
    _exit(127);
  }
  return child;
}

/// Waits until metrics.jsonl has a line, so that training has started.
void wait_for_steps(const Scratch& scratch, const std::string& out) {
  for (int i = 0; i < 3000 && scratch.read(out + "/metrics.jsonl").size() < 2000; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

TEST_CASE("Ctrl-C saves, says where, and exits with 1; then the run continues") {
  const Place place;
  const pid_t child = start_training(place, "run");
  wait_for_steps(place, "run");
  REQUIRE(kill(child, SIGINT) == 0);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 1);
  const std::string err = place.read("stderr");
  CHECK(has(err, "Stopped after step "));
  CHECK(has(err, "train --resume run"));
  const std::string metrics = place.read("run/metrics.jsonl");
  const auto lines = std::count(metrics.begin(), metrics.end(), '\n');
  CHECK(has(err, concat("Stopped after step ", lines, " of")));
  const Result resumed = tarsier(place, concat("train --resume run --quiet --steps ", lines + 1));
  CHECK_MESSAGE(resumed.code == 0, resumed.err);
  CHECK(tarsier(place, "eval run").code == 0);
}

TEST_CASE("a folder takes one training process at a time, and notices when it is moved") {
  const Place place;
  const pid_t child = start_training(place, "run");
  wait_for_steps(place, "run");
  const std::string line =
      concat("cd '", place.path(""), "' && ", tarsier_program(), " train --resume run 2>second");
  const int second = std::system(line.c_str());
  CHECK(WEXITSTATUS(second) == 1);
  CHECK(has(place.read("second"), "another process is training in run"));
  std::filesystem::rename(place.path("run"), place.path("elsewhere"));
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 1);
  CHECK(has(place.read("stderr"), "run was removed or renamed while training"));
  CHECK(tarsier(place, "eval elsewhere").code == 0);
}

TEST_CASE("SIGKILL at any moment leaves a checkpoint that resumes") {
  const Place place;
  // Checkpoints are written every other step, so some of these kills hit one being written.
  for (int i = 0; i < 8; ++i) {
    CAPTURE(i);
    const std::string out = "run" + std::to_string(i);
    const pid_t child = start_training(place, out);
    wait_for_steps(place, out);
    std::this_thread::sleep_for(std::chrono::microseconds(700 * i));
    REQUIRE(kill(child, SIGKILL) == 0);
    REQUIRE(waitpid(child, nullptr, 0) == child);
    Metadata metadata;
    CHECK_NOTHROW(load_safetensors(place.path(out + "/checkpoint/state.safetensors"), &metadata));
    const int64_t step = Json::parse(metadata["tarsier"])["step"].as_int();
    const Result resumed =
        tarsier(place, concat("train --resume ", out, " --quiet --steps ", step + 3));
    CHECK_MESSAGE(resumed.code == 0, resumed.err);
    const std::string metrics = place.read(out + "/metrics.jsonl");
    CHECK(std::count(metrics.begin(), metrics.end(), '\n') == step + 3);
  }
}

TEST_CASE("a full disk is reported, and what was saved stays") {
  // /dev/full is always full; here it is standard output.
  const Place place(/*with_run=*/true);
  if (!std::filesystem::exists("/dev/full")) return;
  const std::string line =
      "cd '" + place.path("") + "' && " + tarsier_program() + " list >/dev/full 2>stderr";
  const int status = std::system(line.c_str());
  CHECK(WEXITSTATUS(status) == 1);
  CHECK(has(place.read("stderr"), "cannot write to standard output"));
  const std::string endless = "cd '" + place.path("") + "' && " + tarsier_program() +
                              " predict run the --tokens 1000000000 >/dev/full 2>stderr";
  CHECK(WEXITSTATUS(std::system(endless.c_str())) == 1);
  // A limit on the size of files makes every write beyond it fail, as a full disk does.
  const std::string limited = "cd '" + place.path("") + "' && trap '' XFSZ && ulimit -f 16 && " +
                              tarsier_program() + " train --resume run --steps 6 >stdout 2>stderr";
  const std::string before = place.read("run/checkpoint/state.safetensors");
  const int limited_status = std::system(limited.c_str());
  CHECK(WEXITSTATUS(limited_status) == 1);
  CHECK(has(place.read("stderr"), "saving failed after step 6"));
  CHECK(has(place.read("stderr"), "--resume run"));
  CHECK(place.read("run/checkpoint/state.safetensors") == before);
  CHECK(tarsier(place, "eval run").code == 0);
}

}  // namespace
}  // namespace tarsier::zoo
