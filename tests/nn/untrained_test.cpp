// Parameters that would silently not be trained: each is an error that names it. Intended cases are
// not errors.
#include <doctest/doctest.h>

#include <memory>
#include <source_location>
#include <string>

#include "nn/nn.h"
#include "optim/optim.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

using optim::SGD;

/// A leaf that requires a gradient.
Tensor leaf(const Shape& shape) { return ones(shape).requires_grad_(); }

struct Forgetful : nn::Layer<Forgetful> {
  nn::Linear registered{2, 2}, forgotten{2, 2};
  Forgetful() { register_module("registered", registered); }
  Tensor forward(const Arg& x) { return forgotten(registered(x)); }
};

struct Hoarder : nn::Layer<Hoarder> {  // the same on the heap, with its own entry
  std::unique_ptr<nn::Linear> forgotten = std::make_unique<nn::Linear>(2, 2);
  Tensor forward(const Arg& x) { return (*forgotten)(x); }
  Tensor loss(const Arg& x) {
    return scoped([&] { return sum((*forgotten)(x)); });
  }
};

TEST_CASE("a layer that is a member but not registered is named") {
  Forgetful model;
  check_error(
      "[module] a Linear(in_features=2, out_features=2, bias=true) that Forgetful made and "
      "calls is not registered, so its 'weight' would not be trained: call "
      "register_module(\"name\", member) in the constructor of Forgetful, or "
      "requires_grad_(false) on parameters that should not be trained",
      [&] {
        model(ones({1, 2}));
      });
  Hoarder other;
  for (int call = 0; call < 2; ++call) {  // every call reports it
    check_error("that Hoarder made", [&] { other(ones({1, 2})); });
    check_error("that Hoarder made", [&] { other.loss(ones({1, 2})); });
  }
  // For a nested layer the path tells where.
  nn::Sequential outer;
  outer.add<nn::ReLU>().add<Forgetful>();
  check_error("(in 1)", [&] { outer(ones({1, 2})); });
}

/// Calls a layer that existed before it.
struct Borrower : nn::Layer<Borrower> {
  nn::Linear& borrowed;
  explicit Borrower(nn::Linear& linear) : borrowed(linear) {}
  Tensor forward(const Arg& x) { return borrowed(x) * borrowed.weight; }
};

TEST_CASE("a layer that is meant to stay outside is not an error") {
  const Tensor x = ones({1, 2});
  nn::Linear linear(2, 2);
  Borrower borrower(linear);
  CHECK_NOTHROW(borrower(x));
  Forgetful frozen, elsewhere;
  frozen.forgotten.requires_grad_(false);
  CHECK_NOTHROW(frozen(x));
  CHECK_THROWS_AS(elsewhere(x), Error);
  {
    const NoGrad guard;
    CHECK_NOTHROW(elsewhere(x));
  }
  SGD optimizer(elsewhere.forgotten.named_parameters());
  CHECK_NOTHROW(elsewhere(x));

  struct Temporary : nn::Layer<Temporary> {  // without parameters
    Tensor forward(const Arg& y) { return nn::GELU()(nn::Identity()(y)); }
  } temporary;
  CHECK_NOTHROW(temporary(leaf({2})));
}

struct Scale : nn::Layer<Scale> {
  Tensor scale = leaf({3});
  Tensor forward(const Arg& x) { return tanh(x * scale); }
};

TEST_CASE("an unregistered tensor that requires a gradient is named by its op and line") {
  nn::Sequential model;
  model.add<nn::Linear>(3, 3).add<Scale>();
  const std::string line = std::to_string(std::source_location::current().line() + 2);
  for (int call = 0; call < 2; ++call) {
    const std::string error = error_of([&] { model(ones({1, 3})); });
    CAPTURE(error);
    CHECK(error.starts_with(
        concat("[module] a tensor of shape (3,) that requires a gradient is used in Scale (in ",
               "'mul' called at ", __FILE__, ":", line, " in 1), but is not a parameter, so it ",
               "would not be trained: call register_parameter(\"name\", member, value) in the ",
               "constructor of its module, or pass it as an argument of the call")));
  }
  // An optimiser that has it trains it.
  auto& scale = dynamic_cast<Scale&>(model[1]);
  {
    const SGD optimizer({{"scale", scale.scale}});
    CHECK_NOTHROW(model(ones({1, 3})));
  }
  // A buffer that requires a gradient is not trained either.
  struct Buffered : nn::Layer<Buffered> {
    Tensor mean;
    Buffered() { register_buffer("mean", mean, leaf({3})); }
    Tensor forward(const Arg& x) { return x - mean; }
  } buffered;
  check_error("a tensor of shape (3,)", [&] { buffered(ones({3})); });
}

TEST_CASE("arguments of a call, and what they were computed from, are not members") {
  struct Product : nn::Layer<Product> {
    Tensor forward(const Arg& x, const Tensor& factor, double power = 1) {
      return pow(x * factor, power);
    }
  };
  const Tensor x = leaf({3}), factor = leaf({3});
  CHECK_NOTHROW(Product()(x, factor));
  CHECK_NOTHROW(Product()(x, factor, 2.0));
  CHECK_NOTHROW(Product()(x * 2, square(factor)));
  const nn::AttentionOptions options{.attn_mask = leaf({2, 2})};
  CHECK_NOTHROW(nn::MultiheadAttention(4, 2)(ones({2, 1, 4}), options));
}

