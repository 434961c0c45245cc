// Captured steps: the same bits as the step itself, and what is refused.
#include "autograd/tape/capture.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "autograd/ops.h"
#include "autograd/ops/loss/logits.h"
#include "autograd/ops/norm/channels.h"
#include "optim/optim.h"
#include "tests/error_of.h"
#include "tests/threads.h"

namespace tarsier {
namespace {

using Numbers = std::vector<double>;

/// A network with most of what a step is made of, and its training step.
struct Training {
  Generator generator;
  Tensor x = zeros({2, 5}, i64), y = zeros({2, 5}, i64), loss;
  Tensor table, qkv, gain, out;
  optim::AdamW optimizer;
  double dropout_p;

  explicit Training(double p = 0)
      : generator(7),
        table(randn({9, 6}, f32, generator).requires_grad_()),
        qkv(randn({18, 6}, f32, generator).requires_grad_()),
        gain(ones({6}).requires_grad_()),
        out(randn({9, 6}, f32, generator).requires_grad_()),
        optimizer({{"table", table}, {"qkv", qkv}, {"gain", gain}, {"out", out}}, {.lr = 0.05}),
        dropout_p(p) {}

  void step() {
    optimizer.zero_grad();
    const Tensor h = embedding(x, table);
    const std::vector<Tensor> parts = chunk(linear(rms_norm(h, gain), qkv), 3, 2);
    const Tensor a = scaled_dot_product_attention(parts[0], parts[1], parts[2], {}, dropout_p, true,
                                                  {}, generator);
    const Tensor seen = dropout(gelu(layer_norm(h + a)), dropout_p, true, generator);
    const Tensor logits = linear(softmax(seen * 2.0, -1) + seen, out);
    loss = cross_entropy(flatten(logits, 0, 1), flatten(y)) + 0.01 * mean(square(seen));
    loss.backward();
    optim::clip_grad_norm_({table, qkv, gain, out}, 0.5);
    optimizer.step();
  }

  /// New numbers for step i.
  void feed(int i) {
    for (int k = 0; k < 10; ++k) {
      x.data<int64_t>()[k] = (3 * k + i) % 9;
      y.data<int64_t>()[k] = (k + 2 * i) % 9;
    }
    optimizer.set_lr(0.05 / (1 + i));
  }

