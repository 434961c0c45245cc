// Connectionist temporal classification compared with PyTorch, brute force and its reference form.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/check/gradcheck.h"
#include "nn/layers/ctc.h"
#include "tests/error_of.h"
#include "tests/nn/losses.h"
#include "tests/threads.h"

namespace tarsier {
namespace {

Tensor integers(const std::vector<int64_t>& values, const Shape& shape) {
  return from_vector<int64_t>(values, shape);
}

TEST_CASE("ctc_loss computes what PyTorch's computes, with the same gradients of the logits") {
  for (const std::string name :
       {"ctc_padded", "ctc_flat", "ctc_blank", "ctc_empty_target", "ctc_one", "ctc_infinite",
        "ctc_zero_infinity", "ctc_no_frames", "ctc_long"}) {
    const int64_t blank = name == "ctc_blank" ? 4 : 0;
    const bool zero_infinity = name == "ctc_zero_infinity";
    check_loss(name, [&](const TensorDict& in, Reduction reduction) {
      return nn::ctc_loss(log_softmax(in["logits"], -1), in["targets"], in["input_lengths"],
                          in["target_lengths"], blank, reduction, zero_infinity);
    });
    check_loss(name, [&](const TensorDict& in, Reduction reduction) {
      nn::CTCLoss loss(blank, reduction, zero_infinity);
      return loss(log_softmax(in["logits"], -1), in["targets"], in["input_lengths"],
                  in["target_lengths"]);
    });
  }
}

/// What an alignment stands for: repetitions merged, then blanks (0) dropped.
std::vector<int64_t> collapse(const std::vector<int64_t>& alignment) {
  std::vector<int64_t> out;
  for (size_t t = 0; t < alignment.size(); ++t)
    if (alignment[t] != 0 && (t == 0 || alignment[t] != alignment[t - 1]))
      out.push_back(alignment[t]);
  return out;
}

TEST_CASE("ctc_loss is the sum over all alignments") {
  constexpr int64_t T = 5, C = 3;
  Generator generator(3);
  const Tensor log_probs = log_softmax(randn({T, C}, f64, generator), -1);
  const std::vector<double> lp = log_probs.to_vector();
  for (const std::vector<int64_t>& target : std::vector<std::vector<int64_t>>{
           {}, {1}, {1, 2}, {2, 2}, {1, 2, 1}, {2, 2, 2}, {1, 1, 2, 2}}) {
    double probability = 0;
    for (int64_t code = 0; code < 243; ++code) {  // all of 3⁵ alignments
      std::vector<int64_t> alignment;
      double log_p = 0;
      for (int64_t t = 0, rest = code; t < T; ++t, rest /= C) {
        alignment.push_back(rest % C);
        log_p += lp[static_cast<size_t>(t * C + rest % C)];
      }
      if (collapse(alignment) == target) probability += std::exp(log_p);
    }
    const int64_t S = static_cast<int64_t>(target.size());
    const double loss = nn::ctc_loss(log_probs, integers(target, {S}), scalar(T, i64),
                                     scalar(static_cast<double>(S), i64), 0, Reduction::sum)
                            .item();
    CAPTURE(S);
    if (probability == 0)
      CHECK(loss == INFINITY);
    else
      CHECK(loss == doctest::Approx(-std::log(probability)).epsilon(1e-12));
  }
}

/// A batch with a repeated label, an empty target, short inputs, and (sequence 4) no alignment.
struct Example {
  Tensor log_probs;
  Tensor targets = integers({1, 2, 2, 3, 1, 0, 0, 0, 0, 1, 1, 1, 3, 1, 1}, {5, 3});
  Tensor input_lengths = integers({7, 5, 6, 7, 2}, {5});
  Tensor target_lengths = integers({3, 2, 0, 1, 3}, {5});

