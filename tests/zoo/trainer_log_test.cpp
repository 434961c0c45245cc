// What training writes down on the way: norms of layers, and samples.
#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "autograd/io/json.h"
#include "tests/zoo/scratch.h"
#include "zoo/study/learning.h"
#include "zoo/task/samples.h"
#include "zoo/task/trainer.h"

namespace tarsier::zoo {
namespace {

/// The objects of a file with one a line.
std::vector<Json> lines_of(const Scratch& scratch, const std::string& file) {
  std::istringstream text(scratch.read(file));
  std::vector<Json> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(Json::parse(line));
  return lines;
}

/// Writes much, and is cut inside a character.
struct Talkative : TaskOf<nn::Linear, int64_t> {
  Talkative() : TaskOf("talkative") {}
  void show_sample(std::ostream& out) override { out << std::string(3999, 'x') << "éé"; }
  int64_t training_examples() const override { return 1; }
  Batch batch(int64_t, uint64_t) override { return {}; }
  Tensor loss(const Batch&) override { return {}; }
  Metrics validate() override { return {}; }

 protected:
  int64_t read(const std::string&) override { return 1; }
  void use(int64_t) override {}
  std::unique_ptr<nn::Linear> make_model(Generator&) override { return {}; }
};

/// The tiny GPT for `steps` steps, with settings changed, trained into `out`; stops after
/// `stop_after` if that is not 0.
TrainOutcome trained(const Scratch& scratch, const std::string& out, int64_t steps,
                     const Changes& changes, int64_t stop_after = 0, bool resume = false) {
  const std::string data = scratch.write("data.txt", small_text());
  const std::unique_ptr<Task> task = tiny_task(data, steps);
  Settings settings = task->settings();
  for (const auto& [key, value] : changes) settings.set(key, value);
  return train_task(*task, data, scratch.path(out), stop_after, resume);
}

TEST_CASE("the norms of all layers' gradients, before clipping, make up the gradient's norm") {
  const Scratch scratch;
  trained(scratch, "run", 6, {{"clip_norm", "0.01"}});
  const std::vector<Json> lines = lines_of(scratch, "run/metrics.jsonl");
  REQUIRE(lines.size() == 6);
  for (const Json& line : lines) {
    double squares = 0;
    for (const auto& [layer, norm] : line["grad_norms"].as_object())
      squares += norm.as_double() * norm.as_double();
    const double whole = line["grad_norm"].as_double();
    CHECK(whole > 0.1);  // so clipping scaled it
    CHECK(std::sqrt(squares) == doctest::Approx(whole).epsilon(1e-6));
    CHECK(line["weight_norms"].as_object().size() == line["grad_norms"].as_object().size());
  }
}

TEST_CASE("the norms of weights are those before the step") {
  const Scratch scratch;
  trained(scratch, "run", 2, {{"checkpoint_every", "1"}}, /*stop_after=*/1);
  const RunFolder folder = RunFolder::open(scratch.path("run"));
  const TensorDict after_one = folder.load_checkpoint().model;
  trained(scratch, "run", 2, {{"checkpoint_every", "1"}}, 0, /*resume=*/true);
  const std::unique_ptr<Task> fresh = tiny_task(scratch.path("data.txt"), 2);
  const std::vector<Json> lines = lines_of(scratch, "run/metrics.jsonl");
  REQUIRE(lines.size() == 2);
  const char* const layer = "transformer.h.1.mlp.c_fc";
  const auto norm_in = [&](const TensorDict& weights) {
    return norm(weights[concat(layer, ".weight")]).item();  // it has no bias
  };
  CHECK(lines[0]["weight_norms"][layer].as_double() == norm_in(fresh->model().state_dict()));
  CHECK(lines[1]["weight_norms"][layer].as_double() == norm_in(after_one));
  CHECK(norm_in(after_one) != norm_in(fresh->model().state_dict()));
}

/// The steps whose lines have norms.
std::vector<int64_t> steps_with_norms(const Scratch& scratch, const std::string& run) {
  std::vector<int64_t> steps;
  for (const Json& line : lines_of(scratch, run + "/metrics.jsonl"))
    if (line.find("weight_norms") != nullptr) steps.push_back(line["step"].as_int());
  return steps;
}

TEST_CASE("at most 100 lines have norms, evenly, and the last one; the same after a resume") {
  const Scratch scratch;
  const Changes quick{{"n_layer", "1"}, {"batch_size", "1"}, {"eval_every", "100"}};
  const auto seen = [&](int64_t steps) {
    const std::string out = std::to_string(steps);
    trained(scratch, out, steps, quick);
    return steps_with_norms(scratch, out);
  };
  CHECK(seen(3) == std::vector<int64_t>{1, 2, 3});
  CHECK(seen(100).size() == 100);
  std::vector<int64_t> even;
  for (int64_t step = 2; step <= 102; step += 2) even.push_back(step);
  even.push_back(103);
  CHECK(seen(103) == even);

  trained(scratch, "resumed", 103, quick, 51);
  trained(scratch, "resumed", 103, quick, 0, /*resume=*/true);
  const std::vector<Json> whole = lines_of(scratch, "103/metrics.jsonl"),
                          parts = lines_of(scratch, "resumed/metrics.jsonl");
  REQUIRE(parts.size() == whole.size());
  for (size_t i = 0; i < whole.size(); ++i)
    for (const char* key : {"weight_norms", "grad_norms"}) {
      const Json *a = whole[i].find(key), *b = parts[i].find(key);
      REQUIRE((a == nullptr) == (b == nullptr));
      if (a != nullptr) CHECK(a->dump() == b->dump());
    }
}

TEST_CASE("a run that ends early has norms in its last line") {
  const Scratch scratch;
  // At this rate every step makes it worse.
  const TrainOutcome outcome = trained(
      scratch, "run", 400,
      {{"learning_rate", "0.5"}, {"warmup_steps", "0"}, {"eval_every", "7"}, {"patience", "2"}});
  REQUIRE(outcome.early);
  REQUIRE(outcome.step % 4 != 0);
  CHECK(steps_with_norms(scratch, "run").back() == outcome.step);
}

TEST_CASE("samples are kept at no more than 8 validations, and at the last one") {
  const auto steps = [](int64_t all, int64_t every) {
    std::vector<int64_t> sampled;
    for (int64_t step = 1; step <= all; ++step)
      if (is_sampled(step, all, every)) sampled.push_back(step);
    return sampled;
  };
  CHECK(steps(2000, 500) == std::vector<int64_t>{500, 1000, 1500, 2000});
  CHECK(steps(10, 100) == std::vector<int64_t>{10});
  CHECK(steps(25, 10) == std::vector<int64_t>{10, 20, 25});
  for (const int64_t all : {7, 8, 9, 16, 17, 1000}) {
    const std::vector<int64_t> sampled = steps(all, 1);
    CHECK(sampled.size() <= 8);
    CHECK(sampled.size() >= 5);
    CHECK(sampled.back() == all);
  }
}

TEST_CASE("a run keeps what it wrote on the way, also when it is resumed") {
  const Scratch scratch;
  trained(scratch, "whole", 8, {});
  trained(scratch, "parts", 8, {}, 6);
  // A process that ended after its sample, and before its checkpoint.
  const RunFolder folder = RunFolder::open(scratch.path("parts"));
  std::vector<TrainingSample> samples = read_samples(folder);
  REQUIRE(samples.size() == 1);
  samples.push_back({7, "of a step that is repeated"});
  write_samples(folder, samples);
  CHECK(read_samples(folder, 6).size() == 1);
  trained(scratch, "parts", 8, {}, 0, /*resume=*/true);
  const std::vector<Json> lines = lines_of(scratch, "whole/samples.jsonl");
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["step"].as_int() == 4);
  CHECK(lines[1]["step"].as_int() == 8);
  CHECK(lines[1]["text"].as_string().size() > 20);
  CHECK(scratch.read("parts/samples.jsonl") == scratch.read("whole/samples.jsonl"));
}

TEST_CASE("samples that cannot be read are left out, and long ones are cut") {
  const Scratch scratch;
  trained(scratch, "run", 4, {});
  const RunFolder folder = RunFolder::open(scratch.path("run"));
  scratch.write("run/samples.jsonl",
                "{\"step\": 2, \"text\": \"a\"}\nnot JSON\n{\"step\": 3}\n"
                "{\"step\": 2, \"text\": \"again\"}\n{\"step\": 4, \"text\": \"b\"}\n{\"st");
  const std::vector<TrainingSample> samples = read_samples(folder);
  REQUIRE(samples.size() == 2);
  CHECK(samples[1].step == 4);
  CHECK(samples[1].text == "b");

  Talkative task;
  CHECK(sample_of(task, 1).text == std::string(3999, 'x') + "\xEF\xBF\xBD …");
}

TEST_CASE("the study's sample of the kept weights is named after their step") {
  const Scratch scratch;
  // After step 2 every step makes it worse.
  const TrainOutcome outcome = trained(scratch, "run", 6,
                                       {{"learning_rate", "0.9"},
                                        {"warmup_steps", "0"},
                                        {"ema_decay", "0"},
                                        {"schedule", "constant"},
                                        {"eval_every", "2"}});
  REQUIRE(outcome.best_step < 6);
  const RunFolder folder = RunFolder::open(scratch.path("run"));
  int64_t step = 0;
  folder.load_weights(&step);
  CHECK(step == outcome.best_step);
  const std::unique_ptr<Task> task = loaded_task(scratch.path("run"));
  task->load_data(scratch.path("data.txt"));
  const auto steps = [&] {
    std::vector<int64_t> found;
    for (const auto& sample : study::learning_of(*task, folder).samples)
      found.push_back(sample.step);
    return found;
  };
  CHECK(steps() == std::vector<int64_t>{0, 2, 4, 6});
  const auto kept = read_samples(folder);
  write_samples(folder, {kept.back()});
  CHECK(steps() == std::vector<int64_t>{0, outcome.best_step, 6});
  for (const auto& sample : study::learning_of(*task, folder).samples)
    if (sample.step == outcome.best_step)
      CHECK(sample.text == kept[static_cast<size_t>(outcome.best_step / 2 - 1)].text);
}

}  // namespace
}  // namespace tarsier::zoo
