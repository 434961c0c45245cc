// cross_entropy: PyTorch's rules for weights, smoothing and ignored targets; errors; extremes.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "autograd/autograd.h"
#include "tests/error_of.h"
#include "tests/threads.h"

using namespace tarsier;

namespace {

using Values = std::vector<double>;

Tensor logits() { return tensor({{0.5, -1, 2, 0.25}, {1.5, 0, -0.5, 3}, {-2, 1, 0.75, 0.1}}, f64); }
Tensor targets() { return from_vector<int64_t>({2, 3, 1}, {3}); }
Tensor weights() { return tensor({0.5, 2, 1, 3}, f64); }

/// Every combination of options, with one target ignored.
std::vector<CrossEntropyOptions> all_options() {
  std::vector<CrossEntropyOptions> all;
  for (Reduction reduction : {Reduction::none, Reduction::mean, Reduction::sum})
    for (double smoothing : {0.0, 0.1, 1.0})
      for (int64_t ignore : {-100, 3})
        for (bool weighted : {false, true})
          all.push_back({weighted ? weights() : Tensor(), ignore, reduction, smoothing});
  return all;
}

// The expected numbers were computed from the definition in
// https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html, in Python.
TEST_CASE("cross_entropy of known logits") {
  const Tensor x = logits(), t = targets(), w = weights();
  const auto loss = [&](const CrossEntropyOptions& options) {
    return cross_entropy(x, t, options).to_vector();
  };
  const auto near = [](const Values& a, const Values& b) {
    REQUIRE(a.size() == b.size());
    for (size_t i = 0; i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-13));
  };
  near(loss({.reduction = Reduction::none}),
       {0.36927899844825335, 0.2647572543194326, 0.8043117003831358});
  near(loss({}), {0.47944931771694055});
  near(loss({.weight = w}), {0.46202902702880383});
  near(loss({.weight = w, .label_smoothing = 0.1}), {0.5660313813904249});
  near(loss({.ignore_index = 3, .label_smoothing = 0.1}), {0.7167953494156947});
  near(loss({.weight = w, .reduction = Reduction::none, .label_smoothing = 0.1}),
       {0.6923589358512692, 1.014117640489376, 1.689711712001904});
  near(loss({.weight = w, .ignore_index = 2, .reduction = Reduction::sum, .label_smoothing = 0.1}),
       {2.70382935249128});
}

TEST_CASE("all forms of the arguments agree") {
  const Tensor x = logits(), t = targets();
  CHECK(cross_entropy(select(x, 0, 1), select(t, 0, 1)).item() ==
        doctest::Approx(0.2647572543194326));
  // (N, C, d): the classes stay in dimension 1.
  Generator generator(1);
  const Tensor deep = randn({2, 4, 3, 5}, f64, generator);
  const Tensor index = randint(0, 4, {2, 3, 5}, generator);
  const Tensor flat = reshape(permute(deep, {0, 2, 3, 1}), {30, 4});
  for (const CrossEntropyOptions& options : all_options()) {
    const Tensor a = cross_entropy(deep, index, options);
    const Tensor b = cross_entropy(flat, reshape(index, {30}), options);
    CHECK(a.shape() == (options.reduction == Reduction::none ? index.shape() : Shape{}));
    CHECK(allclose(reshape(a, b.shape()), b, 1e-13, 0));
  }
}

TEST_CASE("value, gradient and second derivative are those of the reference form") {
  Generator generator(2);
  const std::vector<std::pair<Tensor, Tensor>> problems = {
      {logits(), targets()},
      {transpose(randn({4, 6}, f64, generator), 0, 1), randint(0, 4, {6}, generator)},
      {randn({2, 4, 3}, f64, generator), randint(0, 4, {2, 3}, generator)}};
  for (const auto& [start, t] : problems)
    for (const CrossEntropyOptions& options : all_options()) {
      std::vector<Tensor> results[2];
      for (bool fused : {false, true}) {
        Tensor x = start.detach();
        x.requires_grad_();
        const Tensor y =
            fused ? cross_entropy(x, t, options) : cross_entropy_reference(x, t, options);
        Generator directions(3);
        const Tensor dy = randn(y.shape(), f64, directions);
        const Tensor plain = grad({y}, {x}, {dy}, true)[0];  // the kernel, where fused
        const Tensor dx = grad({y}, {x}, {dy}, false, true)[0];
        const Tensor ddx = grad({dx}, {x}, {randn(dx.shape(), f64, directions)})[0];
        results[fused] = {y, plain, dx, ddx};
      }
      CAPTURE(options.label_smoothing);
      CAPTURE(options.ignore_index);
      CAPTURE(options.weight.defined());
      for (size_t i = 0; i < 4; ++i) {
        CAPTURE(i);
        CHECK(allclose(results[0][i], results[1][i], 1e-10, 1e-13));
      }
    }
}

TEST_CASE("logits of 1e4 give exact losses and gradients, in f32") {
  Tensor x = tensor({{1e4, 0}, {1e4, 1e4 - 1}});
  x.requires_grad_();
  const Tensor loss =
      cross_entropy(x, from_vector<int64_t>({1, 0}, {2}), {.reduction = Reduction::none});
  CHECK(loss.to_vector()[0] == 1e4);
  CHECK(loss.to_vector()[1] == doctest::Approx(std::log1p(std::exp(-1))).epsilon(1e-6));
  loss.backward(ones({2}));
  const Values dx = x.grad().to_vector(), want = {1, -1, -0.2689414213699951, 0.2689414213699951};
  for (size_t i = 0; i < 4; ++i) CHECK(dx[i] == doctest::Approx(want[i]).epsilon(1e-6));
}

