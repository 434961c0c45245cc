// Errors name the line that called the op, whatever functions are in between.
#include "autograd/base/call_site.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>

#include "autograd/ops.h"
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
