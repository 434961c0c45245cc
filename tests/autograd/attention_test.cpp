#include <doctest/doctest.h>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/check/gradcheck.h"
#include "autograd/ops.h"
#include "tests/error_of.h"
#include "tests/numpy_random.h"
#include "tests/threads.h"

namespace tarsier {
namespace {

Tensor random(const Shape& shape, uint64_t seed, DType dtype = f64) {
  Generator generator(seed);
  return randn(shape, dtype, generator);
}

Tensor leaf(const Shape& shape, uint64_t seed, DType dtype = f64) {
  return random(shape, seed, dtype).requires_grad_();
}

/// About three in four are true.
Tensor random_mask(const Shape& shape, uint64_t seed) {
  Generator generator(seed);
  return rand(shape, f32, generator) > 0.25;
}

struct Options {
  Tensor mask = {};
  double dropout_p = 0;
  bool is_causal = false;
  std::optional<double> scale = {};
};

struct Results {
  Tensor y;
  std::vector<Tensor> grads;  // of q, k, v
};

/// The op (or its reference form) and its gradients under a random upstream gradient.
Results run(const std::vector<Tensor>& qkv, const Options& o, bool fused) {
  Generator generator(7);
  const RandomKey key = Generator(7).next();
  const Tensor y =
      fused ? scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], o.mask, o.dropout_p, o.is_causal,
                                           o.scale, generator)
            : scaled_dot_product_attention_reference(qkv[0], qkv[1], qkv[2], o.mask, o.dropout_p,
                                                     o.is_causal, o.scale, key);
  return {y, grad({y}, qkv, {random(y.shape(), 99, y.dtype())})};
}

/// Rounding errors of the sums in attention grow with their length, here at most 70, and with the
/// size of the numbers, about 1: some hundred units in the last place.
double rounding(DType dtype) { return dtype == f32 ? 2e-5 : 2e-14 * 2; }

/// Compares the fused op with the reference form: values and gradients, in f64 and f32.
void check_fused(const Shape& q, const Shape& k, const Shape& v, const Options& options) {
  for (DType dtype : {f64, f32}) {
    CAPTURE(dtype);
    Options o = options;
    if (o.mask.defined() && is_floating(o.mask.dtype())) o.mask = to(o.mask, dtype);
    const std::vector<Tensor> qkv{leaf(q, 1, dtype), leaf(k, 2, dtype), leaf(v, 3, dtype)};
    const Results fused = run(qkv, o, true), reference = run(qkv, o, false);
    CHECK(fused.y.shape() == reference.y.shape());
    CHECK(allclose(fused.y, reference.y, rounding(dtype), rounding(dtype)));
    for (int i = 0; i < 3; ++i) {
      CAPTURE(i);
      CHECK(fused.grads[i].shape() == qkv[i].shape());
      CHECK(allclose(fused.grads[i], reference.grads[i], rounding(dtype), 4 * rounding(dtype)));
    }
  }
}

bool same_bits(const Tensor& a, const Tensor& b) { return a.to_vector() == b.to_vector(); }

TEST_CASE("fused attention agrees with the reference form, for every length up to 70") {
  for (int64_t t = 1; t <= 70; ++t) {
    CAPTURE(t);
    check_fused({2, t, 5}, {2, t, 5}, {2, t, 5}, {.is_causal = t % 2 == 0});
  }
  for (int64_t t : {127, 128, 129, 200}) {
    CAPTURE(t);
    check_fused({1, t, 4}, {1, t, 4}, {1, t, 4}, {.is_causal = true});
    check_fused({1, t, 4}, {1, t, 4}, {1, t, 4}, {.mask = random_mask({t, t}, 5)});
  }
}

TEST_CASE("fused attention agrees with the reference form, for every head size") {
  for (int64_t d : {1, 2, 3, 8, 16, 17, 31, 32, 33, 64, 65, 100})
    for (bool causal : {false, true}) {
      CAPTURE(d);
      check_fused({2, 2, 21, d}, {2, 2, 21, d}, {2, 2, 21, d}, {.is_causal = causal});
    }
  check_fused({2, 2, 21, 5}, {2, 2, 33, 5}, {2, 2, 33, 18}, {});  // values of another size
}

