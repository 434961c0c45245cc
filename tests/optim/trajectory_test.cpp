// Every optimiser: 100 steps like PyTorch's, and the same bits after a save and a restore, and at
// any number of threads.
#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/ops.h"
#include "tests/nn/golden.h"
#include "tests/optim/cases.h"
#include "tests/threads.h"

namespace tarsier {
namespace {

constexpr const char* kFile = "trajectories.safetensors";

/// The weights of a case as make_optim.py starts them.
TensorDict start(const OptimizerCase& c, const TensorDict& numbers) {
  TensorDict out;
  for (const std::string name : {"wide", "tall", "bias"}) {
    if (c.matrices_only && name == "bias") continue;
    Tensor w = clone(numbers["start." + name]);
    if (c.name == "adafactor_3d" && name == "tall") w = reshape(w, {2, 2, 3});
    out.add(name, w.requires_grad_());
  }
  return out;
}

/// Steps begin … end − 1.
void train(optim::Optimizer& optimizer, const TensorDict& weights, const TensorDict& numbers,
           int begin, int end, const std::function<void(int step)>& after = nullptr) {
  for (int step = begin; step < end; ++step) {
    if (step == 50) optimizer.set_lr(0.5 * optimizer.lr());
    for (const auto& [name, w] : weights)
      w.set_grad(name == "bias" && step % 3 == 2
                     ? Tensor()
                     : clone(reshape(select(numbers["grad." + name], 0, step), w.shape())));
    optimizer.step();
    if (after) after(step);
  }
}

/// The values of all weights in one row.
Tensor row(const TensorDict& weights) {
  std::vector<Tensor> rows;
  for (const auto& [name, w] : weights) rows.push_back(flatten(w.detach()));
  return cat(rows);
}

TEST_CASE("every optimiser follows PyTorch's over 100 steps, with all of its options") {
  for (const DType dtype : {f64, f32}) {
    const TensorDict numbers = golden(kFile, "", dtype);
    for (const OptimizerCase& c : optimizer_cases()) {
      CAPTURE(c.name);
      const TensorDict weights = start(c, numbers);
      const std::unique_ptr<optim::Optimizer> optimizer = c.make(weights);
      train(*optimizer, weights, numbers, 0, 100, [&](int step) {
        CAPTURE(step);
        if (step % 10 == 9)
          check_close("weights", row(weights), select(numbers[c.name], 0, step / 10));
      });
    }
  }
}

TEST_CASE("Muon stays near PyTorch's, which rounds to bfloat16 on the way") {
  const TensorDict numbers = golden(kFile, "");
  const auto c = optimizer_case<optim::Muon, optim::MuonOptions>("muon", {.lr = 0.02}, true);
  const TensorDict weights = start(c, numbers);
  const std::unique_ptr<optim::Optimizer> optimizer = c.make(weights);
  train(*optimizer, weights, numbers, 0, 100);
  // Steps of 0.02 with essentially random errors of 2⁻⁸: √100 · 0.02 / 256, times a small factor
  // for the five iterations.
  CHECK(relative_error(row(weights), select(numbers["muon_bfloat16"], 0, 9)) < 5e-3);
}

TEST_CASE("every optimiser continues from a saved state to the bits of an unbroken run") {
  const TensorDict numbers = golden(kFile, "", f32);
  for (const OptimizerCase& c : optimizer_cases()) {
    CAPTURE(c.name);
    const TensorDict unbroken = start(c, numbers), broken = start(c, numbers);
    const std::unique_ptr<optim::Optimizer> one = c.make(unbroken), two = c.make(broken);
    train(*one, unbroken, numbers, 0, 40);
    train(*two, broken, numbers, 0, 17);
    TensorDict resumed;
    for (const auto& [name, w] : broken) {
      Tensor copy = clone(w.detach());
      resumed.add(name, copy.requires_grad_());
    }
    const std::unique_ptr<optim::Optimizer> three = c.make(resumed);
    three->load_state_dict(two->state_dict());
    // What was loaded is a copy: this changes nothing of it.
    train(*two, broken, numbers, 40, 45);
    train(*three, resumed, numbers, 17, 40);
    CHECK(row(resumed).to_vector() == row(unbroken).to_vector());
    for (const auto& [name, state] : one->state_dict()) {
      CAPTURE(name);
      CHECK(three->state_dict()[name].to_vector() == state.to_vector());
    }
  }
}

TEST_CASE("every optimiser gives the same bits at any number of threads") {
  const Threads restore;
  for (const OptimizerCase& c : optimizer_cases()) {
    CAPTURE(c.name);
    std::vector<std::vector<double>> results;
    for (const int threads : {1, 3}) {
      set_num_threads(threads);
      Generator generator(7);
      TensorDict weights;
      for (const Shape& shape : {Shape{1, 3}, {217, 170}, {5, 1}, {40001}, {3}}) {
        if (c.matrices_only && shape.size() != 2) continue;
        Tensor w = randn(shape, f32, generator).requires_grad_();
        w.set_grad(randn(shape, f32, generator));
        weights.add(std::to_string(weights.size()), w);
      }
      const std::unique_ptr<optim::Optimizer> optimizer = c.make(weights);
      for (int step = 0; step < 2; ++step) optimizer->step();
      results.push_back(row(weights).to_vector());
    }
    CHECK(results[0] == results[1]);
  }
}

TEST_CASE("the update of an element does not depend on its position") {
  // In the middle of a large parameter, across the chunks of the parallel loop, or in a small
  // parameter.
  Generator generator(8);
  const Tensor w0 = randn({40001}, f32, generator), g0 = randn({40001}, f32, generator);
  for (const OptimizerCase& c : optimizer_cases()) {
    if (c.matrices_only || c.name.starts_with("adafactor")) continue;
    CAPTURE(c.name);
    std::vector<Tensor> weights;
    for (const auto& [begin, end] : {std::pair(0, 40001), {16380, 16393}, {39999, 40001}}) {
      Tensor other = ones({5}).requires_grad_();
      Tensor w = clone(slice(w0, 0, begin, end)).requires_grad_();
      const std::unique_ptr<optim::Optimizer> optimizer = c.make({{"other", other}, {"w", w}});
      for (int step = 0; step < 3; ++step) {
        other.set_grad(ones({5}));
        w.set_grad(clone(slice(g0, 0, begin, end)));
        optimizer->step();
      }
      weights.push_back(w.detach());
      CHECK(weights.back().to_vector() == slice(weights[0], 0, begin, end).to_vector());
    }
  }
}

TEST_CASE("clipping by every norm") {
  for (const DType dtype : {f64, f32}) {
    const TensorDict numbers = golden(kFile, "", dtype);
    for (const auto& [name, norm_type] :
         {std::pair("one", 1.0), {"two", 2.0}, {"three", 3.0}, {"infinity", INFINITY}}) {
      CAPTURE(name);
      std::vector<Tensor> weights, rows;
      for (const char* grad : {"grad.wide", "grad.tall", "grad.bias"}) {
        const Tensor g = clone(select(numbers[grad], 0, 0));
        weights.push_back(zeros(g.shape(), dtype).requires_grad_());
        weights.back().set_grad(g);
      }
      const double norm = optim::clip_grad_norm_(weights, 1.5, norm_type);
      rows.push_back(full({1}, norm, dtype));
      for (const Tensor& w : weights) rows.push_back(flatten(w.grad()));
      check_close("norm and gradients", cat(rows), numbers[concat("clip.", name)]);
    }
  }
  Tensor w = zeros({2}).requires_grad_();
  w.set_grad(tensor({1, NAN}));
  for (const double norm_type : {1.0, 3.0, static_cast<double>(INFINITY)})
    CHECK_THROWS_WITH_AS(optim::clip_grad_norm_({w}, 1, norm_type, true), doctest::Contains("nan"),
                         Error);
  CHECK(optim::clip_grad_norm_({}, 1, INFINITY) == 0);
  for (const double bad : {0.0, -1.0, static_cast<double>(NAN)})
    CHECK_THROWS_AS(optim::clip_grad_norm_({w}, 1, bad), Error);
}

}  // namespace
}  // namespace tarsier
