// Tensors without elements: a batch of no rows is a batch. First and second derivatives of every op
// in the registry, and of calls that the registry has only with elements.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <set>

#include "autograd/check/gradcheck.h"
#include "nn/nn.h"
#include "tests/ops/compare.h"

namespace tarsier::test {
namespace {

/// "" if first and second derivatives of `call` agree with differences. For an upstream gradient
/// that has elements, they must exist and be 0. An op that refuses the input must do so at once.
std::string check_empty(const OpCall& call, const Tensors& inputs) {
  Tensor y;
  try {
    y = call(inputs);
  } catch (const Error&) {
    return "refused";
  }
  if (!y.requires_grad()) return "constant";
  // A tensor without elements has no layout.
  gradcheck(call, inputs, {.second_order = true, .any_layout = false});
  return "";
}

TEST_CASE("ops: first and second derivatives of tensors without elements") {
  std::set<std::string> checked;
  for_each_op([&](const Op& op) -> std::string {
    if (!op.sized || !op.differentiable) return "";
    for (const auto& [rows, n] : {std::pair<int64_t, int64_t>{0, 4}, {3, 0}, {0, 0}}) {
      const Tensors inputs = leaves(op.sized(rows, n), op.constants);
      try {
        if (check_empty(op.call, inputs).empty()) checked.insert(op.name);
      } catch (const std::exception& error) {
        return concat(rows, " rows of ", n, ": ", error.what());
      }
    }
    return "";
  });
  if (std::getenv("TARSIER_TEST_OP") == nullptr) CHECK(checked.size() > 80);
}

/// Checks `call` on tensors of these shapes, which it must accept.
void check_shapes(const std::string& what, const OpCall& call, const std::vector<Shape>& shapes) {
  CAPTURE(what);
  Tensors inputs;
  for (const Shape& shape : shapes) inputs.push_back(values(shape).requires_grad_());
  std::string text;
  try {
    text = check_empty(call, inputs);
  } catch (const std::exception& error) {
    text = error.what();
  }
  CHECK(text == "");
}

TEST_CASE("empty: derivatives of batches of no images") {
  const Shape none = {0, 2, 4, 5};
  check_shapes("conv2d", [](const Tensors& x) { return conv2d(x[0], x[1], x[2]); },
               {none, {3, 2, 2, 3}, {3}});
  check_shapes("conv_transpose2d",
               [](const Tensors& x) { return conv_transpose2d(x[0], x[1], x[2]); },
               {none, {2, 3, 2, 3}, {3}});
  check_shapes("unfold", [](const Tensors& x) { return unfold(x[0], 2); }, {none});
  check_shapes("max_pool2d", [](const Tensors& x) { return max_pool2d(x[0], 2); }, {none});
  check_shapes("avg_pool2d", [](const Tensors& x) { return avg_pool2d(x[0], 2); }, {none});
  check_shapes("adaptive_avg_pool2d",
               [](const Tensors& x) {
                 return adaptive_avg_pool2d(x[0], {2, 3});
               },
               {none});
  for (const char* mode : {"nearest", "bilinear"})
    check_shapes(
        mode,
        [=](const Tensors& x) { return interpolate(x[0], {.scale_factor = 1.5, .mode = mode}); },
        {none});
}

TEST_CASE("empty: derivatives of calls that are registered only with elements") {
  check_shapes("flip / select", [](const Tensors& x) { return flip(x[0], 0) / select(x[1], 1, 0); },
               {{0}, {0, 2}});
  check_shapes("expand", [](const Tensors& x) { return expand(x[0], {0, 3}); }, {{1, 3}});
  for (const int64_t correction : {0, 1})
    for (const Axes& dims : {Axes(), Axes(0), Axes(1)})
      for (const Shape& shape : {Shape{0, 3}, Shape{3, 0}}) {
        check_shapes("var", [=](const Tensors& x) { return var(x[0], dims, correction); }, {shape});
        check_shapes("stddev", [=](const Tensors& x) { return stddev(x[0], dims, correction); },
                     {shape});
        check_shapes("mean", [=](const Tensors& x) { return mean(x[0], dims); }, {shape});
      }
}

TEST_CASE("empty: normalisation layers accept an empty batch") {
  for (const Shape& shape : {Shape{0, 4}, Shape{0, 4, 3}, Shape{2, 4, 0}}) {
    check_shapes("GroupNorm",
                 [](const Tensors& x) {
                   nn::GroupNorm layer(2, 4);
                   layer.to(f64);
                   return layer(x[0]);
                 },
                 {shape});
    nn::BatchNorm1d batch(4);
    batch.to(f64);
    check_shapes("BatchNorm1d", [&](const Tensors& x) { return batch(x[0]); }, {shape});
    // As in PyTorch: an empty batch changes nothing.
    CHECK(batch.running_mean.to_vector() == std::vector<double>(4, 0));
    CHECK(batch.running_var.to_vector() == std::vector<double>(4, 1));
    batch.eval();
    check_shapes("BatchNorm1d, eval", [&](const Tensors& x) { return batch(x[0]); }, {shape});
  }
}

TEST_CASE("empty: losses of no rows have the mean NaN and an empty gradient") {
  for (const Reduction reduction : {Reduction::none, Reduction::mean, Reduction::sum}) {
    using Loss = std::function<Tensor(const Tensor&, const Tensor&)>;
    const std::pair<const char*, Loss> losses[] = {
        {"mse", [=](auto& x, auto& t) { return nn::mse_loss(x, t, reduction); }},
        {"l1", [=](auto& x, auto& t) { return nn::l1_loss(x, t, reduction); }},
        {"smooth_l1", [=](auto& x, auto& t) { return nn::smooth_l1_loss(x, t, reduction); }},
        {"huber", [=](auto& x, auto& t) { return nn::huber_loss(x, t, reduction); }},
        {"bce", [=](auto& x, auto& t) { return nn::binary_cross_entropy(x, t, {}, reduction); }},
        {"bce_logits",
         [=](auto& x, auto& t) {
           return nn::binary_cross_entropy_with_logits(x, t, {}, reduction);
         }},
        {"kl_div",
         [=](auto& x, auto& t) {
           return nn::kl_div(x, t,
                             reduction == Reduction::mean ? nn::KLDivReduction::batchmean
                                                          : nn::KLDivReduction::sum);
         }},
        {"soft cross_entropy",
         [=](auto& x, auto& t) { return cross_entropy(x, t, {.reduction = reduction}); }},
        {"cosine_embedding",
         [=](auto& x, auto& t) {
           return nn::cosine_embedding_loss(x, t, ones({0}, f64), 0, reduction);
         }},
        {"triplet",
         [=](auto& x, auto& t) {
           return nn::triplet_margin_loss(x, t, x, {.reduction = reduction});
         }},
    };
    for (const auto& [name, loss] : losses)
      check_shapes(name, [&](const Tensors& x) { return loss(x[0], x[1]); }, {{0, 3}, {0, 3}});
    const Tensor classes = zeros({0}, i64);
    check_shapes(
        "cross_entropy",
        [&](const Tensors& x) { return cross_entropy(x[0], classes, {.reduction = reduction}); },
        {{0, 3}});
    check_shapes("nll_loss",
                 [&](const Tensors& x) { return nn::nll_loss(x[0], classes, {}, -100, reduction); },
                 {{0, 3}});
  }
  CHECK(std::isnan(nn::mse_loss(zeros({0}), zeros({0})).item()));
  CHECK(std::isnan(nn::nll_loss(zeros({0, 3}), zeros({0}, i64)).item()));
}

}  // namespace
}  // namespace tarsier::test
