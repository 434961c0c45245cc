// The result of a run is what its files hold, wherever it was stopped; and its log.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <filesystem>

#include "tests/child.h"
#include "tests/error_of.h"
#include "tests/zoo/scratch.h"

namespace tarsier::zoo {
namespace {

namespace fs = std::filesystem;

/// Counts its calls, and does something after a step.
struct Watch : TrainObserver {
  std::function<void(int64_t step)> after = [](int64_t) {};
  int64_t steps = 0, written_again = 0;
  void on_step(const StepReport& report) override {
    ++steps;
    after(report.step);
  }
  void on_weights_written_again() override { ++written_again; }
};

/// A tiny GPT that trains for eight steps in the folder "run".
struct Runs : Scratch {
  std::string data = write("data.txt", small_text());
  Watch watch;

  TrainOutcome start() {
    const std::unique_ptr<Task> task = tiny_task(data, 8);
    return train(*task, new_run(*task, data, path("run")), {}, watch);
  }
  TrainOutcome resume(const std::function<bool()>& interrupted = [] { return false; }) {
    TrainOptions options;
    options.resume = true;
    options.interrupted = interrupted;
    watch = {};
    return train(*tiny_task(data, 8), RunFolder::open(path("run")), options, watch);
  }
  /// The output of `tarsier eval` for the files.
  double evaluated() const {
    const std::unique_ptr<Task> task = loaded_task(path("run"));
    task->load_data(data);
    return task->evaluate()[0].value;
  }
};

TEST_CASE("weights that could not be written after their checkpoint are written by resuming") {
  Runs whole;
  const TrainOutcome expected = whole.start();
  const TensorDict weights = RunFolder::open(whole.path("run")).load_weights();

  // In the last step the weights cannot be written, after the checkpoint was: as if the
  // disk was full then, or the process killed.
  Runs runs;
  const std::string file = runs.path("run/model.safetensors");
  runs.watch.after = [&](int64_t step) {
    if (step != 8) return;
    fs::rename(file, file + ".old");
    fs::create_directory(file);
  };
  const std::string error = error_of([&] { runs.start(); });
  CHECK(error.find("[train] saving failed after step 8: ") == 0);
  CHECK(error.find("The checkpoint of step 8 is intact") != error.npos);
  fs::remove(file);
  fs::rename(file + ".old", file);
  CHECK(runs.evaluated() != expected.metrics[0].value);

  const TrainOutcome outcome = runs.resume();
  CHECK(runs.watch.steps == 0);
  CHECK(runs.watch.written_again == 1);
  CHECK(outcome.metrics[0].value == expected.metrics[0].value);
  CHECK(runs.evaluated() == outcome.metrics[0].value);
  CHECK(same_bits(RunFolder::open(runs.path("run")).load_weights(), weights));
}

TEST_CASE("a model file that is missing, damaged or outdated is restored, and only then") {
  Runs runs;
  const TrainOutcome expected = runs.start();
  const std::string name = "run/model.safetensors", file = runs.path(name);
  const std::string good = runs.read(name);
  const auto changed = [&] {
    // Long ago: file times may be too coarse for the duration of this test.
    fs::last_write_time(file, fs::last_write_time(file) - std::chrono::hours(1));
    const auto before = fs::last_write_time(file);
    const TrainOutcome outcome = runs.resume();
    CHECK(outcome.metrics[0].value == expected.metrics[0].value);
    CHECK(runs.read(name) == good);
    CHECK((runs.watch.written_again == 1) == (fs::last_write_time(file) != before));
    return runs.watch.written_again == 1;
  };
  CHECK_FALSE(changed());
  for (const size_t size : {size_t{0}, size_t{7}, good.size() / 2, good.size() - 1}) {
    CAPTURE(size);
    runs.write(name, good.substr(0, size));
    CHECK(changed());
    CHECK_FALSE(changed());
  }
  std::string bit = good;
  bit.back() = static_cast<char>(bit.back() ^ 1);
  runs.write(name, bit);
  CHECK(changed());
  save_safetensors(file, {{"other", zeros({2})}});
  CHECK(changed());
  fs::remove(file);
  runs.resume();
  CHECK(runs.watch.written_again == 1);
  CHECK(runs.read(name) == good);
}

TEST_CASE("an interrupted run that is ended by --steps keeps its result") {
  // Stopped before the first validation, which happens when the run is resumed to end there.
  Runs runs;
  const std::unique_ptr<Task> task = tiny_task(runs.data, 8);
  train_task(*task, runs.data, runs.path("run"), 3);
  for (int again = 0; again < 2; ++again) {
    const std::unique_ptr<Task> shorter = tiny_task(runs.data, 3);
    TrainOptions options;
    options.resume = true;
    const TrainOutcome outcome =
        train(*shorter, RunFolder::open(runs.path("run")), options, runs.watch);
    CHECK(outcome.best_step == 3);
    CHECK(runs.evaluated() == outcome.metrics[0].value);
    CHECK(RunFolder::open(runs.path("run")).load_checkpoint().best_step == 3);
  }
}

// ------------------------------------------------------------------------------------ the log

/// The line of a step, as training writes it.
std::string line_of(int64_t step) {
  return concat("{\"step\": ", step,
                ", \"train_loss\": 2.302585092994046, \"lr\": 0.001, \"grad_norm\": 1.25,"
                " \"tokens_per_second\": 52345.5, \"seconds\": 12.75}\n");
}

std::string lines_of(std::initializer_list<int64_t> steps) {
  std::string text;
  for (const int64_t step : steps) text += line_of(step);
  return text;
}

TEST_CASE("resuming takes time in proportion to the log") {
  Runs runs;
  train_task(*tiny_task(runs.data, 8), runs.data, runs.path("run"), 3);
  std::string log;
  for (int64_t step = 1; step <= 100'000; ++step) log += line_of(step);
  runs.write("run/metrics.jsonl", log + line_of(100'001) + line_of(100'002).substr(0, 40));
  // The child has a minute. Copying all that was read at every line would take two.
  CHECK(in_child([&] {
          const RunFolder folder = RunFolder::open(runs.path("run"));
          return MetricsLog::rewind(folder, 100'000, [] { return false; }) ? 3 : 1;
        }) == 3);
  const bool cut = runs.read("run/metrics.jsonl") == log;  // too long to print if it differs
  CHECK(cut);
}

TEST_CASE("reading the log can be interrupted, and then nothing has changed") {
  Runs runs;
  runs.start();
  std::string log;
  for (int64_t step = 1; step <= 5'000; ++step) log += line_of(step);
  runs.write("run/metrics.jsonl", log);
  const std::string checkpoint = runs.read("run/checkpoint/state.safetensors");
  int asked = 0;
  const RunFolder folder = RunFolder::open(runs.path("run"));
  CHECK_FALSE(MetricsLog::rewind(folder, 5'000, [&] { return ++asked == 2; }));
  CHECK(asked == 2);
  write_file_atomically(folder.file("metrics.jsonl"), log);
  const std::unique_ptr<Task> longer = tiny_task(runs.data, 6'000);
  Checkpoint late = folder.load_checkpoint();
  late.step = 5'000;
  folder.save_checkpoint(late);
  const std::string before = runs.read("run/checkpoint/state.safetensors");
  TrainOptions options;
  options.resume = true;
  options.interrupted = [] { return true; };
  runs.watch = {};
  const TrainOutcome outcome = train(*longer, folder, options, runs.watch);
  CHECK(outcome.interrupted);
  CHECK(outcome.step == 5'000);
  CHECK(runs.watch.steps == 0);
  CHECK(runs.read("run/metrics.jsonl") == log);
  CHECK(runs.read("run/checkpoint/state.safetensors") == before);
}

TEST_CASE("repeated steps in the log are named; gaps and later steps are fine") {
  Runs runs;
  runs.start();
  const RunFolder folder = RunFolder::open(runs.path("run"));
  const auto rewound = [&](const std::string& log, int64_t last) {
    runs.write("run/metrics.jsonl", log);
    MetricsLog::rewind(folder, last, [] { return false; });
    return runs.read("run/metrics.jsonl");
  };
  CHECK(rewound(lines_of({1, 2, 3, 4}), 3) == lines_of({1, 2, 3}));
  CHECK(rewound(lines_of({1, 2, 3}), 8) == lines_of({1, 2, 3}));
  CHECK(rewound(lines_of({5, 6, 8}), 8) == lines_of({5, 6, 8}));  // a log that was moved away
  CHECK(rewound(lines_of({1, 2, 5, 3, 4}), 4) == lines_of({1, 2}));
  CHECK(rewound("", 4).empty());
  CHECK(rewound("{\"st", 4).empty());
  for (const auto& twice : {lines_of({1, 2, 3, 3}), lines_of({1, 2, 3, 1, 2, 3})}) {
    const std::string error = error_of([&] { rewound(twice, 3); });
    CHECK_MESSAGE(error.find("run/metrics.jsonl: line 4 is of step ") != error.npos, error);
    CHECK(error.find("the one before it of step 3 already") != error.npos);
    CHECK(runs.read("run/metrics.jsonl") == twice);
  }
}

TEST_CASE("a line that does not fit on the disk leaves the log unchanged") {
  Runs runs;
  runs.start();
  const std::string path = runs.path("run/metrics.jsonl");
  fs::resize_file(path, 0);
  CHECK(in_child([&] {
          ::signal(SIGXFSZ, SIG_IGN);
          const rlimit limit{1000, 1000};
          ::setrlimit(RLIMIT_FSIZE, &limit);  // as a full disk does
          MetricsLog log(RunFolder::open(runs.path("run")));
          StepReport report;
          try {
            for (;; ++report.step) log.write(report, "tokens");
          } catch (const Error& error) {
            const std::string text = error.what();
            return text.find("[run] cannot write ") == 0 && text.find("too large") != text.npos ? 3
                                                                                                : 1;
          }
        }) == 3);
  const std::string log = runs.read("run/metrics.jsonl");
  CHECK(log.size() > 500);
  CHECK(log.ends_with("}\n"));
}

}  // namespace
}  // namespace tarsier::zoo
