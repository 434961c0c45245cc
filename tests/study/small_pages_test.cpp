// Pages of small expressions, made for one question each, opened in a browser.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "tests/study/checked.h"
#include "zoo/study/page.h"
#include "zoo/study/recorder.h"

namespace tarsier::study {
namespace {

/// Σ of the squares of an attention of two heads over four positions, recorded.
Recording attention_recording(const std::string& title, double scale) {
  Recorder recorder;
  const Tensor x = sin(to(arange(32), f64) * scale);
  Tensor q = reshape(x, {1, 2, 4, 4}).detach(), k = reshape(cos(x), {1, 2, 4, 4}).detach();
  q.requires_grad_();
  k.requires_grad_();
  recorder.name("encoder.layers.0.q", q);
  recorder.name("encoder.layers.0.k", k);
  sum(square(scaled_dot_product_attention(q, k, k))).backward();
  Recording recording = recorder.recording();
  recording.title = title;
  for (int node = 0; node < 2; ++node) {
    const Tensor& values = recording.tensors[static_cast<size_t>(node)].values;
    ParameterLine line;
    line.node = node;
    line.grad_norm = scale * (node + 1);
    line.norm = std::sqrt(sum(square(values)).item());
    recording.parameters.push_back(line);
  }
  return recording;
}

TEST_CASE("study: two recordings are compared by name, module and attention") {
  const std::string chromium = browser();
  if (chromium.empty()) return;
  const Recording a = attention_recording("attention, step 1", 0.7),
                  b = attention_recording("attention scale=1.3, step 1", 1.3);
  const zoo::Scratch scratch;
  const std::vector<std::string> found =
      checked(chromium, scratch, study_page(a, &b), {"compare.js"});
  CHECK(counted(found, "modules compared") > 0);
  CHECK(counted(found, "attentions compared") == 1);
  CHECK(counted(found, "pairs listed") > 3);
}

TEST_CASE("study: an update of whole matrices shows its formula; inputs that differ are named") {
  const std::string chromium = browser();
  if (chromium.empty()) return;
  Recording a = attention_recording("A", 0.7), b = attention_recording("B", 0.7);
  const int value = a.nodes[0].value;
  a.update = Update{.optimizer = "Muon", .formula = "muon"};
  a.update->formulas = {
      {"muon",
       {{"A running mean.", "B′ = μ · B + (1 − μ) · G"}, {"The step.", "W′ = W − lr · r · O"}}}};
  a.update->weights = {{.node = 0, .before = value, .after = value, .gradient = a.nodes[0].grad}};
  b.input_differs = "one reads words";
  const zoo::Scratch scratch;
  const std::vector<std::string> found =
      checked(chromium, scratch, study_page(a, &b), {"formula.js"});
  CHECK(counted(found, "formula lines") == 2);
  CHECK(counted(found, "reasons given") == 1);
}

TEST_CASE("study: a NaN in the pass is marked where it was made") {
  const std::string chromium = browser();
  if (chromium.empty()) return;
  Recorder recorder;
  const Tensor x = from_vector<double>({1, -1, 2, 0, 3, -4}, {2, 3}).requires_grad_();
  recorder.name("x", x);
  sum(log(x) * 2).backward();
  const zoo::Scratch scratch;
  const std::vector<std::string> found =
      checked(chromium, scratch, study_page(recorder.recording()), {"faults.js"});
  CHECK(counted(found, "faults shown") == 1);
}

TEST_CASE("study: the page of a softmax of 2 × 3 can be walked") {
  const std::string chromium = browser();
  if (chromium.empty()) return;
  Recorder recorder;
  const Tensor x = from_vector<double>({0, 1, 2, 1, 1, 3}, {2, 3}).requires_grad_();
  recorder.name("x", x);
  sum(square(softmax(x, -1))).backward();
  Recording recording = recorder.recording();
  const double gradient = recording.tensors[static_cast<size_t>(recording.nodes[0].grad)]
                              .values.to_vector()[0];  // shown, and not computed again here
  recording.proof = {{.node = 0, .element = 0, .analytic = gradient, .numeric = gradient}};
  const zoo::Scratch scratch;
  const std::vector<std::string> found =
      checked(chromium, scratch, study_page(recording), {"walk.js", "look.js"});
  CHECK(counted(found, "forward steps") >= 2);
  CHECK(counted(found, "proofs shown") == 1);
  CHECK(counted(found, "derivations") == 1);
}

TEST_CASE("study: a part of a split has the proof of the number that it shows") {
  const std::string chromium = browser();
  if (chromium.empty()) return;
  Recorder recorder;
  const Tensor x = from_vector<double>({0, 1, 2, 1, 1, 3, 4, 5}, {2, 4}).requires_grad_();
  recorder.name("x", x);
  const std::vector<Tensor> parts = split(x * 2, 2, 1);
  sum(parts[0] * square(parts[1])).backward();
  Recording recording = recorder.recording();
  const auto whole = std::find_if(recording.nodes.begin(), recording.nodes.end(),
                                  [](const RecordedNode& node) { return node.op == "mul"; });
  REQUIRE(whole != recording.nodes.end());
  ProofLine proof;  // of element (1, 3): the last of the second part
  proof.node = static_cast<int>(whole - recording.nodes.begin());
  proof.element = 7;
  proof.analytic = proof.numeric =
      recording.tensors[static_cast<size_t>(whole->grad)].values.to_vector()[7];
  recording.proof = {proof};
  const zoo::Scratch scratch;
  const std::vector<std::string> found =
      checked(chromium, scratch, study_page(recording), {"walk.js"});
  CHECK(counted(found, "parts with a proof") == 1);
}

TEST_CASE("study: curves of learning are read out, and their labels are whole") {
  const std::string chromium = browser();
  if (chromium.empty()) return;
  Recorder recorder;
  const Tensor x = from_vector<double>({1, 2}, {2}).requires_grad_();
  recorder.name("x", x);
  sum(square(x)).backward();
  Recording recording = recorder.recording();
  recording.learning =
      Learning{{{"loss",
                 {{"train_loss", {10, 20, 200'000}, {4, 2, 1}}, {"val_loss", {200'000}, {1.5}}},
                 false},
                {"gap", {{"gap", {0, 1'000}, {-1, 1}}}, false}},
               {{"x", -1.25, 1.25, {1, 4, 1}, {2, 2, 2}}},
               {}};
  const zoo::Scratch scratch;
  const std::vector<std::string> found =
      checked(chromium, scratch, study_page(recording), {"charts.js"});
  CHECK(counted(found, "labels seen") > 15);
  CHECK(counted(found, "scales changed") == 1);
}

TEST_CASE("study: the page of a tape of 5,000 nodes can be walked") {
  const std::string chromium = browser();
  if (chromium.empty()) return;
  Recorder recorder;
  const Tensor w = from_vector<double>({0.9, 0.2, -0.3, 0.8}, {2, 2}).requires_grad_();
  recorder.name("w", w);
  Tensor x = from_vector<double>({1, 0.5, -0.5, 1}, {2, 2});
  for (int layer = 0; layer < 1666; ++layer) x = tanh(matmul(x, w) + x);
  sum(x).backward();
  const zoo::Scratch scratch;
  const std::vector<std::string> found =
      checked(chromium, scratch, study_page(recorder.recording()), {"large.js"});
  CHECK(counted(found, "nodes") >= 5000);
  CHECK(counted(found, "steps of the trail") > 1600);
  MESSAGE("ready after ", counted(found, "ms until the page was ready"), " ms, ",
          counted(found, "ms for a step"), " ms for a step");
}

}  // namespace
}  // namespace tarsier::study
