// Recording an expression: what the study page shows.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "autograd/ops.h"
#include "nn/nn.h"
#include "optim/optim.h"
#include "tests/error_of.h"
#include "tests/zoo/recorded.h"
#include "zoo/gpt/model.h"
#include "zoo/study/proof.h"
#include "zoo/study/recorder.h"

using namespace tarsier;
using study::find;
using study::numbers;
using study::RecordedNode;
using study::Recorder;
using study::Recording;
using Kind = RecordedNode::Kind;

namespace {

void check_close(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) CHECK(std::fabs(a[i] - b[i]) <= tolerance);
}

zoo::gpt::Config tiny() {
  zoo::gpt::Config config;
  config.vocab_size = 11;
  config.block_size = 8;
  config.n_layer = 2;
  config.n_head = 2;
  config.n_embd = 8;
  return config;
}
Tensor gpt_loss(zoo::gpt::Gpt& model, const Tensor& tokens) {
  return cross_entropy(reshape(model(tokens), {-1, 11}), reshape(tokens, {-1}));
}

}  // namespace

TEST_SUITE_BEGIN("study");

// L = Σ w·softmax(x) by hand, with e^{ln 2} = 2 and so on:
//   row 0: x = (ln 1, ln 2, ln 1), y = (1, 2, 1)/4;  row 1: x = (ln 3, ln 1, ln 4), y = (3, 1, 4)/8
//   w = (1, 2, 3; 4, 0, 2):  w·y = 8/4 = 2 and 20/8 = 2.5
//   dx = y (w − w·y): row 0: (−1/4, 0, 1/4), row 1: (3/8·1.5, −1/8·2.5, −1/2·0.5)
TEST_CASE("the numbers of a 2 × 3 softmax are those of a calculation by hand") {
  Recorder recorder;
  const Tensor x = log(tensor({{1, 2, 1}, {3, 1, 4}}, f64)).detach().requires_grad_();
  const Tensor w = tensor({{1, 2, 3}, {4, 0, 2}}, f64);
  recorder.name("x", x);
  recorder.name("w", w);
  sum(softmax(x, 1) * w).backward();
  const Recording r = recorder.recording();

  REQUIRE(r.nodes.size() == 5);  // x, softmax, w, mul, sum
  const RecordedNode &leaf = find(r, "x"), &node = find(r, "softmax"), &product = find(r, "mul");
  const std::vector<double> y{0.25, 0.5, 0.25, 0.375, 0.125, 0.5};
  const std::vector<double> dx{-0.25, 0, 0.25, 0.5625, -0.3125, -0.25};
  check_close(numbers(r, node.value), y, 1e-15);
  check_close(numbers(r, node.grad), {1, 2, 3, 4, 0, 2}, 0);
  check_close(numbers(r, leaf.grad), dx, 1e-15);
  CHECK(node.edges == std::vector<int>{leaf.grad});
  CHECK(r.nodes[static_cast<size_t>(node.inputs[0])].name == "x");
  CHECK(r.nodes[static_cast<size_t>(product.inputs[1])].name == "w");
  CHECK(find(r, "w").kind == Kind::input);
  CHECK(find(r, "w").grad == -1);
  CHECK(r.step.loss == doctest::Approx(4.5));
  // The terms of dx[1, 0] = Σ_j dy[1, j] y[1, j] ([0 = j] − y[1, 0]) from what was recorded.
  const std::vector<double> dy = numbers(r, node.grad), saved = numbers(r, node.saved[0]);
  double sum_of_terms = 0;
  for (size_t j = 0; j < 3; ++j) sum_of_terms += dy[3 + j] * saved[3 + j] * ((j == 0) - saved[3]);
  CHECK(sum_of_terms == doctest::Approx(0.5625).epsilon(1e-12));
  CHECK(node.backward_order == 2);
  CHECK(node.file == "tests/zoo/study_test.cpp");
}

