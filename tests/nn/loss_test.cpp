// Losses compared with PyTorch, and what PyTorch's numbers do not cover.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "autograd/check/gradcheck.h"
#include "nn/nn.h"
#include "tests/error_of.h"
#include "tests/nn/losses.h"

namespace tarsier {
namespace {

/// Checks a function of (input, target, reduction) and the module that should be the same.
template <class Function, class Make>
void check_pair(const std::string& name, Function function, Make make) {
  check_loss(name, [&](const TensorDict& in, Reduction reduction) {
    return function(in["input"], in["target"], in, reduction);
  });
  check_loss(name, [&](const TensorDict& in, Reduction reduction) {
    return (*make(in, reduction))(in["input"], in["target"]);
  });
}

using std::make_unique;
using Dict = const TensorDict&;

TEST_CASE("regression losses compute what PyTorch's compute, with the same gradients") {
  check_pair(
      "mse", [](auto x, auto t, Dict, auto r) { return nn::mse_loss(x, t, r); },
      [](Dict, auto r) { return make_unique<nn::MSELoss>(r); });
  check_pair(
      "l1", [](auto x, auto t, Dict, auto r) { return nn::l1_loss(x, t, r); },
      [](Dict, auto r) { return make_unique<nn::L1Loss>(r); });
  for (const auto& [name, beta] :
       {std::pair("smooth_l1_1.0", 1.0), {"smooth_l1_0.4", 0.4}, {"smooth_l1_0.0", 0.0}})
    check_pair(
        name, [b = beta](auto x, auto t, Dict, auto r) { return nn::smooth_l1_loss(x, t, r, b); },
        [b = beta](Dict, auto r) { return make_unique<nn::SmoothL1Loss>(r, b); });
  for (const auto& [name, delta] : {std::pair("huber_1.0", 1.0), {"huber_2.5", 2.5}})
    check_pair(
        name, [d = delta](auto x, auto t, Dict, auto r) { return nn::huber_loss(x, t, r, d); },
        [d = delta](Dict, auto r) { return make_unique<nn::HuberLoss>(r, d); });
}

TEST_CASE("nll_loss and cross_entropy compute what PyTorch's compute") {
  for (const char* name : {"nll_rows", "nll_rows_weight", "nll_images", "nll_images_weight",
                           "nll_one", "nll_one_weight", "nll_ignore"}) {
    const int64_t ignored = std::string(name) == "nll_ignore" ? 2 : -100;
    check_pair(
        name,
        [&](auto x, auto t, Dict in, auto r) {
          return nn::nll_loss(x, t, optional(in, "weight"), ignored, r);
        },
        [&](Dict in, auto r) {
          return make_unique<nn::NLLLoss>(optional(in, "weight"), ignored, r);
        });
  }
  for (const auto& [name, smoothing] :
       {std::pair("cross_entropy_0.0", 0.0), {"cross_entropy_0.2", 0.2}}) {
    const auto options = [s = smoothing](Dict in, Reduction r) {
      return CrossEntropyOptions{in["weight"], 1, r, s};
    };
    check_pair(
        name, [&](auto x, auto t, Dict in, auto r) { return cross_entropy(x, t, options(in, r)); },
        [&](Dict in, auto r) { return make_unique<nn::CrossEntropyLoss>(options(in, r)); });
  }
}

TEST_CASE("cross_entropy computes what PyTorch's computes where targets are probabilities") {
  for (const std::string name : {"rows", "images", "one"})
    for (const bool both : {false, true}) {  // weight and label_smoothing
      const auto options = [=](Dict in, Reduction r) {
        return CrossEntropyOptions{
            .weight = optional(in, "weight"), .reduction = r, .label_smoothing = both ? 0.2 : 0};
      };
      check_pair(
          "cross_entropy_soft_" + name + (both ? "_both" : ""),
          [&](auto x, auto t, Dict in, auto r) { return cross_entropy(x, t, options(in, r)); },
          [&](Dict in, auto r) { return make_unique<nn::CrossEntropyLoss>(options(in, r)); });
    }
}

TEST_CASE("binary cross-entropies compute what PyTorch's compute, at the edges as well") {
  for (const char* name : {"bce", "bce_weight", "bce_edge"})
    check_pair(
        name,
        [](auto x, auto t, Dict in, auto r) {
          return nn::binary_cross_entropy(x, t, optional(in, "weight"), r);
        },
        [](Dict in, auto r) { return make_unique<nn::BCELoss>(optional(in, "weight"), r); });
  for (const char* name : {"bce_logits", "bce_logits_weight", "bce_logits_pos_weight",
                           "bce_logits_both", "bce_logits_extreme"})
    check_pair(
        name,
        [](auto x, auto t, Dict in, auto r) {
          return nn::binary_cross_entropy_with_logits(x, t, optional(in, "weight"), r,
                                                      optional(in, "pos_weight"));
        },
        [](Dict in, auto r) {
          return make_unique<nn::BCEWithLogitsLoss>(optional(in, "weight"), r,
                                                    optional(in, "pos_weight"));
        });
}

nn::KLDivReduction kl_reduction(Reduction reduction) {
  return static_cast<nn::KLDivReduction>(reduction);  // the first three are the same
}

TEST_CASE("kl_div computes what PyTorch's computes, with batchmean") {
  for (const std::string name : {"kl_div", "kl_div_log", "kl_div_zero"}) {
    const bool log_target = name == "kl_div_log";
    check_pair(
        name,
        [&](auto x, auto t, Dict, auto r) { return nn::kl_div(x, t, kl_reduction(r), log_target); },
        [&](Dict, auto r) { return make_unique<nn::KLDivLoss>(kl_reduction(r), log_target); });

    const TensorDict numbers = golden("losses.safetensors", name + ".");
    Tensor x = clone(numbers["input"]).requires_grad_();
    const Tensor y = nn::kl_div(x, numbers["target"], nn::KLDivReduction::batchmean, log_target);
    check_close("batchmean y", y, numbers["batchmean.y"]);
    y.backward(numbers["batchmean.dy"]);
    check_close("batchmean dx", x.grad(), numbers["batchmean.dinput"]);
  }
}

TEST_CASE("dice_loss computes its formula") {
  check_loss("dice",
             [](Dict in, auto r) { return nn::dice_loss(in["input"], in["target"], 1, false, r); });
  check_loss("dice_squared", [](Dict in, auto r) {
    return nn::dice_loss(in["input"], in["target"], 0.1, true, r);
  });
}

TEST_CASE("losses of embeddings compute what PyTorch's compute") {
  for (const auto& [name, margin] : {std::pair("cosine_0.0", 0.0),
                                     {"cosine_0.3", 0.3},
                                     {"cosine_-0.5", -0.5},
                                     {"cosine_one", 0.0}}) {
    check_loss(name, [m = margin](Dict in, auto r) {
      return nn::cosine_embedding_loss(in["input1"], in["input2"], in["target"], m, r);
    });
    check_loss(name, [m = margin](Dict in, auto r) {
      nn::CosineEmbeddingLoss loss(m, r);
      return loss(in["input1"], in["input2"], to(in["target"], in["input1"].dtype()));
    });
  }
  const std::vector<std::pair<std::string, nn::TripletMarginOptions>> triplets = {
      {"triplet_default", {}},
      {"triplet_p1", {.p = 1}},
      {"triplet_p3", {.margin = 0.5, .p = 3}},
      {"triplet_swap", {.margin = 2, .swap = true}},
      {"triplet_eps", {.eps = 0.1}},
      {"triplet_one", {}}};
  for (const auto& [name, given] : triplets) {
    nn::TripletMarginOptions options = given;
    check_loss(name, [&](Dict in, auto r) {
      options.reduction = r;
      return nn::triplet_margin_loss(in["anchor"], in["positive"], in["negative"], options);
    });
    check_loss(name, [&](Dict in, auto r) {
      options.reduction = r;
      nn::TripletMarginLoss loss(options);
      return loss(in["anchor"], in["positive"], in["negative"]);
    });
  }
  check_loss("info_nce",
             [](Dict in, auto r) { return nn::info_nce(in["query"], in["key"], 0.1, false, r); });
  check_loss("info_nce_symmetric",
             [](Dict in, auto r) { return nn::info_nce(in["query"], in["key"], 0.5, true, r); });
}

/// Checks first and second derivatives with respect to all inputs, for every reduction.
template <class Loss>
void check_derivatives(const std::vector<Tensor>& inputs, const Loss& loss) {
  for (const Reduction reduction : {Reduction::none, Reduction::mean, Reduction::sum}) {
    std::vector<Tensor> leaves;
    for (const Tensor& x : inputs) leaves.push_back(x.detach().requires_grad_());
    CHECK_NOTHROW(gradcheck([&](const auto& in) { return loss(in, reduction); }, leaves,
                            {.second_order = true}));
  }
}

TEST_CASE("losses are differentiable twice, also with respect to floating targets") {
  Generator generator(7);
  const auto normal = [&](const Shape& shape) { return 2 * randn(shape, f64, generator); };
  const auto probabilities = [&](const Shape& shape) {
    return 0.05 + 0.9 * rand(shape, f64, generator);
  };
  const Tensor x = normal({3, 4}), t = normal({3, 4}), w = probabilities({4});
  check_derivatives({x, t}, [](auto& in, auto r) { return nn::mse_loss(in[0], in[1], r); });
  check_derivatives({x, t}, [](auto& in, auto r) { return nn::l1_loss(in[0], in[1], r); });
  check_derivatives({x, t},
                    [](auto& in, auto r) { return nn::smooth_l1_loss(in[0], in[1], r, 2); });
  check_derivatives({x, t}, [](auto& in, auto r) { return nn::huber_loss(in[0], in[1], r, 1.5); });

  const Tensor classes = from_vector<int64_t>({2, 0, 3}, {3});
  check_derivatives({x, w},
                    [&](auto& in, auto r) { return nn::nll_loss(in[0], classes, in[1], 0, r); });
  const Tensor p = probabilities({3, 4}), q = probabilities({3, 4});
  check_derivatives(
      {p, q, w}, [](auto& in, auto r) { return nn::binary_cross_entropy(in[0], in[1], in[2], r); });
  check_derivatives({x, q, w, p}, [](auto& in, auto r) {
    return nn::binary_cross_entropy_with_logits(in[0], in[1], in[2], r, in[3]);
  });
  check_derivatives({x, q, w}, [](auto& in, auto r) {
    return nn::binary_cross_entropy_with_logits(in[0], in[1], in[2], r);
  });
  for (const bool log_target : {false, true})
    check_derivatives({x, log_target ? log(q) : q}, [&](auto& in, auto r) {
      return nn::kl_div(in[0], in[1], kl_reduction(r), log_target);
    });
  for (const bool squared : {false, true})
    check_derivatives({probabilities({2, 3, 4}), probabilities({2, 3, 4})}, [&](auto& in, auto r) {
      return nn::dice_loss(in[0], in[1], 0.5, squared, r);
    });

  check_derivatives({x, t}, [](auto& in, auto r) {
    return nn::cosine_embedding_loss(in[0], in[1], tensor({1, -1, 1}), -0.9, r);
  });
  for (const double norm : {2.0, 3.0})
    check_derivatives({x, t, normal({3, 4})}, [&](auto& in, auto r) {
      return nn::triplet_margin_loss(in[0], in[1], in[2],
                                     {.margin = 9, .p = norm, .swap = true, .reduction = r});
    });
  for (const bool symmetric : {false, true})
    check_derivatives(
        {x, t}, [&](auto& in, auto r) { return nn::info_nce(in[0], in[1], 0.5, symmetric, r); });
}

TEST_CASE("second derivatives stay finite where a probability is 0 or 1") {
  Tensor p = tensor({0, 1, 0, 1}, f64).requires_grad_();
  Tensor t = tensor({0, 1, 1, 0}, f64).requires_grad_();
  const Tensor loss = nn::binary_cross_entropy(p, t, {}, Reduction::sum);
  const std::vector<Tensor> first = grad({loss}, {p, t}, {}, true, true);
  for (const Tensor& dx : grad({sum(first[0]) + sum(first[1])}, {p, t}))
    CHECK(all(isfinite(dx)).item<bool>());
}

TEST_CASE("an ignored target hides its infinity") {
  Tensor x = full({2, 2}, -INFINITY, f64);
  x = cat({x, tensor({{-1, -2}}, f64)}).requires_grad_();
  const Tensor loss = nn::nll_loss(x, from_vector<int64_t>({-100, -100, 1}, {3}));
  CHECK(loss.item() == 2);
  loss.backward();
  CHECK(x.grad().to_vector() == std::vector<double>{0, 0, 0, 0, 0, -1});
}

TEST_CASE("weights of losses are in the state dict under PyTorch's names") {
  const nn::BCEWithLogitsLoss both(ones({3}), Reduction::sum, ones({2, 3}));
  CHECK(both.state_dict().contains("weight"));
  CHECK(both.state_dict()["pos_weight"].shape() == Shape{2, 3});
  CHECK(nn::NLLLoss().state_dict().size() == 0);
  nn::CrossEntropyLoss loss({.weight = tensor({1, 3})});
  loss.to(f64);
  CHECK(loss(zeros({2, 2}, f64), arange(2)).item() == doctest::Approx(std::log(2.0)));
  CHECK(concat(loss) == "CrossEntropyLoss()\n0 parameters");
}

TEST_CASE("losses name what does not fit, with both shapes") {
  const Tensor x = ones({3, 4}), y = ones({4, 3});
  const std::string shapes = "input of shape (3, 4) and target of shape (4, 3)";
  check_error("[mse_loss] " + shapes, [&] { nn::mse_loss(x, y); });
  check_error("[l1_loss] " + shapes, [&] { nn::l1_loss(x, y); });
  check_error("[smooth_l1_loss] " + shapes, [&] { nn::smooth_l1_loss(x, y); });
  check_error("[huber_loss] " + shapes, [&] { nn::huber_loss(x, y); });
  check_error("[kl_div] " + shapes, [&] { nn::kl_div(x, y); });
  check_error("[binary_cross_entropy] " + shapes, [&] { nn::binary_cross_entropy(x, y); });
  check_error("[binary_cross_entropy_with_logits] " + shapes,
              [&] { nn::binary_cross_entropy_with_logits(x, y); });
  check_error("[dice_loss] " + shapes, [&] { nn::dice_loss(x, y); });
  check_error("[cosine_embedding_loss] input1 of shape (3, 4) and input2 of shape (4, 3)",
              [&] { nn::cosine_embedding_loss(x, y, ones({3})); });
  check_error("[triplet_margin_loss] anchor of shape (3, 4) and negative of shape (4, 3)",
              [&] { nn::triplet_margin_loss(x, x, y); });
  check_error("[info_nce] query of shape (3, 4) and key of shape (4, 3)",
              [&] { nn::info_nce(x, y); });
  check_error("[mse_loss] input is f32, but target is f64", [&] {
    nn::mse_loss(x, ones({3, 4}, f64));
  });
  check_error("[l1_loss] input is i64", [&] { nn::l1_loss(arange(3), arange(3)); });

  check_error("target of shape (4,) for an input of shape (3, 4)",
              [&] { nn::nll_loss(x, arange(4)); });
  check_error("class indices (i64)", [&] { nn::nll_loss(x, ones({3})); });
  check_error("weight of shape (3,) for 4 classes", [&] { nn::nll_loss(x, arange(3), ones({3})); });
  check_error("weight of shape (2, 3, 4) does not broadcast to the input's (3, 4)", [&] {
    nn::binary_cross_entropy(x, x, ones({2, 3, 4}));
  });
  check_error("pos_weight is f64, but input is f32", [&] {
    nn::binary_cross_entropy_with_logits(x, x, {}, Reduction::mean, ones({4}, f64));
  });
  check_error("inputs of shape (3, 4): (3,) is needed",
              [&] { nn::cosine_embedding_loss(x, x, ones({4})); });
  check_error("(N, C, d…) is needed", [&] { nn::dice_loss(x, x); });
}

TEST_CASE("losses name numbers out of range") {
  const Tensor x = ones({3, 4});
  check_error("target 1 is 4, but there are 4 classes", [&] {
    nn::nll_loss(x, from_vector<int64_t>({0, 4, 1}, {3}));
  });
  check_error("target 2 is -1", [&] { nn::nll_loss(x, from_vector<int64_t>({0, 1, -1}, {3})); });
  check_error("input 1 is 1.5, which is not a probability", [&] {
    nn::binary_cross_entropy(tensor({0, 1.5}), ones({2}));
  });
  check_error("input 0 is nan", [&] { nn::binary_cross_entropy(tensor({NAN, 1}), ones({2})); });
  check_error("target 1 is 0: 1 (alike) or -1", [&] {
    nn::cosine_embedding_loss(x, x, tensor({1, 0, -1}));
  });
  check_error("margin is 0", [&] { nn::triplet_margin_loss(x, x, x, {.margin = 0}); });
  check_error("temperature is nan", [&] { nn::info_nce(x, x, NAN); });
  check_error("beta is -1", [&] { nn::smooth_l1_loss(x, x, Reduction::mean, -1); });
  check_error("delta is 0", [&] { nn::huber_loss(x, x, Reduction::mean, 0); });
  check_error("smooth is -1", [&] { nn::dice_loss(ones({2, 3, 4}), ones({2, 3, 4}), -1); });
}

}  // namespace
}  // namespace tarsier
