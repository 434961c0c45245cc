// Errors name the line that called the op, whatever functions are in between.
#include "autograd/base/call_site.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "autograd/ops.h"
#include "autograd/tape/node.h"
#include "nn/nn.h"
#include "tests/error_of.h"
#include "tests/ops/compare.h"

namespace tarsier {
namespace {

using Here = std::source_location;

/// " (called at …/call_site_test.cpp:40" for a line of this file.
std::string called_at(int line) {
  return concat(" (called at ", Here::current().file_name(), ":", line);
}
bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}
/// Checks that `f`, on the line `here`, throws an Error that ends with that line.
void check_names_line(const std::function<void()>& f, Here here = Here::current()) {
  const std::string error = full_error_of(f);
  CAPTURE(error);
  CHECK(ends_with(error, called_at(static_cast<int>(here.line())) + ")"));
}

TEST_CASE("errors of ops end with the line that called") {
  const Tensor a = ones({4, 3}), b = ones({5, 2}), i = arange(3);
  const int line = Here::current().line() + 1;
  const std::string error = full_error_of([&] { matmul(a, b); });
  CHECK(error == "[matmul] shapes (4, 3) and (5, 2) do not multiply: inner sizes 3 and 5 differ" +
                     called_at(line) + ")");
  check_names_line([&] { a + b; });
  check_names_line([&] { exp(i); });
  check_names_line([&] { reshape(a, {5, -1}); });
  check_names_line([&] { select(a, 0, 4); });
  check_names_line([&] { cat({a, b}); });
  check_names_line([&] { einsum("ij,jk->ik", {a, b}); });
  check_names_line([&] { layer_norm(a, b); });
  check_names_line([&] { embedding(a, i); });
  check_names_line([&] { cross_entropy(a, i); });
  check_names_line([&] { softmax(Tensor(), 0); });
}

TEST_CASE("functions without tensors, in-place functions and members name the line as well") {
  const Tensor a = ones({4, 3}), w = ones({2}).requires_grad_();
  check_names_line([&] { zeros({-1}); });
  check_names_line([&] { Tensor::empty({-1}); });
  check_names_line([&] { rand({2}, i64); });
  check_names_line([&] { randint(3, 3, {2}); });
  check_names_line([&] { arange(0, 1, 0); });
  check_names_line([&] { from_vector<float>({1, 2}, {3}); });
  check_names_line([&] { tensor({{1, 2}, {3}}); });
  check_names_line([&] { one_hot(a, 3); });
  check_names_line([&] { add_(w, 1.0); });
  check_names_line([&] { copy_(a, ones({2})); });
  check_names_line([&] { allclose(a, w); });
  check_names_line([&] { a.item(); });
  check_names_line([&] { a.size(2); });
  check_names_line([&] { a.data<double>(); });
  check_names_line([&] { a.backward(); });
  check_names_line([&] { arange(3).requires_grad_(); });
  check_names_line([&] { w.set_grad(a); });
  check_names_line([&] { a.register_hook([](const Tensor& g) { return g; }); });
  check_names_line([&] { grad({sum(w)}, {a}); });
}

/// Multiplies by a weight of its own, in a line of its own.
struct Own : nn::Layer<Own> {
  Tensor weight;
  static constexpr int kLine = __LINE__ + 2;
  Own() { register_parameter("weight", weight, ones({3, 2})); }
  Tensor forward(const Arg& x) { return matmul(x, weight); }
};

TEST_CASE("misuse of a layer names the line that called the layer, and its path") {
  nn::Sequential model;
  model.add<nn::Linear>(3, 4).add<nn::GELU>().add<nn::Linear>(5, 2);
  const Tensor x = ones({2, 3});
  const int line = Here::current().line() + 1;
  const std::string error = full_error_of([&] { model(x); });
  CAPTURE(error);
  CHECK(ends_with(error, called_at(line) + ") (in 2)"));

  nn::MultiheadAttention attention(8, 2);
  check_names_line([&] { attention(ones({2, 3, 7})); });
  nn::LayerNorm norm(4);
  check_names_line([&] { norm(ones({2, 3})); });
  nn::Embedding embedding(4, 2);
  check_names_line([&] { embedding(ones({2})); });
  nn::CrossEntropyLoss loss;
  check_names_line([&] { loss(ones({2, 3}), ones({4}, i64)); });

  // A line in the layer, if the layer is not part of the library.
  Own own;
  const std::string in_own = full_error_of([&] { own(ones({2, 4})); });
  CAPTURE(in_own);
  CHECK(in_own.find(called_at(Own::kLine)) != std::string::npos);
}

// ------------------------------------------------------------------- functions made of ops

/// The lines of all nodes that led to y, those of other files as 0.
std::set<int> lines_of(const Tensor& y) {
  std::set<int> lines;
  std::vector<const Node*> stack = {y.impl()->node.get()};
  while (!stack.empty()) {
    const Node* node = stack.back();
    stack.pop_back();
    if (node == nullptr) continue;
    const bool ours = std::string_view(node->at.file_name()) == Here::current().file_name();
    lines.insert(ours ? static_cast<int>(node->at.line()) : 0);
    for (const Node::Edge& edge : node->inputs) stack.push_back(edge.node.get());
  }
  return lines;
}
/// `f`, on the line `here`, gives a tensor all of whose nodes name that line.
void check_nodes_name_line(const std::function<Tensor()>& f, Here here = Here::current()) {
  CHECK(lines_of(f()) == std::set<int>{static_cast<int>(here.line())});
}

TEST_CASE("all nodes of an op that is made of others name the line that called it") {
  const Tensor x = ones({3, 4}).requires_grad_(), image = ones({1, 2, 5, 5}).requires_grad_();
  const Tensor w = ones({2}).requires_grad_(), index = arange(2);
  check_nodes_name_line([&] { return quantile(x, 0.3, 1); });
  check_nodes_name_line([&] { return einsum("ii,jk->k", {expand(w, {2, 2}), x}); });
  check_nodes_name_line([&] { return stack({x, x}); });
  check_nodes_name_line([&] { return meshgrid({w, w})[1]; });
  check_nodes_name_line([&] { return pad(image, {1, 1, 2, 0}, "circular"); });
  check_nodes_name_line([&] { return repeat(x, {2, 3}); });
  check_nodes_name_line([&] { return repeat_interleave(x, 2, 0); });
  check_nodes_name_line([&] { return repeat_interleave(x, tensor({1, 0, 2}, i64), 0); });
  check_nodes_name_line([&] { return matmul(select(x, 0, 1), ones({4})); });
  check_nodes_name_line([&] { return max_pool2d(image, 2); });
  check_nodes_name_line([&] { return avg_pool2d(image, 3, {.padding = 1}); });
  check_nodes_name_line([&] { return interpolate(image, {.scale_factor = 2}); });
  check_nodes_name_line([&] { return conv1d(select(image, 0, 0), ones({3, 5, 2})); });
  check_nodes_name_line([&] { return index_add(x, 0, index, ones({2, 4}), 3); });
  check_nodes_name_line([&] { return tarsier::index(x, {index, index}); });
  check_nodes_name_line([&] { return index_put(x, {index}, ones({2, 4})); });
  check_nodes_name_line([&] { return masked_select(x, x > 0); });
  check_nodes_name_line([&] { return clamp(x, zeros({4}), ones({4})); });
  check_nodes_name_line([&] { return prelu(image, w); });
  check_nodes_name_line([&] { return nn::RotaryEmbedding(4, {.rotary_dim = 2})(x); });
}

/// Two functions of a user's, the second with a scope.
Tensor plain_spread(const Arg& x) { return sqrt(mean(x * x)); }
constexpr int kPlainLine = __LINE__ - 1;
Tensor spread(const Arg& x) {
  const CallScope here(x.at);
  return sqrt(mean(square(plain_spread(x) + x)));
}

TEST_CASE("in a CallScope the ops of this thread name its line, in nodes and errors") {
  const Tensor x = ones({3, 4}).requires_grad_();
  check_nodes_name_line([&] { return spread(x); });  // what it calls as well
  check_names_line([&] { spread(arange(3)); });
  // Without a scope a function's own lines stay visible.
  CHECK(lines_of(plain_spread(x)) == std::set<int>{kPlainLine, Here::current().line()});
  const std::string error = full_error_of([&] { plain_spread(arange(3)); });
  CAPTURE(error);
  CHECK(ends_with(error, called_at(kPlainLine) + ")"));

  // They nest, and an error ends them.
  const auto outer = [](const Arg& x) {
    const CallScope here(x.at);
    const Tensor y = spread(x);
    return stack({y, y, exp(y)});
  };
  check_nodes_name_line([&] { return outer(x); });
  check_names_line([&] { outer(arange(3)); });
  check_nodes_name_line([&] { return exp(x); });

  // Another thread has its own.
  const CallScope here(SourceLine::current());
  std::set<int> lines;
  const int line = Here::current().line() + 1;
  std::thread([&] { lines = lines_of(exp(x)); }).join();
  CHECK(lines == std::set<int>{line});
  CHECK(lines_of(exp(x)) == std::set<int>{line - 3});
}

/// e^{2x}, where the line of exp is its own.
struct Doubled : nn::Layer<Doubled> {
  static constexpr int kLine = __LINE__ + 1;
  Tensor forward(const Arg& x) { return exp(x * 2); }
};

TEST_CASE("a module that is called in a CallScope shows its own lines, and the scope goes on") {
  Doubled doubled;
  nn::Sequential model;  // has a scope itself
  model.add<Doubled>().add<nn::ReLU>();
  const auto f = [&](const Arg& x) {
    const CallScope here(x.at);
    return square(model(square(doubled(x))));
  };
  const Tensor x = ones({2, 3}).requires_grad_();
  CHECK(lines_of(f(x)) == std::set<int>{Doubled::kLine, Here::current().line()});
  full_error_of([&] { f(arange(3)); });
  check_nodes_name_line([&] { return sqrt(square(x)); });
}

TEST_CASE("every op of the registry names the line, given a tensor that is undefined or i64") {
  int errors = 0;
  test::for_each_op([&](const test::Op& op) -> std::string {
    if (op.name == "split" || op.name == "chunk") return "";  // gives fewer pieces than are taken
    for (const test::Tensors& sample : op.samples)
      for (size_t i = 0; i < sample.size(); ++i)
        for (const Tensor& wrong : {Tensor(), arange(5), zeros({2, 3, 4, 5, 6}, f32)}) {
          if (op.name == "to" && !wrong.defined()) continue;  // reads its dtype first
          test::Tensors inputs = sample;
          inputs[i] = wrong;
          const std::string error = full_error_of([&] { op.call(inputs); });
          if (error == "no error") continue;
          ++errors;
          if (error.find(" (called at ") == error.npos || error.find("tests/ops/") == error.npos)
            return error;
        }
    return "";
  });
  CHECK(errors > 1000);
}

TEST_CASE("an error in a backward names the op's call, or the line in a user's backward") {
  const Tensor x = ones({2}, f64).requires_grad_();
  const auto with_backward = [&](const std::function<Grads(const Tensor&)>& backward) {
    return record("mine", {x}, x.detach(), Save{},
                  [=](const Saved&, const Tensor& dy) -> Grads { return backward(dy); });
  };
  const int call = Here::current().line() - 3;  // of record(), whose argument knows no other line
  const Tensor wrong_shape = with_backward([](const Tensor&) { return Grads{ones({3}, f64)}; });
  const std::string error = full_error_of([&] { sum(wrong_shape).backward(); });
  CAPTURE(error);
  CHECK(ends_with(error, called_at(call) + ")"));

  const auto multiply = [](const Tensor& dy) { return Grads{matmul(dy, ones({3}, f64))}; };
  const int line = Here::current().line() - 1;
  const Tensor fails = with_backward(multiply);
  const std::string inner = full_error_of([&] { sum(fails).backward(); });
  CAPTURE(inner);
  CHECK(ends_with(inner, called_at(line) + ")"));
}

TEST_CASE("outside an op no line is named, also after one, whatever happened to its Arg") {
  const auto plain = [] { return full_error_of([] { fail("tag", "text"); }); };
  CHECK(plain() == "[tag] text");
  const Tensor x = ones({2});
  exp(x);
  CHECK(plain() == "[tag] text");
  full_error_of([&] { exp(arange(3)); });
  CHECK(plain() == "[tag] text");

  std::optional<Arg> kept;
  std::vector<Arg> many;
  {
    const Arg arg = x;
    CHECK(plain() != "[tag] text");
    kept = arg;
    for (int i = 0; i < 200; ++i) many.push_back(arg);
  }
  CHECK(plain() == "[tag] text");  // copies do not count
  // Destroyed in the wrong order, and more than are stored.
  auto first = std::make_unique<Arg>(x), second = std::make_unique<Arg>(x);
  first.reset();
  second.reset();
  CHECK(plain() == "[tag] text");
  const std::function<std::string(int)> nested = [&](int depth) {
    const Arg arg = x;
    return depth == 0 ? plain() : nested(depth - 1);
  };
  CHECK(nested(200).find("(called at ") != std::string::npos);
  CHECK(plain() == "[tag] text");
}

// Lines of other files, with different spellings of paths.
#line 1 "/usr/local/include/tarsier/nn/module.h"
const SourceLine kInstalled = SourceLine::current();
#line 1 "/usr/local/include/tarsier/nn/../autograd/tensor/tensor.h"
const SourceLine kInstalledDetour = SourceLine::current();
#line 1 "/home/me/project/nn/module.h"
const SourceLine kOfAnother = SourceLine::current();
#line 1 "nn/module.h"
const SourceLine kRelative = SourceLine::current();
#line 1 "call_site_test.cpp"

TEST_CASE("lines of the library are told apart from lines of its users") {
  CHECK(detail::in_library(kInstalled));
  CHECK(detail::in_library(kInstalledDetour));
  CHECK_FALSE(detail::in_library(kOfAnother));
  CHECK_FALSE(detail::in_library(kRelative));
  CHECK_FALSE(detail::in_library(SourceLine::current()));
}

}  // namespace
}  // namespace tarsier