TEST_CASE("later changes in place do not reach the recording") {
  Recorder recorder;
  const Tensor x = tensor({1, 2}, f64).requires_grad_();
  recorder.name("x", x);
  sum(square(x)).backward();
  no_grad([&] {
    Tensor weights = x, gradient = x.grad();
    weights.data<double>()[0] = 100;
    gradient.data<double>()[0] = 100;
    return 0;
  });
  const Recording r = recorder.recording();
  CHECK(numbers(r, find(r, "x").value) == std::vector<double>{1, 2});
  CHECK(numbers(r, find(r, "x").grad) == std::vector<double>{2, 4});
}

TEST_CASE("a training step has the same bits with a recorder and without") {
  const auto train = [](bool record) {
    manual_seed(5);
    zoo::gpt::Gpt model(tiny());
    const Tensor tokens = randint(0, 11, {2, 6});
    optim::AdamW optimizer(model.named_parameters(), {.lr = 1e-2});
    for (int step = 0; step < 3; ++step) {
      std::optional<Recorder> recorder;
      if (record) recorder.emplace();
      optimizer.zero_grad();
      gpt_loss(model, tokens).backward();
      optimizer.step();
    }
    std::vector<float> all;
    for (const Tensor& p : model.parameters())
      for (const float v : p.to_vector<float>()) all.push_back(v);
    return all;
  };
  const std::vector<float> with = train(true), without = train(false);
  REQUIRE(with.size() == without.size());
  CHECK(std::memcmp(with.data(), without.data(), with.size() * sizeof(float)) == 0);
}

TEST_CASE("what is shown inside fused ops leads to the same gradients") {
  manual_seed(5);
  zoo::gpt::Gpt model(tiny());
  model.to(f64);
  const Tensor tokens = randint(0, 11, {1, 6});
  Recorder recorder;
  recorder.watch(model);
  recorder.name("tokens", tokens);
  gpt_loss(model, tokens).backward();
  const Recording r = recorder.recording();
  int groups = 0;
  std::vector<std::string> fused;
  for (size_t id = 0; id < r.nodes.size(); ++id) {
    const RecordedNode& n = r.nodes[id];
    if (n.kind != Kind::op || n.group >= 0) continue;
    int last = -1;
    for (size_t k = id; k < r.nodes.size(); ++k)
      if (r.nodes[k].group == static_cast<int>(id)) last = static_cast<int>(k);
    if (last < 0) continue;
    ++groups;
    fused.push_back(n.op);
    const RecordedNode& end = r.nodes[static_cast<size_t>(last)];
    check_close(numbers(r, end.value), numbers(r, n.value), 1e-12);
    check_close(numbers(r, end.grad), numbers(r, n.grad), 0);
    CHECK(end.path == n.path);
  }
  CHECK(groups == 8);  // 5 norms, 2 attentions, 1 loss
  REQUIRE(r.attention.size() == 2);
  const Tensor weights = r.tensors[static_cast<size_t>(r.attention[0].weights)].values;
  CHECK(weights.shape() == Shape{1, 2, 6, 6});
  check_close(sum(weights, -1).to_vector(), std::vector<double>(12, 1), 1e-12);
  CHECK(r.attention[0].path == "transformer.h.0.attn");
  // Inputs stand before the nodes that use them.
  for (size_t id = 0; id < r.nodes.size(); ++id)
    for (const int input : r.nodes[id].inputs) CHECK(input < static_cast<int>(id));
  CHECK(find(r, "tokens").kind == Kind::input);
  CHECK(find(r, "transformer.wte.weight").path == "transformer.wte");
  // The gradients of the leaves are those that backward() left.
  for (const auto& [name, p] : model.named_parameters())
    CHECK(numbers(r, find(r, name).grad) == p.grad().to_vector());
}