TEST_CASE("fused attention agrees with the reference form, for all combinations of options") {
  const int64_t b = 2, h = 3;
  for (auto [tq, tk] : std::vector<std::pair<int64_t, int64_t>>{
           {19, 19}, {7, 30}, {30, 7}, {1, 12}, {70, 66}, {130, 70}, {66, 130}}) {
    const std::vector<Tensor> masks{{},
                                    random_mask({tq, tk}, 4),
                                    random_mask({b, 1, 1, tk}, 4),
                                    random_mask({b, h, tq, tk}, 4),
                                    random_mask({h, tq, 1}, 4),
                                    transpose(random_mask({tk, tq}, 4), 0, 1),
                                    random({tq, tk}, 4),
                                    random({b, 1, 1, tk}, 4),
                                    random({h, tq, tk}, 4)};
    for (size_t m = 0; m < masks.size(); ++m)
      for (bool causal : {false, true})
        for (double p : {0.0, 0.3}) {
          CAPTURE(tq);
          CAPTURE(tk);
          CAPTURE(m);
          CAPTURE(causal);
          CAPTURE(p);
          std::optional<double> scale;
          if (m % 2 == 1) scale = 0.3;
          check_fused({b, h, tq, 6}, {b, h, tk, 6}, {b, h, tk, 6},
                      {.mask = masks[m], .dropout_p = p, .is_causal = causal, .scale = scale});
        }
  }
}

TEST_CASE("leading dimensions broadcast, and there may be any number of them") {
  check_fused({9, 4}, {11, 4}, {11, 4}, {});
  check_fused({3, 9, 4}, {11, 4}, {11, 4}, {});
  check_fused({2, 3, 9, 4}, {2, 1, 11, 4}, {3, 11, 4}, {});
  check_fused({2, 1, 3, 9, 4}, {2, 1, 11, 4}, {1, 1, 11, 4}, {.mask = random_mask({9, 11}, 4)});
}

TEST_CASE("sizes of 0") {
  check_fused({2, 0, 4}, {2, 5, 4}, {2, 5, 4}, {});
  check_fused({0, 3, 4}, {0, 5, 4}, {0, 5, 4}, {});
  check_fused({2, 3, 4}, {2, 0, 4}, {2, 0, 4}, {});
  const Tensor q = leaf({2, 3, 4}, 1), k = leaf({2, 0, 4}, 2), v = leaf({2, 0, 4}, 3);
  const Tensor y = scaled_dot_product_attention(q, k, v);
  CHECK(y.to_vector() == std::vector<double>(24, 0.0));
  sum(y).backward();
  CHECK(q.grad().to_vector() == std::vector<double>(24, 0.0));
}

TEST_CASE("a row that may attend to nothing gives zeros and zero gradients, never NaN") {
  for (const Tensor& all : {zeros({5, 7}, boolean), full({5, 7}, -INFINITY, f64)}) {
    for (bool causal : {false, true})
      for (bool fused : {false, true}) {
        const std::vector<Tensor> qkv{leaf({2, 5, 4}, 1), leaf({2, 7, 4}, 2), leaf({2, 7, 4}, 3)};
        const Results r = run(qkv, {.mask = all, .is_causal = causal}, fused);
        CHECK(r.y.to_vector() == std::vector<double>(40, 0.0));
        CHECK(r.grads[0].to_vector() == std::vector<double>(40, 0.0));
        CHECK(r.grads[1].to_vector() == std::vector<double>(56, 0.0));
        CHECK(r.grads[2].to_vector() == std::vector<double>(56, 0.0));
      }
  }
  // Two rows among others that may attend to nothing.
  Tensor mask = ones({70, 70}, boolean);
  fill_(select(mask, 0, 3), 0);
  fill_(select(mask, 0, 66), 0);
  check_fused({2, 70, 4}, {2, 70, 4}, {2, 70, 4}, {.mask = mask});
  check_fused({2, 70, 4}, {2, 70, 4}, {2, 70, 4}, {.mask = mask, .is_causal = true});
}

TEST_CASE("large scores neither overflow nor lose the softmax") {
  const std::vector<Tensor> qkv{mul_(random({2, 70, 8}, 1), 100).requires_grad_(),
                                mul_(random({2, 70, 8}, 2), 100).requires_grad_(),
                                leaf({2, 70, 8}, 3)};
  const Results fused = run(qkv, {.is_causal = true}, true);
  CHECK(allclose(fused.y, run(qkv, {.is_causal = true}, false).y, 1e-9, 1e-9));
  for (const Tensor& grad : fused.grads) CHECK(all(isfinite(grad)).item<bool>());
}

