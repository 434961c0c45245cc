// When training stops, which weights it keeps, and how batches make a step.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "autograd/io/json.h"
#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "zoo/report/curves.h"
#include "zoo/task/trainer.h"

namespace tarsier::zoo {
namespace {

/// A model with one weight w: the loss of batch n is (w − n)², so its gradient is 2(w − n). The
/// results of validation are given.
struct Point : nn::Layer<Point> {
  Tensor w;
  Point() { register_parameter("w", w, zeros({1})); }
  Tensor forward(const Arg& x) { return square(w - x); }
};
struct ScriptedTask : TaskOf<Point, int64_t> {
  std::vector<double> script;
  std::vector<double> losses;  // for a second metric; empty: none
  size_t asked = 0;
  explicit ScriptedTask(std::vector<double> script)
      : TaskOf("scripted"), script(std::move(script)) {
    recipe.eval_every = 0;
    recipe.ema_decay = 0;
    recipe.schedule = "constant";
    recipe.warmup_steps = 0;
    recipe.clip_norm = 0;
    load_data("");
    build(1);
  }
  std::string items() const override { return "numbers"; }
  int64_t training_examples() const override { return 4 * recipe.batch_size; }
  Batch batch(int64_t number, uint64_t) override {
    return {{{"x", full({1}, static_cast<double>(number))}}, 1};
  }
  Tensor loss(const Batch& batch) override { return sum(model()(batch["x"])); }
  Metrics validate() override {
    const size_t at = std::min(asked++, script.size() - 1);
    Metrics metrics{{.name = "score", .value = script[at], .higher_is_better = true}};
    if (!losses.empty()) metrics.push_back({.name = "val_loss", .value = losses[at]});
    return metrics;
  }

