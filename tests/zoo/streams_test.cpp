// The program with its streams closed, broken or full, and with environment variables.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/child.h"
#include "tests/zoo/program.h"
#include "zoo/cli/streams.h"

namespace tarsier::zoo {
namespace {

/// Runs a script in the scratch folder with `tarsier` as a command; returns its exit code.
int shell(const Scratch& scratch, const std::string& script) {
  const std::string line = "cd '" + scratch.path("") + "' && tarsier() { " + tarsier_program() +
                           " \"$@\"; } && " + script;
  const int status = std::system(line.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int64_t lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

/// Options of a run that prints more than a pipe holds, and of one that ends by itself.
const std::string kLong = concat(
    "train gpt --data data.txt --steps 1000000 --set eval_every=1 --set decay_steps=1000", kTiny);
const std::string kShort = concat("train gpt --data data.txt --steps 4", kTiny);

TEST_CASE("training notices that nothing reads its output, saves, and reports it") {
  const Place place;
  CHECK(shell(place, "{ tarsier " + kLong +
                         " --out run 2>stderr; echo $? >code; } | head -15 >stdout") == 0);
  CHECK(place.read("code") == "1\n");
  CHECK(lines(place.read("stdout")) == 15);
  const std::string err = place.read("stderr");
  CHECK_MESSAGE(has(err, "because nothing reads the output any more (broken pipe)"), err);
  CHECK(has(err, "Everything is saved in run; continue with:"));
  CHECK(lines(err) == 2);
  const int64_t steps = lines(place.read("run/metrics.jsonl"));
  CHECK(has(err, concat("Stopped after step ", steps, " of")));
  CHECK(RunFolder::open(place.path("run")).load_checkpoint().step == steps);
  CHECK(tarsier(place, concat("train --resume run --quiet --steps ", steps + 1)).code == 0);

  // No reader from the start, not for errors either.
  shell(place, "{ tarsier " + kLong + " --out second 2>&1; echo $? >code; } | true");
  CHECK(place.read("code") == "1\n");
  CHECK(tarsier(place, "eval second").code == 0);
  // A quiet run prints nothing before its end.
  shell(place, "{ tarsier " + kShort + " --quiet --out third 2>stderr; echo $? >code; } | true");
  CHECK(place.read("code") == "1\n");
  CHECK(has(place.read("stderr"), "All steps are done and saved in third"));
  CHECK(tarsier(place, "eval third").code == 0);
}

TEST_CASE("a stream that was closed cannot become a file that the program opens") {
  const Place place;
  const std::string path = place.path("file");
  CHECK(in_child([&] {
          for (const int stream : {0, 1, 2}) ::close(stream);
          occupy_standard_streams();
          const int file = ::open(path.c_str(), O_RDWR | O_CREAT, 0666);
          char letter = 'x';
          // They can still be neither read nor written.
          return file > 2 && ::read(0, &letter, 1) < 0 && ::write(1, &letter, 1) < 0 &&
                         ::write(2, &letter, 1) < 0
                     ? 3
                     : 1;
        }) == 3);
  // An open one does not change.
  CHECK(shell(place, "tarsier --version >stdout") == 0);
  CHECK(place.read("stdout").starts_with("tarsier "));
  CHECK(shell(place, "{ tarsier " + kShort + " --out run <&- >&- 2>&-; }") == 1);
  CHECK(lines(place.read("run/metrics.jsonl")) == 4);
  CHECK(tarsier(place, "eval run").code == 0);
}

TEST_CASE("a wrong environment variable is reported before anything is done") {
  const Place place;
  // So small that no thread is needed.
  const std::string tiny =
      "train gpt --data data.txt --steps 2 --set n_layer=1 --set n_head=2 --set n_embd=16"
      " --set block_size=8 --set batch_size=3 --out run";
  for (const char* wrong : {"TARSIER_THREADS=garbage", "TARSIER_THREADS=0", "TARSIER_THREADS=2.5",
                            "TARSIER_ISA=garbage"}) {
    CAPTURE(wrong);
    for (const std::string& command : {tiny, tiny + " --quiet"}) {
      CHECK(shell(place, concat(wrong, " tarsier ", command, " >stdout 2>stderr")) == 1);
      const std::string name = std::string(wrong).substr(0, std::string(wrong).find('='));
      CHECK(place.read("stderr").starts_with("tarsier: [" + name + "] "));
      CHECK(place.read("stdout").empty());
      CHECK_FALSE(std::filesystem::exists(place.path("run")));
    }
  }
}

/// Starts a short run, waits until its log has `steps` lines, and kills it `delay` later.
void kill_after(const Place& place, const std::string& out, int64_t steps,
                std::chrono::microseconds delay) {
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string line = "cd '" + place.path("") + "' && exec " + tarsier_program() + " " +
                             kShort + " --set eval_every=1 --out " + out + " >stdout 2>stderr";
    ::execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
    ::_exit(127);
  }
  while (::waitpid(child, nullptr, WNOHANG) == 0) {
    if (lines(place.read(out + "/metrics.jsonl")) >= steps) {
      std::this_thread::sleep_for(delay);
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
      return;
    }
  }
}

TEST_CASE("runs killed at any moment have, once resumed, the files of their results") {
  const Place place;
  for (int i = 0; i < 8; ++i) {
    CAPTURE(i);
    // A step of this run takes about ten milliseconds, most of it for files.
    const std::string out = concat("run", i);
    kill_after(place, out, 1 + i % 4, std::chrono::microseconds(800 * i));
    const Result result = tarsier(place, "train --resume " + out + " --quiet");
    CHECK_MESSAGE(result.code == 0, result.err);
    const std::string said = result.out.substr(0, result.out.find("  "));
    CHECK(tarsier(place, "eval " + out).out == said + "\n");
  }
}

}  // namespace
}  // namespace tarsier::zoo