  explicit Example(DType dtype = f64) {
    Generator generator(5);
    log_probs = log_softmax(2 * randn({7, 5, 4}, dtype, generator), -1);
  }
  Tensor loss(const Tensor& x, Reduction reduction, bool zero_infinity) const {
    return nn::ctc_loss(x, targets, input_lengths, target_lengths, 0, reduction, zero_infinity);
  }
  Tensor reference(const Tensor& x, Reduction reduction, bool zero_infinity) const {
    return nn::ctc_loss_reference(x, targets, input_lengths, target_lengths, 0, reduction,
                                  zero_infinity);
  }
};

TEST_CASE("ctc_loss and its first and second derivatives agree with the reference form") {
  for (const Reduction reduction : {Reduction::none, Reduction::mean, Reduction::sum}) {
    const Example example;
    Generator generator(8);
    Tensor x = example.log_probs.detach().requires_grad_();
    const auto derivatives = [&](const Tensor& y, const Tensor& dy, const Tensor& ddx) {
      const Tensor dx = grad({y}, {x}, {dy}, true, true)[0];
      return std::vector<Tensor>{y, grad({y}, {x}, {dy}, true)[0], dx,
                                 grad({dx}, {x}, {ddx}, true)[0]};
    };
    const Tensor fused = example.loss(x, reduction, true);
    const Tensor dy = randn(fused.shape(), f64, generator);
    const Tensor ddx = randn(x.shape(), f64, generator);
    const auto a = derivatives(fused, dy, ddx);
    const auto b = derivatives(example.reference(x, reduction, true), dy, ddx);
    for (size_t i = 0; i < a.size(); ++i) check_close(concat("order ", i), a[i], b[i]);
    CHECK(norm(b[3]).item() > 0.01);
  }
}

TEST_CASE("ctc_loss has the derivatives of differences, for log probabilities as well") {
  const Example example;
  for (const Reduction reduction : {Reduction::none, Reduction::mean, Reduction::sum})
    CHECK_NOTHROW(gradcheck([&](const auto& in) { return example.loss(in[0], reduction, true); },
                            {example.log_probs.detach().requires_grad_()}, {.second_order = true}));
}

TEST_CASE("ctc_loss of a target that does not fit: infinity and NaN, or zeros") {
  const Example example;
  Tensor x = example.log_probs.detach().requires_grad_();
  for (const bool create_graph : {false, true}) {
    const Tensor plain = example.loss(x, Reduction::none, false);
    const Tensor zeroed = example.loss(x, Reduction::none, true);
    CHECK(select(plain, 0, 4).item() == INFINITY);
    CHECK(select(zeroed, 0, 4).item() == 0);
    const Tensor dx = grad({plain}, {x}, {ones({5}, f64)}, false, create_graph)[0];
    const Tensor dz = grad({zeroed}, {x}, {ones({5}, f64)}, false, create_graph)[0];
    // NaN in its two frames, for all classes; nowhere else.
    const Tensor nan = isnan(dx);
    CHECK(sum(nan).item<int64_t>() == 2 * 4);
    CHECK(all(slice(select(nan, 1, 4), 0, 0, 2)).item<bool>());
    CHECK(all(isfinite(dz)).item<bool>());
    CHECK(norm(select(dz, 1, 4)).item() == 0);
    check_close("the others", slice(dx, 1, 0, 4), slice(dz, 1, 0, 4));
  }
}

TEST_CASE("ctc_loss handles classes of probability 0, and propagates NaN") {
  Tensor x = log(tensor({{0.5, 0.5, 0}, {0.25, 0.5, 0.25}}, f64)).requires_grad_();
  const Tensor two = scalar(2, i64), one = scalar(1, i64);
  const Tensor loss = nn::ctc_loss(x, integers({1}, {1}), two, one);
  CHECK(loss.item() == doctest::Approx(-std::log(0.25 + 0.125 + 0.25)));
  loss.backward();
  CHECK(all(isfinite(x.grad())).item<bool>());
  CHECK(sum(x.grad()).item() == doctest::Approx(-2));  // one class per frame

  x = tensor({{-1, NAN}, {-1, -1}}, f64);
  CHECK(std::isnan(nn::ctc_loss(x, integers({1}, {1}), two, one).item()));
  x = tensor({{-1, -1}, {-1, NAN}}, f64);
  CHECK(std::isnan(nn::ctc_loss(x, integers({1}, {1}), two, one).item()));
}

TEST_CASE("ctc_loss takes log probabilities and targets in any strides") {
  const Example example;
  // The usual network puts the batch first: (N, T, C).
  Tensor x = contiguous(transpose(example.log_probs, 0, 1)).requires_grad_();
  Tensor straight = example.log_probs.detach().requires_grad_();
  Example turned = example;
  turned.targets = transpose(contiguous(transpose(example.targets, 0, 1)), 0, 1);
  const Tensor a = turned.loss(transpose(x, 0, 1), Reduction::mean, true);
  const Tensor b = example.loss(straight, Reduction::mean, true);
  CHECK(a.item() == b.item());
  CHECK(transpose(grad({a}, {x})[0], 0, 1).to_vector() == grad({b}, {straight})[0].to_vector());
}

TEST_CASE("ctc_loss gives the same bits at any number of threads") {
  Generator generator(2);
  Tensor x = log_softmax(randn({40, 9, 6}, f32, generator), -1).requires_grad_();
  const Tensor targets = randint(1, 6, {9, 12}, generator);
  const Tensor frames = full({9}, 40, i64), labels = full({9}, 12, i64);
  const Threads restore;
  std::vector<std::vector<double>> results;
  for (const int threads : {1, 4}) {
    set_num_threads(threads);
    const Tensor loss = nn::ctc_loss(x, targets, frames, labels, 0, Reduction::sum);
    results.push_back(cat({reshape(loss, {1}), flatten(grad({loss}, {x})[0])}).to_vector());
  }
  CHECK(results[0] == results[1]);
}

/// A check that `f` throws Error("ctc_loss") with this text in it.
void check_ctc_error(const std::string& text, const std::function<void()>& f) {
  check_error("[ctc_loss]", f);
  check_error(text, f);
}

TEST_CASE("ctc_loss names what does not fit") {
  const Tensor x = zeros({4, 2, 3}), targets = ones({2, 2}, i64), lengths = full({2}, 2, i64);
  const auto ctc = [&](const Tensor& x, const Tensor& targets, const Tensor& in, const Tensor& out,
                       int64_t blank = 0) { nn::ctc_loss(x, targets, in, out, blank); };
  check_ctc_error("log_probs is i64", [&] {
    ctc(ones({4, 2, 3}, i64), targets, lengths, lengths);
  });
  check_ctc_error("log_probs of shape (4,)", [&] { ctc(ones({4}), targets, lengths, lengths); });
  check_ctc_error("is empty", [&] { ctc(zeros({0, 2, 3}), targets, lengths, lengths); });
  check_ctc_error("targets are f32", [&] { ctc(x, ones({2, 2}), lengths, lengths); });
  check_ctc_error("targets of shape (3, 2) for log_probs of shape (4, 2, 3): (2, S)", [&] {
    ctc(x, ones({3, 2}, i64), lengths, lengths);
  });
  check_ctc_error("target_lengths add up to 4, but 5 targets",
                  [&] { ctc(x, ones({5}, i64), lengths, lengths); });
  check_ctc_error("input_lengths of shape (3,): (2,) is needed",
                  [&] { ctc(x, targets, ones({3}, i64), lengths); });
  check_ctc_error("target_lengths is f32", [&] { ctc(x, targets, lengths, ones({2})); });
  check_ctc_error("input_lengths: entry 1 is 5, but it must be in 0 to 4", [&] {
    ctc(x, targets, integers({4, 5}, {2}), lengths);
  });
  check_ctc_error("input_lengths: entry 0 is -1", [&] {
    ctc(x, targets, integers({-1, 2}, {2}), lengths);
  });
  check_ctc_error("target_lengths: entry 1 is 3, but it must be in 0 to 2", [&] {
    ctc(x, targets, lengths, integers({2, 3}, {2}));
  });
  check_ctc_error("blank is 3, but there are 3 classes",
                  [&] { ctc(x, targets, lengths, lengths, 3); });
  check_ctc_error("target 1 of sequence 0 is 3: a class from 0 to 2", [&] {
    ctc(x, integers({1, 3, 1, 1}, {2, 2}), lengths, lengths);
  });
  check_ctc_error("target 0 of sequence 1 is 0", [&] {
    ctc(x, integers({1, 1, 0, 1}, {2, 2}), lengths, lengths);
  });
  CHECK_NOTHROW(ctc(x, integers({1, 99, 1, -5}, {2, 2}), lengths, ones({2}, i64)));  // padding
}

}  // namespace
}  // namespace tarsier
