// `tarsier study`: the step that it records, and the command.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "tests/error_of.h"
#include "tests/zoo/program.h"
#include "zoo/study/learning.h"
#include "zoo/study/page.h"
#include "zoo/study/step.h"
#include "zoo/study/walk.h"
#include "zoo/task/models.h"

namespace tarsier::study {
namespace {

using zoo::complaint;
using zoo::has;
using zoo::Place;
using zoo::Result;
using zoo::Scratch;

/// The tiny GPT, built, with its data.
std::unique_ptr<zoo::Task> tiny(const Scratch& scratch) {
  const std::string data = scratch.write("data.txt", zoo::small_text());
  std::unique_ptr<zoo::Task> task = zoo::tiny_task(data, 8);
  task->load_data(data);
  task->build(3);
  return task;
}

const RecordedNode& parameter(const Recording& recording, const std::string& name) {
  for (const RecordedNode& node : recording.nodes)
    if (node.name == name) return node;
  FAIL(name);
  return recording.nodes[0];
}

const Tensor& values(const Recording& recording, int tensor) {
  return recording.tensors[static_cast<size_t>(tensor)].values;
}

TEST_CASE("study: the recorded step has the bits of one that nobody watches") {
  const Scratch scratch;
  const std::unique_ptr<zoo::Task> task = tiny(scratch), plain = tiny(scratch);
  const Recording recording = record_step(*task, 3, nullptr, {.tokens = 6, .proof_seconds = 0});

  plain->model().train();
  default_generator().set_state({3, uint64_t{1} << 24});
  const Tensor loss = plain->loss(plain->study_input(6, 3).batch);
  loss.backward();
  CHECK(recording.step.loss == loss.item());
  CHECK(recording.step.number == 1);
  for (const auto& [name, weight] : plain->model().named_parameters()) {
    CAPTURE(name);
    const RecordedNode& node = parameter(recording, name);
    CHECK(values(recording, node.value).to_vector() == weight.to_vector());
    CHECK(values(recording, node.grad).to_vector() == weight.grad().to_vector());
  }
}

TEST_CASE("study: the update is AdamW's formula with the step's numbers") {
  const Scratch scratch;
  const std::unique_ptr<zoo::Task> task = tiny(scratch);
  const zoo::Recipe& recipe = task->recipe;
  const Recording recording = record_step(*task, 3, nullptr, {.tokens = 6, .proof_seconds = 0});
  REQUIRE(recording.update.has_value());
  CHECK(recording.update->weights.size() == task->model().named_parameters().size());
  for (const Update::Weight& weight : recording.update->weights) {
    const std::vector<double> before = values(recording, weight.before).to_vector(),
                              after = values(recording, weight.after).to_vector(),
                              g = values(recording, weight.gradient).to_vector();
    // In the first step the corrected moments are g and g².
    for (size_t i = 0; i < g.size(); ++i) {
      const double expected = before[i] * (1 - weight.lr * weight.weight_decay) -
                              weight.lr * g[i] / (std::abs(g[i]) + 1e-8);
      CHECK(std::abs(after[i] - expected) < 1e-6 * std::max(1.0, std::abs(before[i])));
    }
    CHECK(weight.weight_decay ==
          (values(recording, weight.before).dim() >= 2 ? recipe.weight_decay : 0));
  }
}

TEST_CASE("study: attention is found in every layer, with the tokens as labels") {
  const Scratch scratch;
  const std::unique_ptr<zoo::Task> task = tiny(scratch);
  const Recording recording = record_step(*task, 3, nullptr, {.tokens = 6, .proof_seconds = 0.2});
  CHECK(recording.attention.size() == 2);
  for (const AttentionLine& line : recording.attention) {
    CHECK(line.keys == "tokens");
    CHECK(line.queries == "tokens");
    const Tensor& weights = values(recording, line.weights);
    CHECK(weights.shape() == Shape{1, 2, 6, 6});
    for (const double row : sum(weights, {-1}).to_vector()) CHECK(std::abs(row - 1) < 1e-5);
    CHECK(line.grad >= 0);
  }
  CHECK(!recording.proof.empty());
  for (const ProofLine& line : recording.proof)
    CHECK_MESSAGE((line.kink || line.error < 1e-4), line.node);
}

TEST_CASE("study: one module alone keeps what feeds it") {
  const Scratch scratch;
  const std::unique_ptr<zoo::Task> task = tiny(scratch);
  const Recording all = record_step(*task, 3, nullptr, {.tokens = 6, .proof_seconds = 0});
  const Recording part = only_module(all, "transformer.h.1");
  CHECK(part.nodes.size() < all.nodes.size() / 2);
  CHECK(part.attention.size() == 1);
  for (size_t id = 0; id < part.nodes.size(); ++id) {
    const RecordedNode& node = part.nodes[id];
    for (const int input : node.inputs) CHECK(input < static_cast<int>(id));
    if (node.kind == RecordedNode::Kind::op) CHECK(node.path.starts_with("transformer.h.1"));
  }
  CHECK(page_data(part).json.find("transformer.h.0.attn.c_attn") == std::string::npos);
  const std::string error = error_of([&] { only_module(all, "transformer.h.7"); });
  CHECK(has(error, "there is no module 'transformer.h.7'"));
  CHECK(has(error, "transformer.h.1"));
}

TEST_CASE("study: the walk as text has every op twice, in the order of the passes") {
  const Scratch scratch;
  const std::unique_ptr<zoo::Task> task = tiny(scratch);
  const Recording recording = record_step(*task, 3, nullptr, {.tokens = 6, .proof_seconds = 0});
  std::ostringstream out;
  print_walk(recording, out);
  const std::string text = out.str();
  const size_t middle = text.find("Backward:");
  CHECK(text.find("cross_entropy") > text.find("embedding"));
  CHECK(text.find("cross_entropy", middle) < text.find("embedding", middle));
  CHECK(text.find("transformer.h.1.attn") < middle);
}

TEST_CASE("study: the program writes a page of a new model, of a run, and of two") {
  const Place place(/*with_run=*/true);
  const std::string settings =
      " --data data.txt --set n_layer=1 --set n_head=2 --set n_embd=16 --set block_size=8 "
      "--proof 0.1 --tokens 5";
  Result result = zoo::tarsier(place, "study gpt --out one.html" + settings);
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(has(result.out, "Wrote one.html"));
  const std::string page = place.read("one.html");
  for (const char* part : {"id=\"study-data\"", "id=\"study-numbers\"",
                           "\"title\": \"gpt n_layer=1 ", "--back:", "Study.start()"})
    CHECK_MESSAGE(has(page, part), part);
  CHECK(page.find("/*DATA*/") == std::string::npos);

  result = zoo::tarsier(place, "study run --out run.html --proof 0");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const std::string of_run = place.read("run.html");
  CHECK(has(of_run, "\"title\": \"gpt, step 5\""));
  CHECK(has(of_run, "norm of the weights of each layer"));
  CHECK(has(of_run, "\"histograms\": [{"));

  result = zoo::tarsier(place, "study gpt --out two.html --against gpt --against-set norm=rms" +
                                   settings +
                                   " --against-set n_layer=1 --against-set n_head=2 --against-set "
                                   "n_embd=16 --against-set block_size=8");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(has(place.read("two.html"), "\"against\": {"));
  CHECK(has(page, "\"against\": null"));

  result = zoo::tarsier(place, "study gpt --print" + settings);
  CHECK(result.code == 0);
  CHECK(has(result.out, "Backward:"));
}

TEST_CASE("study: wrong input is named, and nothing that exists is lost") {
  const Place place(/*with_run=*/true);
  const auto error = [&](const std::string& arguments, int code) {
    const Result result = zoo::tarsier(place, "study " + arguments);
    CHECK(result.code == code);
    return complaint(result);
  };
  CHECK(has(error("gtp", 2), "gpt"));
  CHECK(has(error("./nowhere", 1), "nowhere"));
  CHECK(has(error("run --set n_layer=2", 2), "keeps its settings"));
  CHECK(has(error("gpt --against-set norm=rms", 2), "--against"));
  place.write("old.html", "old");
  CHECK(has(error("run --module nowhere --out old.html --proof 0", 1), "no module 'nowhere'"));
  CHECK(place.read("old.html") == "old");
  CHECK(has(error("run --out no/folder/page.html --proof 0", 1), "no/folder"));
  place.write("other/config.json", "{\"a\": 1}");
  CHECK(has(error("./other", 1), "other"));
}

TEST_CASE("study: a page that no browser opens quickly is refused with its size") {
  const Place place;
  const Result result = zoo::tarsier(
      place,
      "study gpt --data data.txt --proof 0 --tokens 14 --set n_layer=120 --set n_embd=512 "
      "--set n_head=4 --set block_size=14");
  CHECK(result.code == 1);
  const std::string text = complaint(result);
  CHECK(has(text, "MB of numbers"));
  CHECK(has(text, "--module"));
}

}  // namespace
}  // namespace tarsier::study
