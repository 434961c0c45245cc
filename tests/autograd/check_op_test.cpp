// check_op finds errors of ops: one wrong op for each of its checks.
#include "autograd/check/check_op.h"

#include <doctest/doctest.h>

#include <atomic>
#include <span>
#include <thread>

#include "autograd/autograd.h"
#include "autograd/loops/map.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

using Tensors = std::vector<Tensor>;

/// x·σ(x)·y of two inputs, correct in every way, with everything that check_op can use.
OpCheck right_op() {
  const auto values = [](const Shape& shape, uint64_t seed) {
    Generator generator(seed);
    return to(rand(shape, f32, generator), f64);
  };
  OpCheck op;
  op.name = "swish_times";
  op.call = [](const Tensors& x) {
    Tensor y;
    {
      const NoGrad guard;
      y = x[0] * sigmoid(x[0]) * x[1];
    }
    return record("swish_times", {x[0], x[1]}, y, Save{x[0], x[1]},
                  [](const Saved& saved, const Tensor& dy) -> Grads {
                    const Tensor x = saved[0], s = sigmoid(x);
                    Tensor dx, dfactor;
                    if (saved.needs(0)) dx = dy * saved[1] * (s + x * s * (1 - s));
                    if (saved.needs(1)) dfactor = dy * x * s;
                    return {dx, dfactor};
                  });
  };
  op.samples = {{values({2, 3}, 1), values({2, 3}, 2)}, {values({2, 3}, 1), values({3}, 2)}};
  op.sized = [=](int64_t rows, int64_t n) { return Tensors{values({rows, n}, 1), values({n}, 2)}; };
  op.reference = [](const Tensors& x) { return silu(x[0]) * x[1]; };
  return op;
}

/// Checks that both `check` and check_op find `wrong`, with `text` in the error.
void check_finds(void (*check)(const OpCheck&), const std::string& text, const OpCheck& wrong) {
  check_error("[check_op] " + wrong.name, [&] { check(wrong); });
  check_error(text, [&] { check(wrong); });
  CHECK(error_of([&] { check_op(wrong); }) != "no error");
}

TEST_CASE("check_op accepts a correct op, with all or only some of its fields") {
  OpCheck op = right_op();
  CHECK(error_of([&] { check_op(op); }) == "no error");
  op.sized = nullptr;
  op.reference = nullptr;
  CHECK(error_of([&] { check_op(op); }) == "no error");
  op.samples = {};
  check_error("no samples", [&] { check_op(op); });
}

TEST_CASE("check_op finds wrong gradients, of first and second order") {
  OpCheck op = right_op();
  op.call = [](const Tensors& x) {
    return record("wrong", {x[0]}, square(x[0].detach()), Save{x[0]},
                  [](const Saved& saved, const Tensor& dy) -> Grads { return {dy * saved[0]}; });
  };
  check_finds(check_op_gradients, "the gradient is wrong at element (0, 0) of input 0", op);
  op.call = [](const Tensors& x) {
    return record(
        "wrong", {x[0]}, square(x[0].detach()), Save{x[0]},
        [](const Saved& saved, const Tensor& dy) -> Grads { return {dy * 2 * saved[0].detach()}; });
  };
  check_finds(check_op_gradients, "second-order gradient is wrong", op);
  op.second_order = false;
  CHECK(error_of([&] { check_op_gradients(op); }) == "no error");
}

TEST_CASE("check_op finds a gradient that depends on which other inputs require one") {
  OpCheck op = right_op();
  op.call = [](const Tensors& x) {
    return record("product", {x[0], x[1]}, x[0].detach() * x[1].detach(), Save{x[0], x[1]},
                  [](const Saved& saved, const Tensor& dy) -> Grads {
                    const Tensor dx = dy * saved[1] * (saved.needs(1) ? 1 : 2);
                    return {dx, dy * saved[0]};
                  });
  };
  check_finds(check_op_single_gradients, "if only input 0 requires a gradient", op);
}

TEST_CASE("check_op finds an input that is changed, counted or not") {
  OpCheck op = right_op();
  op.call = [](const Tensors& x) {
    x[0].data<double>()[0] += 1;
    return x[0] * x[1];
  };
  check_error("input 0 was changed", [&] { check_op_inputs(op); });
  op.call = [](const Tensors& x) {
    const NoGrad guard;
    add_(x[1].detach(), 0.0);
    return x[0] * x[1];
  };
  check_error("input 1 has a new version", [&] { check_op_inputs(op); });
}

TEST_CASE("check_op finds another formula in f32, or at some length of a row") {
  OpCheck op = right_op();
  op.call = [](const Tensors& x) { return x[0] * (x[0].dtype() == f32 ? 1.0001 : 1); };
  check_finds(check_op_dtypes, "f32 compared with f64", op);
  op.call = [](const Tensors& x) {
    return x[0] * (x[0].dtype() == f32 && x[0].size(-1) == 67 ? 1.0001 : 1);
  };
  check_finds(check_op_dtypes, "inputs of shapes (4, 67), (67,)", op);
  op.random = true;
  CHECK(error_of([&] { check_op_dtypes(op); }) == "no error");
}

TEST_CASE("check_op finds loops that forget the strides") {
  OpCheck op = right_op();
  const auto raw_twice = [](const Tensor& x) {
    const Tensor y = Tensor::empty(x.shape(), x.dtype());
    dispatch_floating(x.dtype(), "twice", [&]<class T>() {
      for (int64_t i = 0; i < x.numel(); ++i) y.data<T>()[i] = 2 * x.data<T>()[i];
    });
    return y;
  };
  op.call = [=](const Tensors& x) {
    return record("twice", {x[0]}, raw_twice(x[0].detach()), Save{},
                  [](const Saved&, const Tensor& dy) -> Grads { return {dy * 2}; });
  };
  check_finds(check_op_layouts, "transposed, compared with contiguous", op);
  op.call = [=](const Tensors& x) {
    return record(
        "twice", {x[0]}, x[0].detach() * 2, Save{},
        [=](const Saved&, const Tensor& dy) -> Grads { return {raw_twice(dy.detach())}; });
  };
  check_finds(check_op_layouts, "transposed, compared with contiguous", op);
  op.any_layout = false;
  CHECK(error_of([&] { check_op_layouts(op); }) == "no error");
}

TEST_CASE("check_op finds a reference form that is another function") {
  OpCheck op = right_op();
  op.reference = [](const Tensors& x) { return gelu(x[0]) * x[1]; };
  check_finds(check_op_reference, "compared with the reference form in f64: result", op);
  op.reference = [](const Tensors& x) { return silu(x[0]) * x[1].detach(); };
  check_finds(check_op_reference, "gradient of input 1", op);
}

TEST_CASE("check_op finds results that depend on the number of threads") {
  OpCheck op = right_op();
  op.call = [](const Tensors& x) { return x[0] * x[1] * (1 + 1e-6 * num_threads()); };
  const int before = num_threads();
  check_error("2 threads compared with one", [&] { check_op_threads(op); });
  CHECK(num_threads() == before);
}

TEST_CASE("check_op finds gradients of the wrong shape where there are no elements") {
  OpCheck op = right_op();
  CHECK(error_of([&] { check_op_empty(op); }) == "no error");
  op.call = [](const Tensors& x) -> Tensor {
    if (x[0].numel() == 0) throw std::runtime_error("crashed");
    return x[0] * x[1];
  };
  CHECK_THROWS_AS(check_op_empty(op), std::runtime_error);
}

}  // namespace
}  // namespace tarsier
