// add_param_group: training more parameters from some step on.
#include <functional>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "nn/nn.h"
#include "tests/nn/golden.h"
#include "tests/nn/temporary.h"
#include "tests/optim/cases.h"

namespace tarsier {
namespace {

using namespace optim;

constexpr const char* kFile = "trajectories.safetensors";

/// As added() in make_optim.py.
template <class O, class Options>
void check_added(const std::string& name, const Options& first, Options other) {
  for (const DType dtype : {f64, f32}) {
    CAPTURE(name);
    const TensorDict numbers = golden(kFile, "", dtype);
    Tensor wide = clone(numbers["start.wide"]).requires_grad_();
    Tensor tall = clone(numbers["start.tall"]).requires_grad_();
    Tensor bias = clone(numbers["start.bias"]).requires_grad_();
    O optimizer({{"wide", wide}}, first);
    for (int step = 0; step < 100; ++step) {
      CAPTURE(step);
      if (step == 20) optimizer.add_param_group({{{"tall", tall}}, other});
      if (step == 30) optimizer.add_param_group({{"bias", bias}});
      wide.set_grad(clone(select(numbers["grad.wide"], 0, step)));
      tall.set_grad(clone(select(numbers["grad.tall"], 0, step)));
      bias.set_grad(clone(select(numbers["grad.bias"], 0, step)));
      optimizer.step();
      if (step % 10 == 9)
        check_close("weights", cat({flatten(wide), flatten(tall), bias}).detach(),
                    select(numbers["added." + name], 0, step / 10));
    }
    CHECK(optimizer.num_groups() == 3);
    CHECK(optimizer.lr(1) == other.lr);
    CHECK(optimizer.lr(2) == first.lr);
  }
}

TEST_CASE("groups added later train as PyTorch's do") {
  check_added<SGD, SGDOptions>("sgd", {.lr = 0.03, .momentum = 0.9},
                               {.lr = 0.01, .momentum = 0.9, .weight_decay = 0.1});
  check_added<AdamW, AdamWOptions>("adamw", {.lr = 0.02, .betas = {0.8, 0.9}},
                                   {.lr = 0.05, .betas = {0.8, 0.9}});
  check_added<NAdam, NAdamOptions>("nadam", {.lr = 0.02, .momentum_decay = 0.1},
                                   {.lr = 0.02, .betas = {0.7, 0.9}, .momentum_decay = 0.1});
}

/// One group of w first, then v added, through a file to an optimiser that has both from the start:
/// the same bits in the steps after.
template <class O>
void check_added_and_saved(const char* name) {
  CAPTURE(name);
  const TemporaryFolder folder;
  Generator generator(5);
  const Tensor w0 = randn({4, 3}, f32, generator), v0 = randn({3, 2}, f32, generator);
  Tensor w = clone(w0).requires_grad_(), v = clone(v0).requires_grad_();
  O grown({{"w", w}});
  const auto step = [](Optimizer& optimizer, Tensor a, Tensor b, int i) {
    a.set_grad(sin(a.detach() + i));
    b.set_grad(cos(b.detach() * i));
    optimizer.step();
  };
  step(grown, w, v, 1);
  CHECK(v.to_vector() == v0.to_vector());  // not among the parameters yet
  grown.add_param_group({{"v", v}});
  step(grown, w, v, 2);
  CHECK(v.to_vector() != v0.to_vector());
  CHECK(grown.state_dict()["w.step"].item() == 2);
  CHECK(grown.state_dict()["v.step"].item() == 1);
  save_safetensors(folder / "state.safetensors", grown.state_dict());

  Tensor w2 = clone(w.detach()).requires_grad_(), v2 = clone(v.detach()).requires_grad_();
  O whole({{{{"w", w2}}, {}}, {{{"v", v2}}, {}}});
  whole.load_state_dict(load_safetensors(folder / "state.safetensors"));
  for (int i = 3; i < 6; ++i) {
    step(grown, w, v, i);
    step(whole, w2, v2, i);
  }
  CHECK(w.to_vector() == w2.to_vector());
  CHECK(v.to_vector() == v2.to_vector());
}

TEST_CASE("every optimiser takes a group later, and its state goes through a file") {
  check_added_and_saved<SGD>("sgd");
  check_added_and_saved<Adam>("adam");
  check_added_and_saved<AdamW>("adamw");
  check_added_and_saved<NAdam>("nadam");
  check_added_and_saved<RAdam>("radam");
  check_added_and_saved<Adadelta>("adadelta");
  check_added_and_saved<Adagrad>("adagrad");
  check_added_and_saved<RMSprop>("rmsprop");
  check_added_and_saved<Lion>("lion");
  check_added_and_saved<Adafactor>("adafactor");
  check_added_and_saved<Muon>("muon");
}

TEST_CASE("a group that is refused leaves the optimiser as it was") {
  Tensor w = ones({2, 2}).requires_grad_(), v = ones({2, 2}).requires_grad_();
  const auto check_refused = [&](auto& optimizer, const auto& group, const char* message) {
    CAPTURE(message);
    const double first = optimizer.initial_lr(0);
    CHECK_THROWS_WITH_AS(optimizer.add_param_group(group), doctest::Contains(message), Error);
    CHECK(optimizer.num_groups() == 1);
    CHECK_NOTHROW(optimizer.set_lr(first));
  };
  AdamW adamw({{"w", w}});
  using Group = ParameterGroup<AdamWOptions>;
  check_refused(adamw, Group{{{"v", v}}, {.lr = -1}}, "[adamw] lr is -1");
  check_refused(adamw, Group{{{"v", v}}, {.betas = {0.9, 1}}}, "[adamw] betas.second is 1");
  check_refused(adamw, Group{{{"v", v}, {"again", w}}, {}}, "'again' is the same tensor as 'w'");
  check_refused(adamw, Group{{{"v", v}, {"w", ones({3}).requires_grad_()}}, {}},
                "two parameters have the name 'w'");
  check_refused(adamw, Group{{{"v", v}, {"i", ones({3}, i64)}}, {}}, "'i' is not a parameter");
  Muon muon({{"w", w}});
  check_refused(muon, ParameterGroup<MuonOptions>{{{"b", ones({3}).requires_grad_()}}, {}},
                "[muon] 'b' has shape (3,)");
  // v came first in three of these groups: it is not half added.
  w.set_grad(ones({2, 2}));
  v.set_grad(ones({2, 2}));
  adamw.step();
  CHECK(v.to_vector() == std::vector<double>(4, 1.0));
  CHECK_NOTHROW(adamw.add_param_group({{{"v", v}}, {.lr = 0.1}}));
  adamw.step();
  CHECK(v.to_vector()[0] == doctest::Approx(0.9 - 0.001));
  CHECK(adamw.num_groups() == 2);
  adamw.scale_lr(0.5);
  CHECK(adamw.lr(1) == 0.05);
}

TEST_CASE("an added parameter is watched like the original ones") {
  nn::Linear body(2, 2), head(2, 2);
  SGD optimizer(head.named_parameters());
  optimizer.add_param_group(prefixed("body.", body.named_parameters()));
  body.bias = ones({2}).requires_grad_();  // the optimiser has the old one
  sum(head(body(ones({1, 2})))).backward();
  CHECK_THROWS_WITH_AS(optimizer.step(),
                       doctest::Contains("'body.bias' is no longer a parameter of a module"),
                       Error);
}

}  // namespace
}  // namespace tarsier