TEST_CASE(
    "transposed views of one qkv tensor are taken as they are, and y joins its heads for free") {
  const int64_t b = 2, t = 37, h = 3, d = 8;
  const Tensor qkv = leaf({b, t, 3 * h * d}, 1);
  const auto heads = [&](int64_t i) {
    return transpose(reshape(slice(qkv, -1, i * h * d, (i + 1) * h * d), {b, t, h, d}), 1, 2);
  };
  const std::vector<Tensor> views{heads(0), heads(1), heads(2)};
  const Results strided = run(views, {.is_causal = true}, true);
  const std::vector<Tensor> copies{clone(views[0].detach()).requires_grad_(),
                                   clone(views[1].detach()).requires_grad_(),
                                   clone(views[2].detach()).requires_grad_()};
  const Results plain = run(copies, {.is_causal = true}, true);
  CHECK(same_bits(strided.y, plain.y));
  for (int i = 0; i < 3; ++i) CHECK(same_bits(strided.grads[i], plain.grads[i]));
  CHECK_NOTHROW(view(transpose(strided.y, 1, 2), {b, t, h * d}));
  // A head dimension with a stride is copied first.
  const std::vector<Tensor> odd{transpose(leaf({b, h, d, t}, 5), 2, 3), copies[1], copies[2]};
  CHECK(allclose(run(odd, {}, true).y, run(odd, {}, false).y, 1e-13, 1e-13));
}

TEST_CASE("memory grows with the length, not with its square") {
  const int64_t t = 2048;
  const std::vector<Tensor> qkv{leaf({t, 8}, 1, f32), leaf({t, 8}, 2, f32), leaf({t, 8}, 3, f32)};
  const int64_t before = memory_stats().current_bytes;
  reset_peak_memory();
  run(qkv, {.dropout_p = 0.1}, true);
  // y, dy, dq, dk, dv and lse take 41 numbers per row; the weights would take 2048.
  CHECK(memory_stats().peak_bytes - before < 100 * t * 4);
}

TEST_CASE("the bits do not depend on the number of threads") {
  const Threads restore;
  for (const Shape& shape : std::vector<Shape>{{1, 1, 300, 16}, {3, 4, 150, 33}, {40, 70, 8}}) {
    CAPTURE(shape);
    for (DType dtype : {f32, f64}) {
      const std::vector<Tensor> qkv{leaf(shape, 1, dtype), leaf(shape, 2, dtype),
                                    leaf(shape, 3, dtype)};
      const Options options{.dropout_p = 0.1, .is_causal = true};
      set_num_threads(1);
      const Results one = run(qkv, options, true);
      for (int threads : {2, 3}) {
        set_num_threads(threads);
        const Results many = run(qkv, options, true);
        CHECK(same_bits(one.y, many.y));
        for (int i = 0; i < 3; ++i) CHECK(same_bits(one.grads[i], many.grads[i]));
      }
    }
  }
}

TEST_CASE("gradients of attention, first and second order, of the fused and the reference form") {
  const auto attend = [](const Options& o, bool fused) {
    return [o, fused](const std::vector<Tensor>& x) {
      Generator generator(7);
      const RandomKey key = Generator(7).next();
      return fused ? scaled_dot_product_attention(x[0], x[1], x[2], o.mask, o.dropout_p,
                                                  o.is_causal, o.scale, generator)
                   : scaled_dot_product_attention_reference(x[0], x[1], x[2], o.mask, o.dropout_p,
                                                            o.is_causal, o.scale, key);
    };
  };
  const std::vector<Tensor> qkv{leaf({2, 3, 4}, 1), leaf({2, 5, 4}, 2), leaf({2, 5, 3}, 3)};
  const GradcheckOptions second{.second_order = true};
  Tensor mask = random_mask({3, 5}, 4);
  fill_(select(mask, 0, 1), 0);
  for (bool fused : {false, true}) {
    CHECK_NOTHROW(gradcheck(attend({}, fused), qkv, second));
    CHECK_NOTHROW(gradcheck(attend({.is_causal = true, .scale = 0.7}, fused), qkv, second));
    CHECK_NOTHROW(gradcheck(attend({.mask = mask}, fused), qkv, second));
    CHECK_NOTHROW(gradcheck(attend({.dropout_p = 0.4}, fused), qkv, second));
  }
}

TEST_CASE("a learnt additive mask gets its gradient") {
  const auto attend = [](const std::vector<Tensor>& x) {
    return scaled_dot_product_attention(x[0], x[1], x[2], x[3], 0, true);
  };
  CHECK_NOTHROW(gradcheck(
      attend, {leaf({2, 3, 4}, 1), leaf({2, 3, 4}, 2), leaf({2, 3, 4}, 3), leaf({3, 3}, 4)}));
}

TEST_CASE("only the required gradients are computed, to the same bits") {
  const std::vector<Tensor> all{leaf({2, 9, 4}, 1), leaf({2, 9, 4}, 2), leaf({2, 9, 4}, 3)};
  const Results r = run(all, {}, true);
  for (int wanted = 0; wanted < 3; ++wanted) {
    std::vector<Tensor> qkv;
    for (int i = 0; i < 3; ++i) qkv.push_back(clone(all[i].detach()));
    qkv[wanted].requires_grad_();
    const Tensor y = scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);
    y.backward(random(y.shape(), 99));
    CHECK(same_bits(qkv[wanted].grad(), r.grads[wanted]));
  }
}

