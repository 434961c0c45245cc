#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/ops.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

Tensor random(const Shape& shape, uint64_t seed, DType dtype = f64) {
  Generator generator(seed);
  return randn(shape, dtype, generator);
}

bool same_bits(const Tensor& a, const Tensor& b) { return a.to_vector() == b.to_vector(); }

struct Angles {
  Tensor cos, sin;
};

/// The angle of row t and pair d: t · 10000^(−d / pairs), as in the paper.
Angles angles(int64_t t, int64_t pairs, DType dtype = f64) {
  Angles a{Tensor::empty({t, pairs}, f64), Tensor::empty({t, pairs}, f64)};
  for (int64_t i = 0; i < t; ++i)
    for (int64_t d = 0; d < pairs; ++d) {
      const double angle = static_cast<double>(i) *
                           std::pow(10000.0, -static_cast<double>(d) / static_cast<double>(pairs));
      a.cos.data<double>()[i * pairs + d] = std::cos(angle);
      a.sin.data<double>()[i * pairs + d] = std::sin(angle);
    }
  return {to(a.cos, dtype), to(a.sin, dtype)};
}

TEST_CASE("rotary: pairs of known numbers by known angles") {
  // A quarter turn makes (x₁, x₂) into (−x₂, x₁), half a turn changes the signs.
  const Tensor x = from_vector<double>({1, 2, 3, 4, 5, 6, 7, 8}, {2, 4});
  const Tensor cos = from_vector<double>({0, -1, 1, 0}, {2, 2});
  const Tensor sin = from_vector<double>({1, 0, 0, 1}, {2, 2});
  CHECK(rotary_embedding(x, cos, sin).to_vector() ==
        std::vector<double>{-3, -2, 1, -4, 5, -8, 7, 6});
  CHECK(rotary_embedding(x, cos, sin, true).to_vector() ==
        std::vector<double>{-2, 1, -3, -4, 5, 6, -8, 7});
}

TEST_CASE("rotary: the score of a query and a key depends only on their distance") {
  const int64_t t = 40, d = 16;
  const Angles a = angles(t, d / 2);
  for (bool interleaved : {false, true}) {
    const Tensor q = rotary_embedding(expand(random({1, d}, 1), {t, d}), a.cos, a.sin, interleaved);
    const Tensor k = rotary_embedding(expand(random({1, d}, 2), {t, d}), a.cos, a.sin, interleaved);
    const std::vector<double> scores = matmul(q, transpose(k, 0, 1)).to_vector();
    double worst = 0;
    for (int64_t i = 1; i < t; ++i)
      for (int64_t j = 1; j < t; ++j)
        worst = std::max(worst, std::abs(scores[static_cast<size_t>(i * t + j)] -
                                         scores[static_cast<size_t>((i - 1) * t + j - 1)]));
    CHECK(worst < 1e-12);
  }
}

TEST_CASE("rotary: heads are rotated in their layout, and can be joined again without a copy") {
  const int64_t b = 2, t = 37, h = 3, d = 8;
  const Tensor qkv = random({b, t, 3 * h * d}, 1);
  const Tensor heads =
      transpose(reshape(slice(qkv, -1, h * d, 2 * h * d), {b, t, h, d}), 1, 2).detach();
  const Angles a = angles(t, d / 2);
  for (bool interleaved : {false, true}) {
    const int64_t before = memory_stats().current_bytes;
    reset_peak_memory();
    const Tensor y = rotary_embedding(heads, a.cos, a.sin, interleaved);
    // The result, and no copy of the input.
    CHECK(memory_stats().peak_bytes - before < 2 * heads.numel() * 8);
    CHECK_NOTHROW(view(transpose(y, 1, 2), {b, t, h * d}));
    CHECK(same_bits(y, rotary_embedding(clone(heads), a.cos, a.sin, interleaved)));
    // The same holds for the gradient, in the layout of dy.
    const Tensor x = clone(heads).requires_grad_();
    const Tensor dy = transpose(random({b, t, h, d}, 2), 1, 2);
    const Tensor dx = grad({rotary_embedding(x, a.cos, a.sin, interleaved)}, {x}, {dy})[0];
    CHECK_NOTHROW(view(transpose(dx, 1, 2), {b, t, h * d}));
    CHECK(allclose(rotary_embedding(dx, a.cos, a.sin, interleaved), dy, 1e-14, 1e-14));
  }
  // Contiguous in, contiguous out; angles may be rows of a longer table.
  const Tensor plain = rotary_embedding(random({b, h, t, d}, 3), a.cos, a.sin);
  CHECK(plain.is_contiguous());
  const Angles table = angles(t + 9, d / 2);
  const Tensor later = rotary_embedding(random({b, h, 9, d}, 3), slice(table.cos, 0, t, t + 9),
                                        slice(table.sin, 0, t, t + 9));
  CHECK(same_bits(later,
                  rotary_embedding(random({b, h, 9, d}, 3), clone(slice(table.cos, 0, t, t + 9)),
                                   clone(slice(table.sin, 0, t, t + 9)))));
}

