// Terms with weight 0 count as 0 even if they are infinite: 0 · log 0 = 0 in losses.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "nn/nn.h"

namespace tarsier {
namespace {

using Values = std::vector<double>;
using Function = std::function<Tensor(const Tensor&)>;

constexpr double kInf = INFINITY;

Tensor row(const Values& values, DType dtype) {
  return to(from_vector(values, {static_cast<int64_t>(values.size())}), dtype);
}

/// f(x) and the gradient of its sum, by the kernels and by the reference forms, in both dtypes.
void check_values(const char* what, const std::function<Function(DType)>& f, const Values& x,
                  const Values& y, const Values& dx) {
  for (const DType dtype : {f64, f32})
    for (const bool create_graph : {false, true}) {
      const std::string name = what;
      CAPTURE(name);
      CAPTURE(dtype);
      CAPTURE(create_graph);
      const Tensor leaf = row(x, dtype).requires_grad_();
      const Tensor result = f(dtype)(leaf);
      const Values got_y = result.to_vector();
      const Values got_dx = grad({sum(result)}, {leaf}, {}, false, create_graph)[0].to_vector();
      REQUIRE(got_y.size() == y.size());
      REQUIRE(got_dx.size() == dx.size());
      const auto same = [&](double a, double b) {
        return a == b || std::abs(a - b) <= 1e-6 * std::max(1.0, std::abs(b));
      };
      for (size_t i = 0; i < y.size(); ++i) CHECK_MESSAGE(same(got_y[i], y[i]), i, ": ", got_y[i]);
      for (size_t i = 0; i < dx.size(); ++i)
        CHECK_MESSAGE(same(got_dx[i], dx[i]), "gradient ", i, ": ", got_dx[i]);
    }
}

TEST_CASE("cross_entropy with probabilities: a class of probability 0 may have a logit of -inf") {
  check_values("issue",
               [](DType t) { return [=](auto& x) {
                               return cross_entropy(x, row({0, 1}, t));
                             }; },
               {-kInf, 0}, {0}, {0, 0});
  const double l = std::log(1 + std::exp(1.0)), p = 1 / (1 + std::exp(1.0));
  check_values("three classes",
               [](DType t) { return [=](auto& x) {
                               return cross_entropy(x, row({0, 1, 0}, t));
                             }; },
               {-kInf, 0, 1}, {l}, {0, p - 1, 1 - p});
  check_values("class weight 0, smoothed",
               [](DType t) {
                 return [=](auto& x) {
                   return cross_entropy(x, row({0, 1, 0}, t),
                                        {.weight = row({0, 1, 1}, t), .label_smoothing = 0.3});
                 };
               },
               {-kInf, 0, 1}, {0.8 * l + 0.1 * (l - 1)}, {0, 0.9 * p - 0.8, 0.9 * (1 - p) - 0.1});
  // The gradient of the target as well.
  check_values("target",
               [](DType t) {
                 return [=](auto& target) { return cross_entropy(row({-kInf, 0}, t), target); };
               },
               {0, 1}, {0}, {0, 0});
  // For a class that counts the loss is infinite.
  const Tensor counts = cross_entropy(tensor({-kInf, 0}), tensor({0.5, 0.5}));
  CHECK(counts.item() == kInf);
  CHECK(std::isnan(cross_entropy(tensor({NAN, 0}), tensor({0, 1})).item()));
}

TEST_CASE("cross_entropy and nll_loss: a class of weight 0 does not count") {
  const Tensor first = zeros({}, i64), second = ones({}, i64);
  const double l = std::log(1 + std::exp(1.0)), p = 1 / (1 + std::exp(1.0));
  for (const bool reference : {false, true}) {
    const auto loss = [=](const Tensor& x, const Tensor& target,
                          const CrossEntropyOptions& options) {
      return reference ? cross_entropy_reference(x, target, options)
                       : cross_entropy(x, target, options);
    };
    check_values(
        "the target's",
        [=](DType t) {
          return [=](auto& x) {
            return loss(x, first, {.weight = row({0, 1}, t), .reduction = Reduction::none});
          };
        },
        {-kInf, 0}, {0}, {0, 0});
    check_values("another's, smoothed",
                 [=](DType t) {
                   return [=](auto& x) {
                     return loss(x, second,
                                 {.weight = row({0, 1, 1}, t),
                                  .reduction = Reduction::none,
                                  .label_smoothing = 0.3});
                   };
                 },
                 {-kInf, 0, 1}, {0.8 * l + 0.1 * (l - 1)}, {0, 0.9 * p - 0.8, 0.9 * (1 - p) - 0.1});
    check_values("all of the target smoothed away",
                 [=](DType t) {
                   return [=](auto& x) {
                     return loss(x, first, {.weight = row({1, 0, 1}, t), .label_smoothing = 1});
                   };
                 },
                 {0, -kInf, 1}, {(l + l - 1) / 3}, {(2 * p - 1) / 3, 0, (1 - 2 * p) / 3});
  }
  check_values("nll_loss",
               [=](DType t) {
                 return [=](auto& x) {
                   return nn::nll_loss(x, first, row({0, 1}, t), -100, Reduction::none);
                 };
               },
               {-kInf, 0}, {0}, {0, 0});
}

TEST_CASE("kl_div of equal distributions is 0, including zeros") {
  const double half = std::log(0.5);
  const auto none = nn::KLDivReduction::none;
  check_values("of p and p",
               [=](DType t) {
                 return [=](auto& x) { return nn::kl_div(x, row({0, 0.5, 0.5}, t), none); };
               },
               {-kInf, half, half}, {0, 0, 0}, {0, -0.5, -0.5});
  check_values("its target",
               [=](DType t) {
                 return [=](auto& p) { return nn::kl_div(row({-kInf, half, half}, t), p, none); };
               },
               {0, 0.5, 0.5}, {0, 0, 0}, {0, 1, 1});
  check_values("logarithms",
               [=](DType t) {
                 return [=](auto& x) {
                   return nn::kl_div(x, row({-kInf, -kInf, 0}, t), none, true);
                 };
               },
               {-kInf, -2, 0}, {0, 0, 0}, {0, 0, -1});
  check_values("logarithms, the target",
               [=](DType t) {
                 return [=](auto& target) {
                   return nn::kl_div(row({-kInf, -2, 0}, t), target, none, true);
                 };
               },
               {-kInf, -kInf, 0}, {0, 0, 0}, {0, 0, 1});
  CHECK(nn::kl_div(tensor({-kInf}), tensor({0.5})).item() == kInf);
}

TEST_CASE("binary_cross_entropy_with_logits is 0 where an infinite logit is right") {
  for (const bool weighted : {false, true})
    check_values("bce",
                 [=](DType t) {
                   return [=](auto& x) {
                     return nn::binary_cross_entropy_with_logits(x, row({1, 0, 0, 1, 0, 1}, t), {},
                                                                 Reduction::none,
                                                                 weighted ? row({1}, t) : Tensor());
                   };
                 },
                 {kInf, -kInf, kInf, -kInf, -1e30, 1e30}, {0, 0, kInf, kInf, 0, 0},
                 {0, 0, 1, -1, 0, 0});
  // Accurate for nearly right logits: e⁻⁵⁰ and not 0.
  const Tensor loss =
      nn::binary_cross_entropy_with_logits(tensor({-50, 50}), tensor({0, 1}), {}, Reduction::none);
  CHECK(loss.to_vector()[0] == doctest::Approx(std::exp(-50)).epsilon(1e-6));
  CHECK(loss.to_vector()[1] == doctest::Approx(std::exp(-50)).epsilon(1e-6));
}

TEST_CASE("regression losses of infinite differences have the slope of their tails") {
  check_values("smooth_l1",
               [](DType t) {
                 return [=](auto& x) {
                   return nn::smooth_l1_loss(x, row({0, 0, 0}, t), Reduction::none);
                 };
               },
               {kInf, -kInf, 0.5}, {kInf, kInf, 0.125}, {1, -1, 0.5});
  check_values("huber",
               [](DType t) {
                 return [=](auto& x) {
                   return nn::huber_loss(x, row({0, 0, 0}, t), Reduction::none, 2);
                 };
               },
               {kInf, -kInf, 1e30}, {kInf, kInf, 2e30}, {2, -2, 2});
}

}  // namespace
}  // namespace tarsier