TEST_CASE("views say where they look, and the parts of a split send their own share") {
  Recorder recorder;
  const Tensor x = tensor({{1, 2, 3, 4}, {5, 6, 7, 8}}, f64).requires_grad_();
  recorder.name("x", x);
  const auto parts = split(square(x), 2, 1);
  sum(parts[1] * 3 + parts[0]).backward();
  const Recording r = recorder.recording();
  std::vector<const RecordedNode*> found;
  for (const RecordedNode& n : r.nodes)
    if (n.op == "split") found.push_back(&n);
  REQUIRE(found.size() == 2);
  CHECK(found[1]->output == 1);
  REQUIRE(found[1]->view);
  CHECK(found[1]->view->offset == 2);
  CHECK(found[1]->view->strides == std::vector<int64_t>{4, 1});
  CHECK(numbers(r, found[1]->value) == std::vector<double>{9, 16, 49, 64});
  CHECK(numbers(r, found[1]->edges[0]) == std::vector<double>{0, 0, 3, 3, 0, 0, 3, 3});
  CHECK(numbers(r, found[0]->edges[0]) == std::vector<double>{1, 1, 0, 0, 1, 1, 0, 0});
  CHECK(numbers(r, find(r, "square").grad) == std::vector<double>{1, 1, 3, 3, 1, 1, 3, 3});
}

TEST_CASE("several walks: the last one counts") {
  Recorder recorder;
  const Tensor x = tensor({3}, f64).requires_grad_();
  recorder.name("x", x);
  const Tensor y = square(x);
  sum(y).backward({}, true);
  sum(y * 5).backward({}, true);
  Recording r = recorder.recording();
  CHECK(numbers(r, find(r, "x").grad) == std::vector<double>{30});
  CHECK(r.step.loss == 45);
  CHECK(r.nodes[static_cast<size_t>(r.loss)].op == "sum");

  // d/dx (dy/dx)² with y = x²: the first gradient 2x is part of the graph of the second.
  const Tensor dx = grad({sum(square(x))}, {x}, {}, false, true)[0];
  sum(square(dx)).backward();
  r = recorder.recording();
  CHECK(numbers(r, find(r, "x").grad) == std::vector<double>{24});
}

TEST_CASE("the first node with a NaN is marked; masks of −∞ are meant") {
  const auto bad = [](const Tensor& x) {
    Recorder recorder;
    sum(square(log(masked_fill(x, x > 5, -INFINITY)))).backward();
    const Recording r = recorder.recording();
    std::vector<std::string> names;
    for (const RecordedNode& n : r.nodes)
      if (n.bad) names.push_back(n.op);
    return names;
  };
  CHECK(bad(tensor({1, -1}, f64).requires_grad_()) == std::vector<std::string>{"log"});
  CHECK(bad(tensor({1, 2}, f64).requires_grad_()).empty());
}

TEST_CASE("what cannot be recorded says why") {
  const Tensor x = ones({2}), w = ones({2}).requires_grad_();
  {
    Recorder recorder;
    sum(square(x));
    check_error("[study] nothing was recorded", [&] { recorder.recording(); });
  }
  {
    Recorder recorder;
    sum(square(w));
    check_error("[study] there are no gradients yet", [&] { recorder.recording(); });
    check_error("already observes this thread", [] { Recorder second; });
    check_error("the tensor is undefined", [&] { recorder.name("t", Tensor()); });
  }
  const Tensor before = sum(square(w));
  Recorder recorder;
  square(w);
  before.backward();
  check_error("before the recorder was made", [&] { recorder.recording(); });
}

TEST_CASE("parameters without a gradient, and units that never fire, are flagged") {
  nn::Linear first(2, 3);
  first.load_state_dict({{"weight", tensor({{1, 1}, {-1, -1}, {2, 1}})}, {"bias", zeros({3})}});
  Recorder recorder;
  recorder.name("weight", first.weight);
  recorder.name("bias", first.bias);
  const Tensor unused = ones({2}).requires_grad_();
  recorder.name("unused", unused);
  (sum(relu(first(ones({4, 2})))) + 0 * sum(unused)).backward();
  const Recording r = recorder.recording();
  const auto flag = [&](const std::string& name) {
    for (const auto& line : r.parameters)
      if (r.nodes[static_cast<size_t>(line.node)].name == name) return line.flag;
    return std::string("none");
  };
  CHECK(flag("weight") == "dead rows");
  CHECK(flag("bias") == "");
  CHECK(flag("unused") == "all zero");
}

// ------------------------------------------------------------------------------------ proof