  Numbers state() const {
    Numbers all = {loss.item()};
    for (const Tensor& t : {table, qkv, gain, out, table.grad(), out.grad()})
      for (const double number : t.to_vector()) all.push_back(number);
    for (const auto& [name, tensor] : optimizer.state_dict())
      for (const double number : tensor.to_vector()) all.push_back(number);
    return all;
  }
};

TEST_CASE("capture: a captured step computes the same bits as the step") {
  for (const double p : {0.0, 0.3}) {
    Training plain(p), captured(p);
    CapturedStep step;
    for (int i = 0; i < 5; ++i) {
      CAPTURE(i);
      plain.feed(i);
      captured.feed(i);
      plain.step();
      if (i == 0)
        step = capture([&] { captured.step(); });
      else
        step();
      CHECK(plain.state() == captured.state());
      CHECK(plain.generator.state().stream == captured.generator.state().stream);
    }
    CHECK(step.ops().size() > 40);
    CHECK(step.ops().front() == "embedding");
    CHECK(step.ops().back() == "adamw");
    const Tensor loss = captured.loss;
    // And the step itself goes on from there.
    plain.step();
    captured.step();
    CHECK(plain.state() == captured.state());
    // And the captured step again, with its own tensors.
    captured.loss = loss;
    plain.step();
    step();
    CHECK(plain.state() == captured.state());
  }
}

TEST_CASE("capture: steps without an optimiser, in place, and gradients that add up") {
  Tensor w = tensor({1, 2}).requires_grad_(), y;
  w.set_grad(zeros({2}));
  const Tensor total = zeros({2}), x = tensor({3, 4});
  const CapturedStep step = capture([&] {
    y = where(x > 3.5, w * x, w - x);
    sum(y).backward();
    add_(total, x, 2);
    mul_(x, 0.5);
  });
  CHECK(y.to_vector() == Numbers{-2, 8});
  CHECK(w.grad().to_vector() == Numbers{1, 4});
  const int64_t version = x.version();
  step();
  CHECK(y.to_vector() == Numbers{-0.5, 0});
  CHECK(w.grad().to_vector() == Numbers{2, 5});
  CHECK(total.to_vector() == Numbers{9, 12});
  CHECK(x.version() > version);  // an older graph that saved x notices
}

TEST_CASE("capture: the same at any number of threads") {
  std::vector<Numbers> states;
  for (const int threads : {1, 3}) {
    const Threads count(threads);
    Training training(0.2);
    training.feed(0);
    const CapturedStep step = capture([&] { training.step(); });
    for (int i = 1; i < 3; ++i) {
      training.feed(i);
      step();
    }
    states.push_back(training.state());
  }
  CHECK(states[0] == states[1]);
}

TEST_CASE("capture: what depends on values is refused, with the op's name") {
  const Tensor x = tensor({1, 2, 3}), w = tensor({1, 1, 1}).requires_grad_();
  const auto refused = [](const std::function<void()>& body) {
    return error_of([&] { capture(body); });
  };
  CHECK(refused([&] { sum(x).item(); }).find("item(), to_vector(), data()") != std::string::npos);
  CHECK(refused([&] { masked_select(x, x > 1.0); }).find("'masked_select'") != std::string::npos);
  CHECK(refused([&] { topk(x, 2); }).find("[capture] '") != std::string::npos);
  CHECK(refused([&] { rand({2}); }).find("[capture] '") != std::string::npos);
  CHECK(refused([&] { tensor({1, 2}); }).find("[capture] '") != std::string::npos);
  CHECK(refused([&] { capture([] {}); }).find("captures another one") != std::string::npos);
  CHECK(refused([&] { sum(w * x).backward(); }).find("zero_grad()") != std::string::npos);
  CHECK(refused([&] { sum(w * w).backward({}, false, true); }).find("create_graph") !=
        std::string::npos);
  // The error ended the capture.
  CHECK(sum(x).item() == 6);
  const std::string inside = error_of([&] {
    const CapturedStep empty = capture([&] { sum(x); });
    capture([&] { empty(); });
  });
  CHECK(inside.find("runs a captured one") != std::string::npos);
  CHECK(error_of([] { CapturedStep()(); }).find("an empty step") != std::string::npos);
}

TEST_CASE("capture: errors of a replay name the op and the line that called it") {
  Training training;
  training.feed(0);
  const CapturedStep step = capture([&] { training.step(); });
  training.x.data<int64_t>()[3] = 9;
  const std::string error = full_error_of([&] { step(); });
  CHECK(error.find("[embedding] index 9 at position (0, 3)") != std::string::npos);
  CHECK(error.find("capture_test.cpp:") != std::string::npos);
  training.feed(1);
  step();
  training.y.data<int64_t>()[0] = -100;  // ignored: the mean is over 9 targets now
  CHECK(error_of([&] { step(); }).find("[cross_entropy] the weights of the targets") !=
        std::string::npos);
}

TEST_CASE("capture: gradients that a step adds to must stay where they are") {
  Tensor w = tensor({1, 2}).requires_grad_();
  w.set_grad(zeros({2}));
  const CapturedStep step = capture([&] { sum(w * w).backward(); });
  step();
  CHECK(w.grad().to_vector() == Numbers{4, 8});
  w.set_grad({});
  CHECK(error_of([&] { step(); }).find("is not the one that the captured step adds to") !=
        std::string::npos);
}

TEST_CASE("columns of softmax, channels and single logits are captured as well") {
  Generator generator(8);
  const Tensor x = randn({2, 3, 4, 20}, f32, generator).requires_grad_(),
               weight = randn({3}, f32, generator).requires_grad_(),
               bias = randn({3}, f32, generator).requires_grad_(),
               target = rand({2, 3, 4, 20}, f32, generator);
  const std::vector<Tensor> leaves = {x, weight, bias};
  Tensor loss;
  const auto step = [&] {
    for (const Tensor& leaf : leaves) leaf.set_grad({});
    const Tensor y = detail::channel_affine(x, weight, bias);
    loss = mean(detail::logits_loss(y + log_softmax(y, 1), target) * softmax(y, 2));
    loss.backward();
  };
  const auto numbers = [&] {
    Numbers all = loss.to_vector();
    for (const Tensor& leaf : leaves)
      for (const double v : leaf.grad().to_vector()) all.push_back(v);
    return all;
  };
  const CapturedStep captured = capture(step);
  copy_(target, rand(target.shape(), f32, generator));
  no_grad([&] { copy_(x, randn(x.shape(), f32, generator)); });
  captured();
  const Numbers replayed = numbers();
  step();
  CHECK(numbers() == replayed);
}

}  // namespace
}  // namespace tarsier
