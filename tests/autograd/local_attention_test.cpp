#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/check/gradcheck.h"
#include "autograd/ops.h"
#include "tests/error_of.h"
#include "tests/threads.h"

namespace tarsier {
namespace {

constexpr int64_t kAll = AttentionWindow::kUnlimited;

Tensor random(const Shape& shape, uint64_t seed, DType dtype = f64) {
  Generator generator(seed);
  return randn(shape, dtype, generator);
}

Tensor leaf(const Shape& shape, uint64_t seed, DType dtype = f64) {
  return random(shape, seed, dtype).requires_grad_();
}

/// q of `tq` and k, v of `tk` rows, two heads.
std::vector<Tensor> random_qkv(int64_t tq, int64_t tk, DType dtype = f64, int64_t d = 5) {
  return {leaf({2, tq, d}, 1, dtype), leaf({2, tk, d}, 2, dtype), leaf({2, tk, d}, 3, dtype)};
}

/// Which keys a query may see, straight from the definition.
Tensor mask_of(const AttentionWindow& w, int64_t tq, int64_t tk) {
  const Tensor mask = Tensor::empty({tq, tk}, boolean);
  for (int64_t i = 0; i < tq; ++i)
    for (int64_t j = 0; j < tk; ++j) {
      const int64_t distance = j - (i + w.offset);  // to the right
      mask.data<bool>()[i * tk + j] = distance >= 0 ? distance <= w.right : -distance <= w.left;
    }
  return mask;
}

struct Results {
  Tensor y;
  std::vector<Tensor> grads;  // of q, k, v
};

/// Under a random upstream gradient.
Results with_grads(const std::vector<Tensor>& qkv, const Tensor& y) {
  return {y, grad({y}, qkv, {random(y.shape(), 99, y.dtype())})};
}

Results local(const std::vector<Tensor>& qkv, const AttentionWindow& window,
              const Tensor& mask = {}, double dropout_p = 0) {
  Generator generator(7);
  return with_grads(
      qkv, local_attention(qkv[0], qkv[1], qkv[2], window, mask, dropout_p, {}, generator));
}
/// The definition of the window: attention with a mask (Tq, Tk).
Results masked(const std::vector<Tensor>& qkv, const Tensor& mask, double dropout_p = 0) {
  Generator generator(7);
  return with_grads(qkv, scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], mask, dropout_p,
                                                      false, {}, generator));
}

bool same_bits(const Tensor& a, const Tensor& b) { return a.to_vector() == b.to_vector(); }

void check_same_bits(const Results& a, const Results& b) {
  CHECK(same_bits(a.y, b.y));
  for (int i = 0; i < 3; ++i) CHECK(same_bits(a.grads[i], b.grads[i]));
}

/// The sums have about a hundred terms of about 1: as many units in the last place.
void check_close(const Results& got, const Results& want) {
  const double tolerance = got.y.dtype() == f32 ? 2e-5 : 4e-14;
  CHECK(got.y.shape() == want.y.shape());
  CHECK(allclose(got.y, want.y, tolerance, tolerance));
  for (int i = 0; i < 3; ++i) {
    CAPTURE(i);
    CHECK(allclose(got.grads[i], want.grads[i], tolerance, 4 * tolerance));
  }
}

TEST_CASE("local attention is attention under the mask of its window") {
  // The kernels' blocks are 64 × 64.
  const std::pair<int64_t, int64_t> lengths[] = {{1, 1},   {1, 90},   {90, 1},   {9, 14},
                                                 {64, 64}, {63, 129}, {130, 66}, {150, 150}};
  const AttentionWindow windows[] = {
      {},
      {.right = 0},
      {.left = 0},
      {.left = 0, .right = 0},
      {.left = 1, .right = 0},
      {.left = 3, .right = 2},
      {.left = 20, .right = 0},
      {.left = 63, .right = 0},
      {.left = 64, .right = 1},
      {.left = 128, .right = 40},
      {.left = 5, .right = 0, .offset = 4},  // queries at later positions, as after a cache
      {.left = 70, .right = 0, .offset = 65},
      {.left = 2, .right = 1, .offset = 60},   // the last rows are empty
      {.left = 2, .right = 1, .offset = -60},  // the first are
      {.left = kAll, .right = 0, .offset = -3},
      {.left = 0, .right = kAll, .offset = 7},
      {.left = 4, .right = 4, .offset = 1000},  // all are
      {.left = 4, .right = 4, .offset = -1000},
  };
  for (const auto& [tq, tk] : lengths)
    for (const AttentionWindow& w : windows)
      for (DType dtype : {f64, f32}) {
        CAPTURE(tq);
        CAPTURE(tk);
        CAPTURE(w.left);
        CAPTURE(w.right);
        CAPTURE(w.offset);
        CAPTURE(dtype);
        const std::vector<Tensor> qkv = random_qkv(tq, tk, dtype);
        check_close(local(qkv, w), masked(qkv, mask_of(w, tq, tk)));
      }
}