/// The force −dE/dx of an energy: a derivative by a leaf that forward makes itself.
struct Force : nn::Layer<Force> {
  nn::Linear energy{3, 1};
  Tensor kept;
  bool keeps = false;
  Force() { register_module("energy", energy); }
  Tensor forward(const Arg& x) {
    Tensor place = x.detach().requires_grad_();
    if (keeps) kept = place;
    return -grad({sum(square(tanh(energy(place))) * place)}, {place}, {}, true, true)[0];
  }
};

TEST_CASE("a leaf that forward makes is not a member unless it is kept") {
  Force force;
  CHECK_NOTHROW(sum(force(ones({2, 3}))).backward());
  Force keeper;
  keeper.keeps = true;
  check_error("a tensor of shape (2, 3)", [&] { keeper(ones({2, 3})); });
}

TEST_CASE("a parameter replaced by a tensor that does not require a gradient is named") {
  nn::Sequential model;
  model.add<nn::Linear>(2, 2).add<nn::Linear>(2, 2);
  auto& last = dynamic_cast<nn::Linear&>(model[1]);
  last.weight = zeros({2, 2});
  const std::string says =
      "[module] '1.weight' of Linear was assigned a tensor that requires no gradient, so it would "
      "not be trained: keep the parameter and copy_() the values into it under NoGrad, or assign "
      "after requires_grad_(). To freeze it, call requires_grad_(false) on the old one first";
  check_error(says, [&] { model(ones({1, 2})); });
  CHECK(error_of([&] { model.named_parameters(); }) == says);
  CHECK(error_of([&] { SGD optimizer(model.named_parameters()); }) == says);
  CHECK(model.num_parameters() == 12);  // reading alone reports nothing
  {
    const NoGrad guard;
    CHECK_NOTHROW(model(ones({1, 2})));
  }
  last.weight.requires_grad_();
  CHECK_NOTHROW(model(ones({1, 2})));
  // An undefined bias cannot become a tensor without gradient; a bias may be removed.
  nn::Linear bare(2, 2, false);
  bare.bias = zeros({2});
  CHECK_THROWS_AS(bare(ones({1, 2})), Error);
  last.bias = Tensor();
  CHECK_NOTHROW(model(ones({1, 2})));
  // A frozen one may be replaced by a tensor that is not trained.
  model.requires_grad_(false);
  last.weight = zeros({2, 2});
  CHECK_NOTHROW(model(leaf({1, 2})));
}

TEST_CASE("a tensor that took a parameter's place after the optimiser was made is named") {
  nn::Sequential model;
  model.add<nn::Linear>(2, 2).add<nn::Linear>(2, 2);
  auto& last = dynamic_cast<nn::Linear&>(model[1]);
  SGD optimizer(model.named_parameters(), {.lr = 0.1});
  const auto step = [&] {
    sum(model(ones({1, 2}))).backward();
    optimizer.step();
  };
  step();
  optim::ExponentialMovingAverage average(model.named_parameters(), 0.9);
  CHECK_NOTHROW(average.update());
  last.weight = leaf({2, 2});
  check_error(
      "[sgd] '1.weight' is no longer a parameter of a module: another tensor was assigned in its "
      "place",
      step);
  check_error("[ema] '1.weight' is no longer a parameter of a module", [&] { average.update(); });
  // Another optimiser trains the new one.
  const std::vector<double> before = last.weight.to_vector();
  SGD second(model.named_parameters(), {.lr = 0.1});
  sum(model(ones({1, 2}))).backward();
  CHECK_NOTHROW(second.step());
  CHECK(last.weight.to_vector() != before);

  // If the model is made again, the optimiser has the old one.
  auto whole = std::make_unique<nn::Linear>(2, 2);
  SGD of_old(whole->named_parameters());
  whole = std::make_unique<nn::Linear>(2, 2);
  sum((*whole)(ones({1, 2}))).backward();
  check_error("or the module is gone", [&] { of_old.step(); });
}

TEST_CASE("tied, swapped and computed weights are not errors") {
  const Tensor x = ones({1, 2});
  nn::ModuleList<nn::Linear> pair(2, 2, 2);
  pair[0].weight = pair[1].weight;  // tied before the optimiser is made
  SGD optimizer(pair.named_parameters());
  sum(pair[1](pair[0](x))).backward();
  CHECK_NOTHROW(optimizer.step());
  std::swap(pair[0].bias, pair[1].bias);
  sum(pair[1](pair[0](x))).backward();
  CHECK_NOTHROW(optimizer.step());
  // Tied after it: the old weight of the second belongs to no module.
  nn::ModuleList<nn::Linear> late(2, 2, 2);
  SGD too_early(late.named_parameters());
  late[1].weight = late[0].weight;
  sum(late[1](late[0](x))).backward();
  check_error("'1.weight' is no longer a parameter of a module", [&] { too_early.step(); });

  // A weight that another network computes, again at every step.
  nn::Linear computed(2, 2);
  Tensor source = leaf({2, 2});
  for (int step = 0; step < 3; ++step) {
    computed.weight = source * 2;
    source.set_grad({});
    CHECK_NOTHROW(sum(computed(x)).backward());
    CHECK(source.grad().to_vector() == std::vector<double>{2, 2, 2, 2});
  }
  computed.weight = zeros({2, 2});
  check_error("requires no gradient", [&] { computed(x); });
}

}  // namespace
}  // namespace tarsier