TEST_CASE("differences of the loss agree with every gradient of a GPT") {
  manual_seed(5);
  zoo::gpt::Gpt model(tiny()), twin(tiny());
  twin.to(f64);
  twin.load_state_dict(model.state_dict());
  const Tensor tokens = randint(0, 11, {1, 6});
  Recorder recorder;
  recorder.watch(model);
  gpt_loss(model, tokens).backward();
  recorder.prove([&] { return gpt_loss(twin, tokens); });
  const Recording r = recorder.recording();
  CHECK(r.proof_missing == "");
  std::vector<int> lines(r.nodes.size());
  for (const auto& line : r.proof) {
    CHECK_MESSAGE(line.error < 1e-6, r.nodes[static_cast<size_t>(line.node)].op);
    CHECK(!line.kink);
    ++lines[static_cast<size_t>(line.node)];
  }
  for (size_t id = 0; id < lines.size(); ++id) {
    const RecordedNode& n = r.nodes[id];
    if (n.group < 0 && n.grad >= 0 && !n.view && n.output < 0) CHECK(lines[id] > 0);
  }
  for (const auto& parameter : r.parameters) {
    REQUIRE(parameter.error);
    CHECK(*parameter.error < 1e-6);
  }
}

TEST_CASE("a wrong gradient shows, a corner does not") {
  const auto worst = [](const std::function<Tensor(const Tensor&)>& f, const Tensor& x) {
    Recorder recorder;
    f(x).backward();
    recorder.prove([&] { return f(x); });
    const Recording r = recorder.recording();
    CHECK(r.proof_missing == "");
    double error = 0;
    bool kink = false;
    for (const auto& line : r.proof) {
      kink = kink || line.kink;
      if (!line.kink) error = std::max(error, line.error);
    }
    return std::pair(error, kink);
  };
  const Tensor x = tensor({0.5, -0.3}, f64).requires_grad_();
  const auto wrong = [](const Tensor& x) {
    const Tensor y = no_grad([&] { return exp(x); });
    return sum(record("wrong", {x}, y, Save{y}, [](const Saved& saved, const Tensor& dy) -> Grads {
      return {dy * saved[0] * 1.01};
    }));
  };
  CHECK(worst(wrong, x).first == doctest::Approx(0.01).epsilon(0.02));
  CHECK(worst([](const Tensor& x) { return sum(exp(x)); }, x).first < 1e-9);
  const Tensor corner = tensor({0, 0}, f64).requires_grad_();
  CHECK(worst([](const Tensor& x) { return sum(relu(x)); }, corner).second);
  CHECK(worst([](const Tensor& x) { return sum(relu(x)); }, corner).first < 1e-9);
  // A corner near the element, not at it: smaller steps do not reach it.
  const Tensor near = tensor({0.0003, 1}, f64).requires_grad_();
  const auto [error, kink] = worst([](const Tensor& x) { return sum(relu(x)); }, near);
  CHECK(error < 1e-9);
  CHECK(!kink);
}

TEST_CASE("without a proof the page says why") {
  const auto missing = [](const std::function<Tensor()>& loss) {
    const Tensor x = tensor({1, 2}, f64).requires_grad_();
    Recorder recorder;
    sum(exp(x)).backward();
    if (loss) recorder.prove(loss);
    const Recording r = recorder.recording();
    CHECK(r.proof.empty());
    return r.proof_missing;
  };
  const Tensor x = tensor({1, 2}, f64).requires_grad_();
  const Tensor x32 = ones({2}).requires_grad_();
  CHECK(missing({}).find("give one to prove()") != std::string::npos);
  CHECK(missing([&] { return sum(exp(x32)); }).find("must use f64") != std::string::npos);
  CHECK(missing([&] { return exp(x); }).find("not one number") != std::string::npos);
  CHECK(missing([&] { return sum(sin(x)); }).find("sin of shape (2,) in place of exp") !=
        std::string::npos);
  CHECK(missing([&] { return sum(exp(x * rand({2}, f64))); }).find("random numbers") !=
        std::string::npos);
  CHECK(missing([&] { return sum(exp(x)).detach(); }).find("requires no gradient") !=
        std::string::npos);
}

TEST_SUITE_END();