TEST_CASE("a window works together with a mask and with dropout") {
  const int64_t tq = 70, tk = 100;
  const AttentionWindow w{.left = 30, .right = 4, .offset = 20};
  const Tensor window = mask_of(w, tq, tk);
  Generator generator(5);
  Tensor some = rand({tq, tk}, f32, generator) > 0.3;
  fill_(select(some, 0, 11), 0);                               // a row without any key
  const Tensor keys = rand({2, 1, tk}, f32, generator) > 0.3;  // padding
  const Tensor bias = random({tq, tk}, 4);
  const std::vector<Tensor> qkv = random_qkv(tq, tk);
  for (double p : {0.0, 0.3}) {
    CAPTURE(p);
    check_close(local(qkv, w, {}, p), masked(qkv, window, p));
    check_close(local(qkv, w, some, p), masked(qkv, window && some, p));
    check_close(local(qkv, w, keys, p), masked(qkv, window && keys, p));
    check_close(local(qkv, w, bias, p), masked(qkv, where(window, bias, -INFINITY), p));
  }
}

TEST_CASE("a query that sees no key gives zeros, and no gradient") {
  const std::vector<Tensor> qkv = random_qkv(100, 100);
  // Queries 0 … 69 see nothing, query 70 sees key 0, and so on; no query sees keys 30 … 99.
  const Results r = local(qkv, {.left = 0, .right = 0, .offset = -70});
  for (const Tensor& x : {r.y, r.grads[0]})
    CHECK(same_bits(slice(x, 1, 0, 70), zeros({2, 70, 5}, f64)));
  for (int i : {1, 2}) CHECK(same_bits(slice(r.grads[i], 1, 30, 100), zeros({2, 70, 5}, f64)));
  // A query that sees a single key takes its value.
  CHECK(same_bits(slice(r.y, 1, 70, 100), slice(qkv[2], 1, 0, 30)));
}

TEST_CASE("without limits, and causal, it is scaled_dot_product_attention to the bit") {
  for (const auto& [tq, tk] : {std::pair<int64_t, int64_t>{150, 150}, {70, 130}, {130, 70}}) {
    const std::vector<Tensor> qkv = random_qkv(tq, tk, f32, 33);
    check_same_bits(local(qkv, {}), masked(qkv, {}));
    check_same_bits(local(qkv, {.right = 0}),
                    with_grads(qkv, scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], {}, 0,
                                                                 /*is_causal=*/true)));
  }
}

TEST_CASE("the largest possible limits and offsets") {
  const std::vector<Tensor> qkv = random_qkv(9, 12);
  const Results all = masked(qkv, {});
  for (int64_t offset : {INT64_MIN, INT64_MIN + 1, int64_t{-5}, int64_t{5}, INT64_MAX})
    check_same_bits(local(qkv, {.offset = offset}), all);
  for (int64_t huge : {INT64_MAX - 1, INT64_MAX / 2, int64_t{1} << 40})
    check_same_bits(local(qkv, {.left = huge, .right = huge}), all);
  const Results nothing = local(qkv, {.left = 3, .right = 3, .offset = INT64_MAX});
  CHECK(same_bits(nothing.y, zeros({2, 9, 5}, f64)));
  CHECK(same_bits(local(qkv, {.left = 3, .right = 3, .offset = INT64_MIN}).y, nothing.y));
  CHECK(same_bits(local(qkv, {.left = kAll, .right = 0, .offset = INT64_MIN}).y, nothing.y));
}

TEST_CASE("the reference form of local attention respects the window as well") {
  const AttentionWindow w{.left = 2, .right = 1, .offset = 3};
  const std::vector<Tensor> qkv = random_qkv(8, 9);
  const Tensor reference =
      local_attention_reference(qkv[0], qkv[1], qkv[2], w, {}, 0, std::nullopt, {});
  check_close(with_grads(qkv, reference), masked(qkv, mask_of(w, 8, 9)));
}

TEST_CASE("decoding token by token is the same as attending at once") {
  const int64_t t = 140, left = 50;
  const std::vector<Tensor> qkv = random_qkv(t, t);
  const Tensor at_once = local(qkv, {.left = left, .right = 0}).y;
  const NoGrad guard;
  for (int64_t i : {0, 1, 49, 50, 51, 63, 64, 100, 139}) {
    CAPTURE(i);
    const Tensor y =
        local_attention(slice(qkv[0], 1, i, i + 1), slice(qkv[1], 1, 0, i + 1),
                        slice(qkv[2], 1, 0, i + 1), {.left = left, .right = 0, .offset = i});
    CHECK(allclose(y, slice(at_once, 1, i, i + 1), 1e-13, 1e-13));
  }
}

TEST_CASE("local attention: the bits do not depend on the number of threads") {
  const Threads restore;
  const AttentionWindow windows[] = {{.left = 100, .right = 0},
                                     {.left = 10, .right = 10},
                                     {.left = 70, .right = 0, .offset = 90},
                                     {.left = 20, .right = 90, .offset = -130}};
  for (const AttentionWindow& w : windows)
    for (DType dtype : {f32, f64}) {
      CAPTURE(w.left);
      const std::vector<Tensor> qkv = random_qkv(700, 600, dtype, 33);
      set_num_threads(1);
      const Results one = local(qkv, w, {}, 0.1);
      for (int threads : {2, 3}) {
        set_num_threads(threads);
        check_same_bits(local(qkv, w, {}, 0.1), one);
      }
    }
}

