// The study pages of the zoo's models, as `tarsier study` writes them, walked through in a browser.
#include <doctest/doctest.h>

#include "autograd/ops.h"
#include "tests/study/checked.h"
#include "tests/zoo/program.h"
#include "zoo/study/page.h"
#include "zoo/study/recorder.h"

namespace tarsier::study {
namespace {

/// How many of what a small model has few are at least found, less one.
struct Least {
  int names = 20, updates = 20, derivations = 4;
  bool proof = true;  ///< whether differences of the loss are shown
};

/// Writes the page of a new model and walks through it.
void check_model(const std::string& model, int attentions, const Least& least = {}) {
  const std::string chromium = browser();
  if (chromium.empty()) return;
  const zoo::Scratch scratch;
  const zoo::Result result =
      zoo::tarsier(scratch, "study " + model + " --out page.html --proof 1 --threads 2");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const std::vector<std::string> found =
      checked(chromium, scratch, scratch.read("page.html"), {"walk.js", "look.js"});
  CHECK(counted(found, "forward steps") > 50);
  CHECK(counted(found, "backward steps") > 50);
  CHECK(counted(found, "update steps") > least.updates);
  CHECK(counted(found, "values compared") > 200);
  CHECK(counted(found, "gradients compared") > 400);
  CHECK((counted(found, "proofs shown") > 0) == least.proof);  // how many depends on their time
  CHECK(counted(found, "queries followed") == attentions);
  CHECK(counted(found, "derivations") > least.derivations);
  CHECK(counted(found, "matrices moved in") == 1);
  CHECK(counted(found, "heads compared") == 1);
  CHECK(counted(found, "pages turned") == 1);
  CHECK(counted(found, "tensors with names") > least.names);
  CHECK(counted(found, "boxes reached") > 5);
}

TEST_CASE("study: a browser walks through the page of a GPT") { check_model("gpt", 4); }

TEST_CASE("study: a browser walks through the page of a Transformer") {
  check_model("transformer", 6);
}

TEST_CASE("study: a browser walks through the page of a text classifier") {
  check_model("text-classifier", 2);
}

TEST_CASE("study: a browser walks through the page of a ViT") { check_model("vit", 4); }

TEST_CASE("study: a browser walks through the page of a Diffusion Transformer") {
  check_model("diffusion", 4);
}

TEST_CASE("study: a browser walks through the page of a segmenter") {
  check_model("segmentation --set layers=1", 3);
}

TEST_CASE("study: a browser walks through the page of a detector") {
  // It decides by numbers that backward takes as given, so differences prove nothing.
  check_model("detection --set layers=1 --set decoder_layers=1", 3, {.proof = false});
}

TEST_CASE("study: a browser walks through the page of a captioner") {
  check_model("captioning --set layers=1 --set decoder_layers=1", 3);
}

TEST_CASE("study: a browser walks through the page of a CLIP") {
  // Neither patches nor words have names: there are several of each.
  check_model("clip --set layers=1", 2, {.names = -1});
}

TEST_CASE("study: a browser walks through the page of a summariser") {
  check_model("summarize --set layers=1", 3, {.names = 2});
}

TEST_CASE("study: a browser walks through the page of a reader that answers questions") {
  check_model("question-answering", 6);  // five of them with positions relative to the line
}

TEST_CASE("study: a browser walks through the page of a model of music") {
  // Its attention, by distances, is written out: no op of its own.
  check_model("music --set layers=2", 2, {.names = -1, .updates = 15, .derivations = 2});
}

TEST_CASE("study: a browser walks through the page of a GPT of pixels") {
  // The places of blocks do not pass through the sum of their pixels' embeddings.
  check_model("image-gpt --set layers=1", 1, {.names = -1, .updates = 15, .derivations = 1});
}

TEST_CASE("study: a browser walks through the page of a speech recogniser") {
  // Frames have no names, and those of the moments do not pass through the convolutions.
  check_model("speech", 2, {.names = 3});
}

TEST_CASE("study: the class token of a ViT has a name of its own among the patches") {
  const std::string chromium = browser();
  if (chromium.empty()) return;
  const zoo::Scratch scratch;
  const zoo::Result result = zoo::tarsier(
      scratch, "study vit --set pooling=class_token --set layers=1 --out page.html --proof 0");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const std::vector<std::string> found =
      checked(chromium, scratch, scratch.read("page.html"), {"look.js"});
  CHECK(counted(found, "class tokens") == 1);
}

TEST_CASE("study: a browser walks through the page of a recommender") {
  check_model("recommend", 2);
}

TEST_CASE("study: names and tokens that look like markup stay text") {
  const std::string chromium = browser();
  if (chromium.empty()) return;
  const std::string attack = "</script><script>window.studyAttack = 1</script><img src=x>";
  Recorder recorder;
  const Tensor q = from_vector<double>({1, 2, 0, 1, 1, 0.5}, {1, 1, 3, 2}).requires_grad_();
  const Tensor k = from_vector<double>({1, 0, 2, 1, -1, 1}, {1, 1, 3, 2}).requires_grad_();
  recorder.name(attack, q);
  recorder.name("keys", k);
  sum(square(scaled_dot_product_attention(q, k, k))).backward();
  Recording recording = recorder.recording();
  recording.title = recording.command = attack;
  recording.facts = {{attack, attack}};
  recording.labels = {{"tokens", {attack, "<script>", "&lt;b&gt;"}}};
  for (AttentionLine& line : recording.attention) line.queries = line.keys = "tokens";
  // A proof of one element that was not computed, so that walk.js finds one.
  REQUIRE(recording.nodes[0].grad >= 0);
  const double gradient =
      recording.tensors[static_cast<size_t>(recording.nodes[0].grad)].values.to_vector()[0];
  recording.proof = {{.node = 0, .element = 0, .analytic = gradient, .numeric = gradient}};
  const zoo::Scratch scratch;
  const std::vector<std::string> found =
      checked(chromium, scratch, study_page(recording), {"walk.js", "look.js"});
  CHECK(counted(found, "tokens like markup") == 2);
  CHECK(counted(found, "queries followed") == 1);
}

}  // namespace
}  // namespace tarsier::study