TEST_CASE("rotary: an element does not depend on its position in the row") {
  for (bool interleaved : {false, true})
    for (int64_t pairs = 1; pairs <= 40; ++pairs) {
      CAPTURE(pairs);
      // Every pair is the same, rotated by the same angle.
      const Tensor one = rotary_embedding(from_vector<float>({0.3f, -1.7f}, {1, 2}),
                                          full({1, 1}, 0.6f), full({1, 1}, 0.8f), interleaved);
      Tensor x = Tensor::empty({1, 2 * pairs});
      for (int64_t d = 0; d < pairs; ++d) {
        x.data<float>()[interleaved ? 2 * d : d] = 0.3f;
        x.data<float>()[interleaved ? 2 * d + 1 : pairs + d] = -1.7f;
      }
      const Tensor y =
          rotary_embedding(x, full({1, pairs}, 0.6f), full({1, pairs}, 0.8f), interleaved);
      bool same = true;
      for (int64_t d = 0; d < pairs; ++d)
        same = same && y.data<float>()[interleaved ? 2 * d : d] == one.data<float>()[0] &&
               y.data<float>()[interleaved ? 2 * d + 1 : pairs + d] == one.data<float>()[1];
      CHECK(same);
    }
}

TEST_CASE("rotary: sizes of 0, and what does not fit") {
  const Angles a = angles(3, 2);
  CHECK(rotary_embedding(zeros({0, 3, 4}, f64), a.cos, a.sin).shape() == Shape{0, 3, 4});
  CHECK(rotary_embedding(zeros({2, 3, 0}, f64), zeros({3, 0}, f64), zeros({3, 0}, f64)).numel() ==
        0);
  const std::string tag = "[rotary_embedding] ";
  const auto error = [](const Tensor& x, const Tensor& cos, const Tensor& sin) {
    return error_of([&] { rotary_embedding(x, cos, sin); });
  };
  CHECK(error(zeros({3, 5}, f64), a.cos, a.sin) ==
        tag + "x of shape (3, 5): expected (…, T, D) with an even D, for D/2 pairs");
  CHECK(error(zeros({4}, f64), a.cos, a.sin) ==
        tag + "x of shape (4,): expected (…, T, D) with an even D, for D/2 pairs");
  CHECK(
      error(zeros({4, 4}, f64), a.cos, a.sin) ==
      tag +
          "cos (3, 2) and sin (3, 2) for x (4, 4): expected (4, 2) for both, one row per position");
  CHECK(error(zeros({3, 4}), a.cos, a.sin) ==
        tag + "cos of f64 and sin of f64 for x of f32: convert them with to(cos, f32)");
  CHECK(error(zeros({3, 4}, i64), a.cos, a.sin) ==
        tag + "dtype i64 where f32 or f64 is needed: convert with to(x, f32)");
  CHECK(error(zeros({3, 4}, f64), clone(a.cos).requires_grad_(), a.sin) ==
        tag +
            "cos or sin requires a gradient, but this op has none for them: pass cos.detach() "
            "and sin.detach()");
}

}  // namespace
}  // namespace tarsier