TEST_CASE("dropout of a weight does not depend on the window, and is the same in backward") {
  // With the identity as v, y is the matrix of weights; dv = weightsᵀ · dy shows the weights in
  // backward.
  const int64_t t = 80;
  const Tensor q = random({t, 4}, 1), k = random({t, 4}, 2);
  const auto weights = [&](const AttentionWindow& w, bool backward) {
    const Tensor v = eye(t, f64).requires_grad_();
    Generator generator(7);
    const Tensor y = local_attention(q, k, v, w, {}, 0.5, {}, generator);
    return backward ? transpose(grad({y}, {v}, {eye(t, f64)})[0], 0, 1) : y.detach();
  };
  const AttentionWindow narrow{.left = 30, .right = 7};
  const Tensor kept = (weights({}, false) != 0) && mask_of(narrow, t, t);
  CHECK(same_bits(weights(narrow, false) != 0, kept));
  CHECK(allclose(weights(narrow, true), weights(narrow, false), 1e-13, 1e-13));
}

TEST_CASE("gradients of local attention, first and second order") {
  const std::vector<Tensor> qkv{leaf({2, 6, 3}, 1), leaf({2, 5, 3}, 2), leaf({2, 5, 4}, 3)};
  Tensor mask = ones({6, 5}, boolean);
  fill_(select(mask, 0, 1), 0);
  for (const AttentionWindow& w :
       std::vector<AttentionWindow>{{.left = 1, .right = 0},
                                    {.left = 0, .right = 2},
                                    {.left = 1, .right = 1, .offset = 3},
                                    {.left = 1, .right = 0, .offset = -2}})
    for (double p : {0.0, 0.4})
      for (const Tensor& m : {Tensor(), mask}) {
        CAPTURE(w.offset);
        const auto attend = [&](const std::vector<Tensor>& x) {
          Generator generator(7);
          return local_attention(x[0], x[1], x[2], w, m, p, 0.9, generator);
        };
        CHECK_NOTHROW(gradcheck(attend, qkv, {.second_order = true}));
      }
}

TEST_CASE("local attention reports what is wrong with its window, under its own name") {
  const std::vector<Tensor> qkv = random_qkv(4, 4);
  const auto error = [&](const AttentionWindow& w, const Tensor& mask = {}) {
    return error_of([&] { local_attention(qkv[0], qkv[1], qkv[2], w, mask); });
  };
  CHECK(error({.left = -1, .right = 2}) ==
        "[local_attention] window of -1 keys to the left and 2 to the right: give 0 or more, and "
        "move the window with `offset`");
  CHECK(error({.left = 0, .right = -3}).find("-3 to the right") != std::string::npos);
  CHECK(error({}, zeros({4, 4}, i64)) ==
        "[local_attention] mask of i64: expected bool (true: may attend), or f64 to add to the "
        "scores");
}

TEST_CASE("groups of queries share keys and values, which are not copied for each of them") {
  const int64_t b = 2, groups = 2, per_group = 8, t = 70, d = 16;
  const Tensor q = leaf({b, groups, per_group, t, d}, 1);
  const Tensor k = leaf({b, groups, 1, t, d}, 2), v = leaf({b, groups, 1, t, d}, 3);
  const auto repeated = [&](const Tensor& x) {
    return clone(expand(x.detach(), q.shape())).requires_grad_();
  };
  const std::vector<Tensor> shared{q, k, v}, copies{q, repeated(k), repeated(v)};
  const auto attend = [](const std::vector<Tensor>& x) {
    return with_grads(x, scaled_dot_product_attention(x[0], x[1], x[2], {}, 0, true));
  };
  const Results got = attend(shared), want = attend(copies);
  CHECK(same_bits(got.y, want.y));
  CHECK(same_bits(got.grads[0], want.grads[0]));
  for (int i : {1, 2})  // the sum over the queries of a group
    CHECK(allclose(got.grads[i], sum(want.grads[i], {2}, true), 1e-13, 1e-13));
  CHECK_NOTHROW(gradcheck(
      [](const std::vector<Tensor>& x) {
        return local_attention(x[0], x[1], x[2], {.left = 1, .right = 0});
      },
      {leaf({2, 3, 4, 3}, 1), leaf({2, 1, 4, 3}, 2), leaf({2, 1, 4, 3}, 3)}));

  // Forward takes memory for y and one number per row, not for a copy of k or v.
  const NoGrad guard;
  const int64_t before = memory_stats().current_bytes;
  reset_peak_memory();
  scaled_dot_product_attention(q, k, v);
  const int64_t rows = b * groups * per_group * t;
  CHECK(memory_stats().peak_bytes - before < rows * (d + 1) * 8 + rows * d * 8 / per_group);
}

}  // namespace
}  // namespace tarsier