 protected:
  int64_t read(const std::string&) override { return 4; }
  void use(int64_t) override {}
  std::unique_ptr<Point> make_model(Generator&) override { return std::make_unique<Point>(); }
  std::string model_facts() const override { return "a number"; }
  std::string data_facts() const override { return "none"; }
  std::string batch_facts() const override { return "a number"; }
};

/// The same, with a loss and a metric derived from it for people.
struct LossTask : ScriptedTask {
  using ScriptedTask::ScriptedTask;
  Metrics validate() override {
    const double loss = ScriptedTask::validate()[0].value;
    return {{.name = "val_loss", .value = loss},
            {.name = "perplexity", .value = std::exp(loss), .digits = 2}};
  }
};

TEST_CASE("a metric for people never stops training, however large") {
  const Scratch scratch;
  LossTask task({800, 750, 720, 710});
  task.recipe.steps = 8;
  task.recipe.eval_every = 4;
  const RunFolder folder = RunFolder::create(scratch.path("run"));
  TrainObserver silence;
  CHECK(train(task, folder, {}, silence).step == 8);
  const std::string metrics = scratch.read("run/metrics.jsonl");
  CHECK(metrics.find("\"val_loss\": 800.0, \"perplexity\": \"Infinity\"}") != metrics.npos);
  // It is read back by resuming and by the report.
  task.recipe.steps = 12;
  TrainOptions resume;
  resume.resume = true;
  CHECK(train(task, folder, resume, silence).step == 12);
  const std::vector<Series> curves = read_curves(scratch.read("run/metrics.jsonl"));
  const auto perplexity = std::find_if(
      curves.begin(), curves.end(), [](const Series& curve) { return curve.name == "perplexity"; });
  REQUIRE(perplexity != curves.end());
  CHECK(perplexity->x == std::vector<double>{4, 8, 12});
  for (const double value : perplexity->y) CHECK(value == INFINITY);
}

TEST_CASE("divergence that validation sees first stops training with the same message") {
  for (const double loss : {std::nan(""), double{INFINITY}}) {
    CAPTURE(loss);
    const Scratch scratch;
    LossTask task({3, loss});
    task.recipe.steps = 8;
    task.recipe.eval_every = 4;
    task.recipe.checkpoint_every = 4;
    const RunFolder folder = RunFolder::create(scratch.path("run"));
    TrainObserver silence;
    std::string message;
    try {
      train(task, folder, {}, silence);
    } catch (const Error& error) {
      message = error.what();
    }
    CAPTURE(message);
    CHECK(message.starts_with("[train] the val_loss became "));
    CHECK(message.find("in step 8, at learning rate 0.001: training diverged") != message.npos);
    CHECK(message.find("checkpoint of step 4 is kept") != message.npos);
    CHECK(folder.load_checkpoint().step == 4);
  }
}

TEST_CASE(
    "a batch that the memory cannot hold is refused, and one that is all of little data not") {
  const Scratch scratch;
  const std::string data = scratch.write("data.txt", small_text());
  const std::unique_ptr<Task> task = tiny_task(data, 8);
  CHECK_NOTHROW(check_batch_memory(*task, 1));
  CHECK(task->recipe.batch_size == 3);
  task->recipe.batch_size = 2'147'483'647;
  const std::string message = [&]() -> std::string {
    try {
      check_batch_memory(*task, 1);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }();
  CHECK(message.starts_with("[memory] a batch of 2,147,483,647 takes about "));
  CHECK(message.find("take a batch_size of at most ") != message.npos);
  std::string lines;
  for (int i = 0; i < 40; ++i) lines += i % 2 == 0 ? "good\ta b c\n" : "bad\td e f\n";
  const std::string labelled = scratch.write("labelled.tsv", lines);
  const auto little = prepared_task("sentiment", labelled, {{"batch_size", "2147483647"}});
  CHECK_NOTHROW(check_batch_memory(*little, 1));
  CHECK(little->batch(1, 1)["labels"].numel() == 33);
}

TEST_CASE("the facts of a task give the number of steps, and the first and last learning rate") {
  ScriptedTask task({1});
  task.recipe.epochs = 2;
  CHECK(task.facts() == Facts{{"model", "a number: 1 parameter"},
                              {"data", "none"},
                              {"recipe", "8 steps of a number, learning rate 0.001 → 0.001"}});
  task.recipe.schedule = "cosine";
  CHECK(task.facts()[2].second.ends_with("0.001 → 0.0001"));
  task.recipe.schedule = "noam";  // falls as 1/√step, and not to min_learning_rate
  CHECK(task.facts()[2].second.ends_with("0.001 → 0.000333333"));
}

TEST_CASE("the weights of the best validation are kept, and patience ends training") {
  const Scratch scratch;
  ScriptedTask task({1, 3, 2, 3, 5});
  task.recipe.epochs = 5;
  task.recipe.patience = 2;
  CHECK(task.steps() == 20);
  const RunFolder folder = RunFolder::create(scratch.path("run"));
  struct Watch : TrainObserver {
    ScriptedTask& task;
    std::vector<double> w;
    explicit Watch(ScriptedTask& task) : task(task) {}
    void on_step(const StepReport&) override { w.push_back(task.model().w.item()); }
  } watch(task);
  const TrainOutcome outcome = train(task, folder, {}, watch);
  CHECK(outcome.early);
  CHECK(outcome.step == 16);  // 3 at step 8, then 2 and 3: no improvement twice
  CHECK(outcome.best_step == 8);
  CHECK(task.model().w.item() == watch.w[7]);
  CHECK(folder.load_weights()["w"].item() == watch.w[7]);
  CHECK(folder.load_checkpoint().model["w"].item() == watch.w[15]);
  // Resuming such a run has nothing to do, and gives the same weights.
  TrainOptions resume;
  resume.resume = true;
  const TrainOutcome again = train(task, folder, resume, watch);
  CHECK(again.step == 16);
  CHECK(watch.w.size() == 16);
  CHECK(task.model().w.item() == watch.w[7]);
}

TEST_CASE("of equally good weights those with the lower loss are kept, also across a resume") {
  for (const bool broken : {false, true}) {
    CAPTURE(broken);
    const Scratch scratch;
    ScriptedTask task({1, 1, 1});
    task.losses = {0.235, 0.057, 0.076};
    task.recipe.epochs = 3;
    task.recipe.patience = 2;
    const RunFolder folder = RunFolder::create(scratch.path("run"));
    struct Counter : TrainObserver {
      int64_t step = 0;
      void on_step(const StepReport& report) override { step = report.step; }
    } counter;
    TrainOptions options;
    options.interrupted = [&] { return broken && counter.step == 8; };
    TrainOutcome outcome = train(task, folder, options, counter);
    CHECK(outcome.interrupted == broken);
    CHECK(folder.load_checkpoint().best_loss == 0.057);
    options.resume = true;
    if (broken) outcome = train(task, folder, options, counter);
    CHECK(outcome.step == 12);  // a lower loss is an improvement: patience starts again
    CHECK(outcome.best_step == 8);
  }
  // Without a loss the first of equals is kept.
  const Scratch scratch;
  ScriptedTask task({1, 1, 1});
  task.recipe.epochs = 3;
  TrainObserver nobody;
  CHECK(train(task, RunFolder::create(scratch.path("run")), {}, nobody).best_step == 4);
  CHECK_FALSE(loss_of({{.name = "score", .value = 1}}) == loss_of({{.name = "score", .value = 1}}));
}

TEST_CASE("a step of several batches has their mean loss and gradient") {
  const Scratch scratch;
  ScriptedTask task({1});
  task.recipe.steps = 2;
  task.recipe.accumulate = 3;
  struct Watch : TrainObserver {
    std::vector<StepReport> reports;
    void on_step(const StepReport& report) override { reports.push_back(report); }
  } watch;
  train(task, RunFolder::create(scratch.path("run")), {}, watch);
  // Batches 1, 2, 3 at w = 0: the mean of n² and of −2n.
  CHECK(watch.reports[0].train_loss == doctest::Approx(14.0 / 3));
  CHECK(watch.reports[0].grad_norm == doctest::Approx(4));
  // Then 4, 5, 6.
  CHECK(watch.reports[1].train_loss == doctest::Approx(77.0 / 3).epsilon(0.01));
}

/// The report of the first step of `task`.
StepReport first_step(Task& task) {
  const Scratch scratch;
  struct Watch : TrainObserver {
    StepReport report;
    void on_step(const StepReport& step) override { report = step; }
  } watch;
  task.recipe.steps = 1;
  task.recipe.epochs = 0;
  train(task, RunFolder::create(scratch.path("run")), {}, watch);
  return watch.report;
}

/// Checks that `accumulate` batches of `small` examples are the same step as one of `large`.
void check_accumulated(const std::string& name, const std::string& data, Changes changes,
                       const std::string& large, const std::string& small,
                       const std::string& accumulate) {
  const auto step = [&](const std::string& size, const std::string& parts) {
    Changes all = changes;
    all.emplace_back("batch_size", size);
    all.emplace_back("accumulate", parts);
    return first_step(*prepared_task(name, data, all));
  };
  const StepReport whole = step(large, "1"), pieces = step(small, accumulate);
  CAPTURE(whole.train_loss);
  CAPTURE(whole.grad_norm);
  CHECK(pieces.weight == doctest::Approx(whole.weight));
  CHECK(pieces.train_loss == doctest::Approx(whole.train_loss).epsilon(1e-5));
  CHECK(pieces.grad_norm == doctest::Approx(whole.grad_norm).epsilon(1e-5));
}

TEST_CASE("two batches of 16 equal one of 32, however long their sentences are") {
  const Scratch scratch;
  std::string source, target;
  for (int i = 0; i < 32; ++i) {
    const int words = i < 16 ? 1 : 20;
    for (int word = 0; word < words; ++word) {
      source += (word > 0 ? " s" : "s") + std::to_string((i * 7 + word * 3) % 9);
      target += (word > 0 ? " t" : "t") + std::to_string((i * 5 + word * 4) % 9);
    }
    source += "\n";
    target += "\n";
  }
  for (const char* split : {"train", "val"}) {
    scratch.write(std::string(split) + ".source", source);
    scratch.write(std::string(split) + ".target", target);
  }
  check_accumulated("translation", scratch.path(""),
                    {{"layers", "1"},
                     {"heads", "2"},
                     {"width", "16"},
                     {"mlp_width", "16"},
                     {"dropout", "0"},
                     {"clip_norm", "0"},
                     {"min_count", "1"}},
                    "32", "16", "2");
}

TEST_CASE("a smaller last batch, and class weights, count by their total weight") {
  const Scratch scratch;
  std::string lines;
  for (int i = 0; i < 24; ++i)  // 18 of one class, 6 of the other
    lines += concat(i % 4 == 0 ? "rare" : "common", "\tw", i % 5, " w", i % 7, " w", i % 3, "\n");
  scratch.write("train.tsv", lines);
  scratch.write("val.tsv", lines);
  for (const char* balanced : {"false", "true"}) {
    CAPTURE(balanced);
    check_accumulated("text-classifier", scratch.path(""),
                      {{"layers", "1"},
                       {"heads", "2"},
                       {"width", "16"},
                       {"mlp_width", "16"},
                       {"dropout", "0"},
                       {"token_dropout", "0"},
                       {"clip_norm", "0"},
                       {"min_count", "1"},
                       {"balanced", balanced}},
                      "24", "16", "2");
  }
}

}  // namespace
}  // namespace tarsier::zoo