TEST_CASE("a masked class of logit −∞ adds nothing to the loss and gets no gradient") {
  constexpr double inf = std::numeric_limits<double>::infinity();
  Tensor x = tensor({{0, -inf, 0}, {-inf, 1, 2}}, f64);
  x.requires_grad_();
  const Tensor loss =
      cross_entropy(x, from_vector<int64_t>({2, -100}, {2}), {.reduction = Reduction::mean});
  CHECK(loss.item() == doctest::Approx(std::log(2)));
  loss.backward();
  const Values want = {0.5, 0, -0.5, 0, 0, 0}, dx = x.grad().to_vector();
  for (size_t i = 0; i < want.size(); ++i) CHECK(dx[i] == doctest::Approx(want[i]));
}

TEST_CASE("a target with probability 1 for one class equals that class") {
  const Tensor x = logits(), t = targets(), hot = to(one_hot(t, 4), f64);
  for (CrossEntropyOptions options : all_options()) {
    if (options.ignore_index >= 0) continue;
    // The mean over classes divides by their weights, that over probabilities does not.
    if (options.reduction == Reduction::mean) options.weight = {};
    CHECK(allclose(cross_entropy(x, hot, options), cross_entropy(x, t, options), 1e-13, 0));
  }
}

TEST_CASE("the mean of nothing is NaN, the sum of nothing is 0") {
  const Tensor ignored = from_vector<int64_t>({-100, -100, -100}, {3});
  CHECK(std::isnan(cross_entropy(logits(), ignored).item()));
  CHECK(cross_entropy(logits(), ignored, {.reduction = Reduction::sum}).item() == 0);
  const Tensor none = zeros({0, 4}), no_target = zeros({0}, i64);
  CHECK(std::isnan(cross_entropy(none, no_target).item()));
  CHECK(cross_entropy(none, no_target, {.reduction = Reduction::sum}).item() == 0);
  CHECK(cross_entropy(none, no_target, {.reduction = Reduction::none}).shape() == Shape{0});
}

TEST_CASE("a class that does not exist is an error that names it") {
  const Tensor x = logits();
  const auto target = [](int64_t t) { return from_vector<int64_t>({2, t, 1}, {3}); };
  for (const auto& loss : {cross_entropy, cross_entropy_reference}) {
    CHECK_THROWS_WITH_AS(
        loss(x, target(4), {}),
        doctest::Contains("[cross_entropy] target 1 is 4, but there are 4 classes: use 0 to 3, or "
                          "ignore_index (-100)"),
        Error);
    CHECK_THROWS_AS(loss(x, target(-1), {}), Error);
    CHECK_NOTHROW(loss(x, target(-1), {.ignore_index = -1}));
  }
}

TEST_CASE("other errors of cross_entropy") {
  const Tensor x = logits(), t = targets();
  CHECK(error_of([&] { cross_entropy(x, t == 1); }) ==
        "[cross_entropy] targets are bool, class indices (i64) are needed: convert with to(target, "
        "i64)");
  const std::string must =
      ": probabilities have the shape and dtype of the logits, classes are i64";
  CHECK(error_of([&] { cross_entropy(x, to(t, f64)); }) ==
        "[cross_entropy] targets are f64 of shape (3,) for logits of f64 (3, 4)" + must);
  CHECK(error_of([&] { cross_entropy(x, to(x, f32)); }) ==
        "[cross_entropy] targets are f32 of shape (3, 4) for logits of f64 (3, 4)" + must);
  CHECK(error_of([&] { cross_entropy(x, x, {.ignore_index = 1}); }) ==
        "[cross_entropy] ignore_index 1 with targets that are probabilities: none of them is a "
        "class");
  CHECK(error_of([&] { cross_entropy(x, slice(t, 0, 0, 2)); }) ==
        "[cross_entropy] targets of shape (2,) for logits of shape (3, 4): (3,) is needed");
  CHECK(error_of([&] { cross_entropy(x, t, {.weight = ones({3}, f64)}); }) ==
        "[cross_entropy] weight of shape (3,) for 4 classes: (4,) is needed");
  CHECK(error_of([&] { cross_entropy(x, t, {.label_smoothing = 1.5}); }) ==
        "[cross_entropy] label_smoothing 1.5 is not in [0, 1]");
}

TEST_CASE("cross_entropy: any integer may be ignored, for higher derivatives as well") {
  for (int64_t ignored : {std::numeric_limits<int64_t>::max(), (int64_t{1} << 53) + 1}) {
    const Tensor target = from_vector(std::vector<int64_t>{0, ignored}, {2});
    const CrossEntropyOptions options{.ignore_index = ignored};
    Tensor x = tensor({{1, 2}, {3, 4}}, f64).requires_grad_();
    const Tensor dx = grad({cross_entropy(x, target, options)}, {x})[0];
    CHECK(allclose(grad({cross_entropy(x, target, options)}, {x}, {}, false, true)[0], dx));
  }
}

TEST_CASE("cross_entropy and its gradient have the same bits on any number of threads") {
  const Threads restore;
  Generator generator(4);
  const Tensor start = randn({2000, 27}, f32, generator);
  const Tensor t = randint(0, 27, {2000}, generator);
  std::vector<Values> results;
  for (int threads : {1, 2, 3}) {
    set_num_threads(threads);
    Tensor x = start.detach();
    x.requires_grad_();
    const Tensor loss = cross_entropy(x, t, {.label_smoothing = 0.1});
    loss.backward();
    Values both = x.grad().to_vector();
    both.push_back(loss.item());
    results.push_back(both);
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

}  // namespace
