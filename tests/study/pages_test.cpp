// The study pages of the zoo's models, as `tarsier study` writes them, walked through in a browser.
#include <doctest/doctest.h>

#include "autograd/ops.h"
#include "tests/study/browser.h"
#include "tests/zoo/program.h"
#include "zoo/study/page.h"
#include "zoo/study/recorder.h"

namespace tarsier::study {
namespace {

/// The page with walk.js after its own script.
std::string with_walk(const std::string& page) {
  const std::string mark = "</script>";
  const size_t at = page.rfind(mark) + mark.size();
  return page.substr(0, at) + "<script>" + text_of(source_file("tests/study/walk.js")) + mark +
         page.substr(at);
}

/// Walks through a page; everything that walk.js finds wrong fails the test. Gives what it counted.
std::vector<std::string> walked(const std::string& chromium, const zoo::Scratch& scratch,
                                const std::string& page) {
  scratch.write("walk.html", with_walk(page));
  const Opened opened = open_page(chromium, scratch, "walk.html");
  CHECK(opened.complaints == "");
  for (const std::string& line : lines_with(opened.dom, "FAIL")) FAIL_CHECK(line);
  CHECK(lines_with(opened.dom, "ok") == std::vector<std::string>{"end"});
  return lines_with(opened.dom, "counted");
}

/// The number before `what` in lines such as "134 forward steps"; 0 if there is none.
int counted(const std::vector<std::string>& lines, const std::string& what) {
  for (const std::string& line : lines)
    if (line.ends_with(" " + what)) return std::stoi(line);
  return 0;
}

/// Writes the page of a new model and walks through it.
void check_model(const std::string& model, int attentions) {
  const std::string chromium = browser();
  if (chromium.empty()) return;
  const zoo::Scratch scratch;
  const zoo::Result result =
      zoo::tarsier(scratch, "study " + model + " --out page.html --proof 1 --threads 2");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const std::vector<std::string> found = walked(chromium, scratch, scratch.read("page.html"));
  CHECK(counted(found, "forward steps") > 50);
  CHECK(counted(found, "backward steps") > 50);
  CHECK(counted(found, "update steps") > 20);
  CHECK(counted(found, "values compared") > 200);
  CHECK(counted(found, "gradients compared") > 400);
  CHECK(counted(found, "proofs shown") > 0);  // how many depends on the time that they take
  CHECK(counted(found, "queries followed") == attentions);
  CHECK(counted(found, "derivations") > 4);
}

TEST_CASE("study: a browser walks through the page of a GPT") { check_model("gpt", 4); }

TEST_CASE("study: a browser walks through the page of a Transformer") {
  check_model("transformer", 6);
}

TEST_CASE("study: a browser walks through the page of a text classifier") {
  check_model("text-classifier", 2);
}

TEST_CASE("study: a browser walks through the page of a ViT") { check_model("vit", 4); }

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
  const std::vector<std::string> found = walked(chromium, scratch, study_page(recording));
  CHECK(counted(found, "tokens like markup") == 2);
  CHECK(counted(found, "queries followed") == 1);
}

}  // namespace
}  // namespace tarsier::study
