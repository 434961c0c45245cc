// Guards: they name parameters that do not learn, and the op that made a NaN.
#include "nn/guard.h"

#include <doctest/doctest.h>

#include <limits>
#include <source_location>
#include <sstream>

#include "nn/nn.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

using Names = std::vector<std::string>;

struct Careless : nn::Layer<Careless> {
  nn::Linear used{2, 2}, unused{2, 2}, cut{2, 2}, scaled{2, 2}, frozen{2, 2};
  Tensor wild, nothing;
  Careless() {
    register_parameter("wild", wild, zeros({2}));
    register_parameter("nothing", nothing, zeros({0}));
    register_module("used", used);
    register_module("unused", unused);
    register_module("cut", cut);
    register_module("scaled", scaled);
    register_module("frozen", frozen);
    unused.bias = used.bias;  // tied: it learns
    frozen.requires_grad_(false);
  }
  Tensor forward(const Arg& x) {
    return used(x) + cut(x).detach() + scaled(x) * 0 + frozen(x) + sqrt(wild);
  }
};

TEST_CASE("check_gradients names the parameters that do not learn, and no others") {
  Careless model;
  sum(model(ones({3, 2}))).backward();
  const nn::GradientReport report = nn::check_gradients(model);
  CHECK(report.missing == Names{"unused.weight", "cut.weight", "cut.bias"});
  CHECK(report.zero == Names{"scaled.weight", "scaled.bias"});
  CHECK(report.non_finite == Names{"wild"});  // √0 has an infinite slope
  CHECK_FALSE(report.empty());
  std::ostringstream text;
  text << report;
  CHECK(text.str() ==
        "no gradient: unused.weight, cut.weight, cut.bias\n"
        "all-zero gradient: scaled.weight, scaled.bias\n"
        "NaN or infinite gradient: wild\n");

  nn::Linear good(2, 2);
  sum(good(ones({3, 2}))).backward();
  CHECK(nn::check_gradients(good).empty());
  // One number is enough, and one NaN.
  const float nan = std::numeric_limits<float>::quiet_NaN();
  good.bias.set_grad(tensor({0, 1e-30}));
  good.weight.set_grad(reshape(tensor({1, nan, 1, 1}), {2, 2}));
  CHECK(nn::check_gradients(good).zero.empty());
  CHECK(nn::check_gradients(good).non_finite == Names{"weight"});
}

/// log and sqrt inside layers, as a user writes them.
struct Logarithm : nn::Layer<Logarithm> {
  Tensor forward(const Arg& x) { return log(x); }
};
struct Root : nn::Layer<Root> {
  Tensor forward(const Arg& x) { return sqrt(x); }
};
struct Net : nn::Layer<Net> {
  nn::Sequential body;
  Net() { register_module("body", body); }
  Tensor forward(const Arg& x) { return body(x); }
};

TEST_CASE("anomaly mode names op, shape, module path and line of the first NaN or infinity") {
  Net net;
  net.body.add<nn::Linear>(2, 3).add<Logarithm>().add<nn::Tanh>();
  auto& linear = dynamic_cast<nn::Linear&>(net.body[0]);
  nn::zeros_(linear.weight);
  nn::constant_(linear.bias, -1);
  const Tensor x = ones({4, 2});
  const AnomalyMode guard;
  // Outside of the macro: compilers differ in the line of a call in a macro of several lines.
  const std::string line = std::to_string(std::source_location::current().line() + 1);
  const std::string error = error_of([&] { net(x); });
  CHECK(error == concat("[anomaly] 'log' made a NaN or an infinity, shape (4, 3), called at ",
                        __FILE__, ":", line, " in body.1"));

  // The forward is finite; the slope of √x at 0 is not.
  Net other;
  other.body.add<nn::Linear>(2, 3).add<Root>().add<nn::Linear>(3, 3);
  nn::zeros_(dynamic_cast<nn::Linear&>(other.body[0]).weight);
  nn::zeros_(dynamic_cast<nn::Linear&>(other.body[0]).bias);
  const std::string call = std::to_string(std::source_location::current().line() + 1);
  const Tensor loss = sum(other(x));
  CHECK(error_of([&] { loss.backward(); }) ==
        concat("[anomaly] the backward of 'sqrt' called at ", __FILE__, ":", call,
               " in body.1 made a NaN or an infinity in the gradient of input 0, shape (4, 3)"));
}

}  // namespace
}  // namespace tarsier
