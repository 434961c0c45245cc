// The rules of the study page (zoo/study/page/rules*.js), run in a browser on every op of the
// registry, and on those that only layers record: sums of terms against the gradients that the kernels computed, and against differences.
#include <doctest/doctest.h>

#include <set>

#include "autograd/autograd.h"
#include "autograd/ops/loss/logits.h"
#include "autograd/ops/norm/channels.h"
#include "tests/ops/registry.h"
#include "tests/study/browser.h"
#include "zoo/study/recorder.h"

namespace tarsier::study {
namespace {

/// One case of rules.js: {"name": …, "data": …, "numbers": …}.
std::string case_of(const std::string& name, const PageData& page) {
  return "{\"name\":\"" + name + "\",\"data\":" + page.json + ",\"numbers\":\"" + page.numbers +
         "\"}";
}

/// Σ of all elements, each with another weight, so that every element has another gradient.
Tensor weighted_sum(const Tensor& y) {
  const Tensor weights = sin(to(arange(y.numel()), f64) * 0.375) + 0.25;
  return sum(y * to(reshape(weights, y.shape()), y.dtype()));
}

/// The page's data of one call of an op; nothing if the op has no gradient.
std::string recorded(const test::Op& op, const std::string& name, const test::Tensors& sample) {
  Recorder recorder({.inside = true});
  test::Tensors inputs;
  for (size_t i = 0; i < sample.size(); ++i) {
    const bool varies =
        is_floating(sample[i].dtype()) && i + static_cast<size_t>(op.constants) < sample.size();
    inputs.push_back(varies ? sample[i].detach() : sample[i]);
    if (varies) inputs.back().requires_grad_(true);
    recorder.name("input " + std::to_string(i), inputs.back());
  }
  const Tensor y = op.call(inputs);
  if (!y.requires_grad() || y.numel() == 0) return "";
  weighted_sum(y).backward();
  return case_of(name, page_data(recorder.recording()));
}

/// What layers of nn record, and ops.h does not have.
std::vector<test::Op> ops_of_layers() {
  using test::values;
  return {{.name = "channel_affine",
           .call = [](const auto& x) { return tarsier::detail::channel_affine(x[0], x[1], x[2]); },
           .samples = {{values({2, 3, 4}), values({3}), values({3})}}},
          {.name = "logits_loss",
           .call = [](const auto& x) { return tarsier::detail::logits_loss(x[0], x[1]); },
           .samples = {{values({2, 3}), values({2, 3}, 0, 1)}}}};
}

/// A page with only the rules, and cases.
std::string page_of(const std::string& cases, const std::string& script) {
  std::string text = "<!doctype html><meta charset=\"utf-8\"><body>";
  text += "<script type=\"application/json\" id=\"cases\">[" + cases + "]</script><script>";
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(source_file("zoo/study/page"))) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("rules") || name == "maths.js" || name == "explain.js" ||
        name == "derivations.js")
      files.insert(entry.path());
  }
  for (const auto& file : files) text += text_of(file);
  return text + text_of(source_file(script)) + "</script>";
}

TEST_CASE("study: the rules of the page give the gradients that the kernels computed") {
  const std::string chromium = browser();
  if (chromium.empty()) return;
  std::string cases;
  std::vector<test::Op> ops = test::registry();
  for (test::Op& op : ops_of_layers()) ops.push_back(std::move(op));
  for (const test::Op& op : ops) {
    if (!op.differentiable) continue;
    int number = 0;
    for (const test::Tensors& sample : op.samples) {
      const std::string name = op.name + " " + op.what + " " + std::to_string(number++);
      const std::string one = recorded(op, name, sample);
      if (!one.empty()) cases += (cases.empty() ? "" : ",") + one;
    }
  }
  const zoo::Scratch scratch;
  scratch.write("rules.html", page_of(cases, "tests/study/rules.js"));
  const Opened opened = open_page(chromium, scratch, "rules.html");
  CHECK(opened.complaints == "");
  CHECK(lines_with(opened.dom, "ok") == std::vector<std::string>{"end"});
  for (const std::string& line : lines_with(opened.dom, "FAIL")) FAIL_CHECK(line);
  CHECK(lines_with(opened.dom, "without a rule:") == std::vector<std::string>{});
  CHECK(lines_with(opened.dom, "does not fit:") == std::vector<std::string>{});
  for (const std::string& line : lines_with(opened.dom, "compared")) MESSAGE("compared ", line);
}

TEST_CASE("study: the numbers of a softmax of 2 × 3 are those of a calculation by hand") {
  const std::string chromium = browser();
  if (chromium.empty()) return;
  Recorder recorder;
  const double ln2 = std::log(2), ln3 = std::log(3);
  const Tensor x =
      from_vector(std::vector<double>{0, ln2, ln3, 1, 1, 1}, {2, 3}).requires_grad_(true);
  const Tensor upstream = from_vector(std::vector<double>{6, 0, 0, 0, 9, 0}, {2, 3});
  recorder.name("x", x);
  sum(softmax(x, -1) * upstream).backward();
  const zoo::Scratch scratch;
  scratch.write("softmax.html", page_of(case_of("softmax", page_data(recorder.recording())),
                                        "tests/study/softmax.js"));
  const Opened opened = open_page(chromium, scratch, "softmax.html");
  CHECK(opened.complaints == "");
  // Row 1: y = (1, 2, 3)/6 and Σ dy·y = 1, so dx = (1·5, 2·(−1), 3·(−1))/6.
  // Row 2: y = (1, 1, 1)/3 and Σ dy·y = 3, so dx = (−3, 6, −3)/3.
  CHECK(lines_with(opened.dom, "y") ==
        std::vector<std::string>{"0.166667 0.333333 0.500000 0.333333 0.333333 0.333333"});
  CHECK(lines_with(opened.dom, "dx") ==
        std::vector<std::string>{"0.833333 -0.333333 -0.500000 -1.000000 2.000000 -1.000000"});
  CHECK(lines_with(opened.dom, "recorded") == lines_with(opened.dom, "dx"));
  CHECK(lines_with(opened.dom, "term") ==
        std::vector<std::string>{"dy[0,0] · y[0,0] · (1 − y[0,0]) = 0.833333",
                                 "dy[0,1] · y[0,1] · (0 − y[0,0]) = 0.000000",
                                 "dy[0,2] · y[0,2] · (0 − y[0,0]) = 0.000000"});
  // The same numbers stand in the worked derivation.
  CHECK(lines_with(opened.dom, "derivation") == std::vector<std::string>{"5 of 5"});
}

}  // namespace
}  // namespace tarsier::study
