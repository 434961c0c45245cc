// Training: the same bits at any number of threads and after a resume, and intact files.
#include "zoo/task/trainer.h"
#include "autograd/io/json.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "autograd/base/parallel.h"
#include "nn/init.h"
#include "tests/threads.h"
#include "tests/zoo/scratch.h"
#include "zoo/report/curves.h"
#include "zoo/task/models.h"

namespace tarsier::zoo {
namespace {

struct Recorder : TrainObserver {
  std::vector<double> losses;
  std::vector<double> val_losses;
  void on_step(const StepReport& report) override {
    losses.push_back(report.train_loss);
    for (const Metric& metric : report.metrics) val_losses.push_back(metric.value);
  }
};

struct Trained {
  Recorder record;
  TrainOutcome outcome;
  TensorDict weights;
};

/// Trains the tiny GPT for 8 steps into folder `out`; stops after `stop_after` if that is not 0.
Trained train_tiny(const Scratch& scratch, const std::string& out, int64_t stop_after = 0,
                   bool resume = false) {
  const std::string data = scratch.write("data.txt", small_text());
  const std::unique_ptr<Task> task = tiny_task(data, 8);
  const RunFolder folder =
      resume ? RunFolder::open(scratch.path(out)) : new_run(*task, data, scratch.path(out));
  Trained trained;
  TrainOptions options;
  options.resume = resume;
  options.interrupted = [&] {
    return static_cast<int64_t>(trained.record.losses.size()) == stop_after;
  };
  trained.outcome = train(*task, folder, options, trained.record);
  trained.weights = folder.load_weights();
  return trained;
}

/// The values of `key` in every line of metrics.jsonl that has it.
std::vector<double> metric(const std::string& jsonl, const std::string& key) {
  std::vector<double> out;
  size_t begin = 0;
  for (size_t end; (end = jsonl.find('\n', begin)) != jsonl.npos; begin = end + 1) {
    const Json line = Json::parse(jsonl.substr(begin, end - begin));
    if (const Json* value = line.find(key)) out.push_back(value->as_double());
  }
  CHECK(begin == jsonl.size());
  return out;
}

TEST_CASE("a run saves its weights, settings, metrics and checkpoint") {
  const Scratch scratch;
  const Trained run = train_tiny(scratch, "run");
  CHECK_FALSE(run.outcome.interrupted);
  CHECK(run.outcome.step == 8);
  const std::string metrics = scratch.read("run/metrics.jsonl");
  CHECK(metric(metrics, "step") == std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(metric(metrics, "train_loss") == run.record.losses);
  CHECK(metric(metrics, "val_loss") == run.record.val_losses);  // after steps 4 and 8
  CHECK(run.record.val_losses.size() == 2);
  CHECK(run.record.val_losses.back() == run.outcome.metrics[0].value);
  for (const char* key : {"lr", "grad_norm", "tokens_per_second", "seconds"})
    CHECK(metric(metrics, key).size() == 8);

  // The saved model, loaded only from the folder, has the same loss to the last bit.
  const RunFolder folder = RunFolder::open(scratch.path("run"));
  const RunConfig config = folder.read_config();
  const std::unique_ptr<Task> task = make_trained_task(folder, config);
  CHECK(same_bits(task->model().state_dict(), run.weights));
  task->load_data(config.data_path);
  CHECK(task->describe_data() == config.data);
  CHECK(task->evaluate()[0].value == run.outcome.metrics[0].value);

  // The saved weights are the average, not the current ones.
  const Checkpoint checkpoint = folder.load_checkpoint();
  CHECK(checkpoint.step == 8);
  CHECK(checkpoint.average["ema.updates"].item<int64_t>() == 8);
  const char* const name = "transformer.wte.weight";
  CHECK(run.weights[name].to_vector() == checkpoint.average[name].to_vector());
  CHECK(run.weights[name].to_vector() != checkpoint.model[name].to_vector());
}

TEST_CASE("parameters that do not learn in the first step are named, once") {
  const Scratch scratch;
  struct Listener : TrainObserver {
    std::vector<nn::GradientReport> reports;
    void on_bad_gradients(const nn::GradientReport& report) override { reports.push_back(report); }
  };
  const std::string data = scratch.write("data.txt", small_text());
  for (const bool broken : {false, true}) {
    const std::unique_ptr<Task> task = tiny_task(data, 3);
    const TensorDict parameters = task->model().named_parameters();
    // No gradient passes through a zero matrix.
    if (broken) nn::zeros_(parameters["transformer.h.0.mlp.c_proj.weight"]);
    Listener listener;
    train(*task, RunFolder::create(scratch.path(broken ? "broken" : "good")), {}, listener);
    REQUIRE(listener.reports.size() == (broken ? 1 : 0));
    if (!broken) continue;
    CHECK(listener.reports[0].zero == std::vector<std::string>{"transformer.h.0.ln_2.weight",
                                                               "transformer.h.0.mlp.c_fc.weight"});
    CHECK(listener.reports[0].missing.empty());
  }
}

TEST_CASE("one, two and three threads give the same bits") {
  const Threads restore;
  const Scratch scratch;
  set_num_threads(1);
  const Trained one = train_tiny(scratch, "1");
  for (int threads : {2, 3}) {
    CAPTURE(threads);
    set_num_threads(threads);
    const Trained more = train_tiny(scratch, std::to_string(threads));
    CHECK(more.record.losses == one.record.losses);
    CHECK(more.record.val_losses == one.record.val_losses);
    CHECK(same_bits(more.weights, one.weights));
  }
}

TEST_CASE("a resumed run ends with the bits of an unbroken one") {
  const Scratch scratch;
  const Trained unbroken = train_tiny(scratch, "unbroken");
  for (int64_t stop : {1, 4, 6}) {
    CAPTURE(stop);
    const std::string name = "broken" + std::to_string(stop);
    const Trained first = train_tiny(scratch, name, stop);
    CHECK(first.outcome.interrupted);
    CHECK(first.outcome.step == stop);
    const Trained second = train_tiny(scratch, name, 0, true);
    CHECK(second.record.losses.size() == static_cast<size_t>(8 - stop));
    CHECK(same_bits(second.weights, unbroken.weights));
    const std::string metrics = scratch.read(name + "/metrics.jsonl");
    CHECK(metric(metrics, "train_loss") == unbroken.record.losses);
    CHECK(metric(metrics, "val_loss") == unbroken.record.val_losses);
  }
}

TEST_CASE("metrics of repeated steps, and a truncated line, are replaced") {
  const Scratch scratch;
  const Trained unbroken = train_tiny(scratch, "unbroken");
  train_tiny(scratch, "killed", 4);
  // As if the process was killed in step 7, while writing: the checkpoint is of step 4.
  std::ofstream(scratch.path("killed/metrics.jsonl"), std::ios::app)
      << "{\"step\": 5, \"train_loss\": 1}\n{\"step\": 6, \"train_loss\": 1}\n{\"step\": 7, \"tra";
  scratch.write("killed/checkpoint/state.safetensors.tmp.1.1", "half");
  const Trained resumed = train_tiny(scratch, "killed", 0, true);
  CHECK(metric(scratch.read("killed/metrics.jsonl"), "train_loss") == unbroken.record.losses);
  CHECK(same_bits(resumed.weights, unbroken.weights));
  CHECK_FALSE(std::filesystem::exists(scratch.path("killed/checkpoint/state.safetensors.tmp.1.1")));
}

TEST_CASE("resuming a finished run changes nothing") {
  const Scratch scratch;
  const Trained run = train_tiny(scratch, "run");
  const std::string metrics = scratch.read("run/metrics.jsonl");
  const Trained again = train_tiny(scratch, "run", 0, true);
  CHECK(again.record.losses.empty());
  CHECK(again.outcome.metrics[0].value == run.outcome.metrics[0].value);
  CHECK(scratch.read("run/metrics.jsonl") == metrics);
  CHECK(same_bits(again.weights, run.weights));
}

TEST_CASE("training that diverges stops and keeps its last checkpoint") {
  const Scratch scratch;
  const std::unique_ptr<Task> task = tiny_task(scratch.write("data.txt", small_text()), 8);
  const RunFolder folder = RunFolder::create(scratch.path("run"));
  // A weight that overflows in step 6, after the checkpoint of step 4.
  struct Saboteur : TrainObserver {
    Task& task;
    explicit Saboteur(Task& task) : task(task) {}
    void on_step(const StepReport& report) override {
      if (report.step == 5) fill_(task.model().parameters()[0].detach(), 3e38);
    }
  } saboteur(*task);
  std::string message;
  try {
    train(*task, folder, {}, saboteur);
  } catch (const Error& error) {
    message = error.what();
  }
  CAPTURE(message);
  CHECK(message.find("[train] the loss became ") == 0);
  CHECK(message.find("in step 6") != message.npos);
  CHECK(message.find("checkpoint of step 4 is kept") != message.npos);
  CHECK(folder.load_checkpoint().step == 4);
}

TEST_CASE("a full disk is reported before the folder is made") {
  const Scratch scratch;
  const int64_t free_bytes =
      static_cast<int64_t>(std::filesystem::space(scratch.path("")).available);
  CHECK_NOTHROW(RunFolder::check_space(scratch.path("a/b"), free_bytes / 2));
  CHECK_THROWS_AS(RunFolder::check_space(scratch.path("a/b"), free_bytes * 2), Error);
  CHECK_FALSE(std::filesystem::exists(scratch.path("a")));
  const std::unique_ptr<Task> task = tiny_task(scratch.write("data.txt", small_text()), 8);
  train_tiny(scratch, "run");
  int64_t used = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch.path("run")))
    if (entry.is_regular_file()) used += static_cast<int64_t>(entry.file_size());
  CHECK(used < disk_space_needed(*task));
}

TEST_CASE("a new run takes the next free folder and never one that is taken") {
  const Scratch scratch;
  const std::string stem = scratch.path("runs/gpt");
  CHECK(RunFolder::create_next(stem).path() == stem);
  CHECK(RunFolder::create_next(stem).path() == stem + "-2");
  CHECK(RunFolder::create_next(stem).path() == stem + "-3");
  // A run that ended before it saved anything does not block its folder.
  RunConfig config;
  config.model = "gpt";
  RunFolder::create(stem + "-3").write_config(config);
  CHECK(RunFolder::create(stem + "-3").path() == stem + "-3");
  scratch.write("runs/gpt-3/config.json", "{}");  // but this is of something else
  CHECK_THROWS_AS(RunFolder::create(stem + "-3"), Error);
  train_tiny(scratch, "taken", 1);
  CHECK_THROWS_AS(RunFolder::create(scratch.path("taken")), Error);
  CHECK_THROWS_AS(RunFolder::create(scratch.write("file", "x")), Error);
  CHECK_THROWS_AS(RunFolder::open(scratch.path("nowhere")), Error);
  CHECK_THROWS_AS(RunFolder::open(scratch.path("file")), Error);
  CHECK_THROWS_AS(RunFolder::open(stem), Error);  // a folder, but without a run
}

TEST_CASE("a run of an older version knows its data by what it wrote down of them") {
  const Json described(Json::Object{{"images", 9}, {"fingerprint", "ab"}, {"signs", true}});
  RunConfig config;
  const auto learned = [&](const Json::Object& stored) {
    config.data = stored;
    return config.learned_from(described);
  };
  CHECK(learned({{"images", 9}, {"fingerprint", "ab"}, {"signs", true}}));
  CHECK(learned({{"fingerprint", "ab"}, {"images", 9}}));  // before there were signs
  CHECK_FALSE(learned({{"images", 9}, {"fingerprint", "ac"}}));
  CHECK_FALSE(learned({{"images", 9}, {"fingerprint", "ab"}, {"levels", 2}}));
  CHECK_FALSE(learned({}));
}

}  // namespace
}  // namespace tarsier::zoo
