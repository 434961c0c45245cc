// Layers of a lambda, and layers of a Sequential that are replaced.
#include <doctest/doctest.h>

#include <functional>
#include <sstream>

#include "nn/nn.h"
#include "optim/optim.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

std::string printed(const nn::Module& module) {
  std::ostringstream text;
  text << module;
  return text.str();
}

TEST_CASE("a Sequential that changes while it runs keeps the running layer alive") {
  nn::Sequential model;
  model.add<nn::Linear>(3, 3).add<nn::Linear>(3, 2);
  const Tensor x = ones({2, 3}).requires_grad_();
  model[0].register_forward_hook([&](nn::Module&, const std::vector<Tensor>&, const Tensor& y) {
    model.replace<nn::Linear>(0, 3, 3);
    model.add<nn::ReLU>();
    return y * 2.0;
  });
  const Tensor y = model(x);
  CHECK(model.size() == 3);
  CHECK(y.shape() == Shape{2, 2});
  CHECK(min(y).item() >= 0);  // the layer that was added ran as well
  sum(y).backward();
  CHECK(x.grad().shape() == x.shape());
  CHECK(model(x).shape() == Shape{2, 2});
}

TEST_CASE("a Lambda computes its function, in a Sequential, with its gradient") {
  nn::Sequential net;
  net.add<nn::Linear>(3, 4)
      .add<nn::Lambda>("halves", [](const Tensor& x) { return chunk(x, 2, -1)[1]; })
      .add<nn::Lambda>("e to the x", exp)
      .add<nn::Lambda>("scaled", [scale = 2.0](const Arg& x) { return x * scale; });
  const Tensor x = randn({5, 3}).requires_grad_();
  const Tensor y = net(x), wanted = exp(slice(net[0].call(x), -1, 2)) * 2;
  CHECK(y.to_vector() == wanted.to_vector());
  const Tensor dy = randn({5, 2});
  CHECK(grad({y}, {x}, {dy})[0].to_vector() == grad({wanted}, {x}, {dy})[0].to_vector());
  CHECK(net.num_parameters() == 16);
  CHECK(printed(net).find("(1): Lambda(halves)\n") != std::string::npos);
  CHECK(net.state_dict().size() == 2);
}

TEST_CASE("an invalid Lambda is refused, and an error in one names its layer") {
  CHECK(error_of([] { nn::Lambda("empty", std::function<Tensor(const Arg&)>()); }) ==
        "[lambda] 'empty' has no function: an empty std::function was given, pass a lambda");
  nn::Sequential net;
  net.add<nn::Lambda>("nothing", [](const Tensor&) { return Tensor(); });
  CHECK(error_of([&] {
          net(ones({2, 3}));
        })
            .starts_with("[lambda] 'nothing' returned an undefined tensor for x of shape (2, 3): "
                         "return the result of an op"));
  net.replace<nn::Lambda>(0, "flat", [](const Tensor& x) { return reshape(x, {5, -1}); });
  const std::string error = full_error_of([&] { net(ones({2, 3})); });
  CAPTURE(error);
  CHECK(error.starts_with("[reshape]"));
  CHECK(error.find("(in 0)") != std::string::npos);
  CHECK(error.find("container_test.cpp") != std::string::npos);
}

TEST_CASE("a parameter in a Lambda is found") {
  Tensor weight = ones({3}).requires_grad_();
  nn::Lambda layer("scale", [weight](const Tensor& x) { return x * weight; });
  CHECK(error_of([&] {
          layer(ones({2, 3}));
        }).find("is not a parameter, so it would not be trained") != std::string::npos);
}

TEST_CASE("a new layer takes the place and the name of the one that it replaces") {
  nn::Sequential net;
  net.add<nn::Linear>(3, 4).add<nn::Tanh>().add_named<nn::Linear>("head", 4, 2);
  const Tensor x = randn({5, 3});
  net.replace<nn::Linear>(2, 4, 7).replace<nn::ReLU>(1);
  CHECK(net(x).shape() == Shape{5, 7});
  CHECK(net(x).to_vector() == net[2].call(relu(net[0].call(x))).to_vector());
  net.replace<nn::Linear>("head", 4, 6).replace<nn::Sequential>("0");
  dynamic_cast<nn::Sequential&>(net[0]).add<nn::Linear>(3, 4, false);
  CHECK(net(x).shape() == Shape{5, 6});
  std::vector<std::string> names;
  for (const auto& [name, tensor] : net.state_dict()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"0.0.weight", "head.weight", "head.bias"});
  CHECK(net[2].name() == "head");
  CHECK(net.size() == 3);
  // Errors find the new layer where the old one was.
  net.replace<nn::Linear>("head", 9, 6);
  CHECK(error_of([&] { net(x); }).find("(in head)") != std::string::npos);
}

TEST_CASE("an impossible replacement is named, and changes nothing") {
  nn::Sequential net;
  net.add<nn::Linear>(3, 4).add_named<nn::Dropout>("drop", 0.5);
  const std::string before = printed(net);
  CHECK(error_of([&] { net.replace<nn::ReLU>(2); }) == "[sequential] no layer 2 among 2");
  CHECK(error_of([&] { net.replace<nn::ReLU>(-1); }) == "[sequential] no layer -1 among 2");
  CHECK(error_of([&] { net.replace<nn::ReLU>("1"); }) == "[sequential] no layer '1' among: 0 drop");
  CHECK(error_of([&] { net.replace<nn::Dropout>(0, 1.5); }).starts_with("[dropout]"));
  CHECK(printed(net) == before);
  net.eval();
  CHECK(net(ones({1, 3})).shape() == Shape{1, 4});
}

TEST_CASE("an optimiser with the parameters of a replaced layer throws") {
  nn::Sequential net;
  net.add<nn::Linear>(3, 4).add<nn::Linear>(4, 2);
  optim::SGD optimizer(net.named_parameters());
  net.replace<nn::Linear>(1, 4, 2);
  sum(net(ones({1, 3}))).backward();
  CHECK(error_of([&] {
          optimizer.step();
        }).starts_with("[sgd] '1.weight' is no longer a parameter of a module"));
  optim::SGD again(net.named_parameters());
  CHECK_NOTHROW(again.step());
}

TEST_CASE("a graph and its hooks outlive the layer that was replaced") {
  nn::Sequential net;
  net.add<nn::Linear>(3, 2).add<nn::Tanh>();
  int calls = 0;
  net[0].register_full_backward_hook(
      [&](nn::Module&, const nn::Tensors&, const Tensor&) { return ++calls, nn::Tensors{}; });
  const Tensor x = ones({1, 3}).requires_grad_();
  const Tensor y = net(x);
  net.replace<nn::Identity>(0);
  y.backward(ones({1, 2}));
  CHECK(x.grad().defined());
  CHECK(calls == 0);  // the module that had the hook is gone
  CHECK(net(x).shape() == Shape{1, 3});
}

}  // namespace
}  // namespace tarsier
