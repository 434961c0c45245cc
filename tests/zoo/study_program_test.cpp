// `tarsier study`: the step that it records, and the command.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "tests/error_of.h"
#include "tests/zoo/program.h"
#include "tests/zoo/recorded.h"
#include "zoo/study/learning.h"
#include "zoo/study/module.h"
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
    const RecordedNode& node = find(recording, name);
    CHECK(values(recording, node.value).to_vector() == weight.to_vector());
    CHECK(values(recording, node.grad).to_vector() == weight.grad().to_vector());
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

}  // namespace
}  // namespace tarsier::study