TEST_CASE("dropout drops a fraction p of the weights, another set at every call, none for p = 0") {
  // With values of 1 a row of y is the sum of its weights, so its mean stays 1.
  const Tensor q = random({4, 128, 8}, 1, f32), k = random({4, 128, 8}, 2, f32);
  const Tensor v = ones({4, 128, 8});
  Generator generator(3);
  const Tensor y = scaled_dot_product_attention(q, k, v, {}, 0.5, false, {}, generator);
  CHECK(std::fabs(mean(y).item() - 1) < 0.05);
  const Tensor again = scaled_dot_product_attention(q, k, v, {}, 0.5, false, {}, generator);
  CHECK_FALSE(same_bits(y, again));
  const Tensor none = scaled_dot_product_attention(q, k, v, {}, 0.0, false, {}, generator);
  CHECK(allclose(none, v, 1e-5));
  const Tensor nothing = scaled_dot_product_attention(q, k, v, {}, 1.0, false, {}, generator);
  CHECK(same_bits(nothing, zeros({4, 128, 8})));
}

TEST_CASE("self-attention of five tokens gives numpy's numbers") {
  NumpyRandom numpy(42);
  const auto rand = [&](int64_t rows) {
    std::vector<double> values(static_cast<size_t>(rows) * 4);
    for (double& value : values) value = numpy.rand();
    return from_vector(values, {rows, 4});
  };
  const Tensor x = rand(5), wq = rand(4), wk = rand(4), wv = rand(4);
  // Made by tests/golden/self_attention_numpy.py with numpy 1.24.
  const Tensor expected = from_vector<double>(
      {0.81715919929424286, 1.0042618406445611,  0.69930635146389286, 1.3113800460393072,
       0.79156249887705499, 0.96723906085015365, 0.66875262319757922, 1.2560125177918979,
       0.81875423045668227, 1.0041696760340821,  0.70712602867626906, 1.3119475768673725,
       0.7777182384303768,  0.94955795766606121, 0.6472151659217189,  1.2291081989137775,
       0.78575780047725741, 0.96027720114677428, 0.65909118342414319, 1.2454299948920375},
      {5, 4});
  const Tensor y = scaled_dot_product_attention(matmul(x, wq), matmul(x, wk), matmul(x, wv));
  CHECK(allclose(y, expected, 0, 1e-12));
}

TEST_CASE("attention reports what does not fit") {
  const Tensor q = zeros({2, 3, 4}), k = zeros({2, 5, 4}), v = zeros({2, 5, 4});
  const std::string tag = "[scaled_dot_product_attention] ";
  const auto attend = scaled_dot_product_attention;
  Generator& g = default_generator();
  CHECK(error_of([&] {
          attend(q, zeros({2, 5, 3}), v, {}, 0, false, {}, g);
        }) == tag + "q (2, 3, 4) and k (2, 5, 3): head sizes 4 and 3 differ");
  CHECK(error_of([&] {
          attend(q, k, zeros({2, 6, 4}), {}, 0, false, {}, g);
        }) == tag + "k (2, 5, 4) and v (2, 6, 4): times 5 and 6 differ");
  CHECK(error_of([&] { attend(q, k, zeros({5}), {}, 0, false, {}, g); }) ==
        tag + "shapes (2, 3, 4), (2, 5, 4) and (5,): expected (…, time, head size) for q, k and v");
  CHECK(error_of([&] { attend(q, k, v, {}, 1.5, false, {}, g); }) ==
        tag + "dropout_p 1.5: use 0 to 1");
  CHECK(error_of([&] { attend(q, to(k, f64), v, {}, 0, false, {}, g); }) ==
        tag + "dtypes f32, f64 and f32 of q, k and v differ: convert them with to(x, dtype)");
  CHECK(error_of([&] {
          attend(q, k, v, zeros({3, 5}, f64), 0, false, {}, g);
        }) == tag + "mask of f64: expected bool (true: may attend), or f32 to add to the scores");
  CHECK(error_of([&] {
          attend(q, k, v, zeros({4, 5}), 0, false, {}, g);
        }) ==
        tag +
            "shapes (4, 5) and (2, 3, 5) do not broadcast: sizes 4 and 3 differ and neither is 1");
  CHECK(error_of([&] {
          attend(q, k, v, zeros({2, 2, 3, 5}), 0, false, {}, g);
        }) == tag + "mask of shape (2, 2, 3, 5) does not broadcast to the scores' (2, 3, 5)");
}

}  // namespace
}  // namespace tarsier
