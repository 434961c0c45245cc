// Positions compared with the papers' formulas and Hugging Face's, and their errors.
#include "nn/layers/position.h"

#include <doctest/doctest.h>

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "autograd/check/gradcheck.h"
#include "tests/error_of.h"
#include "tests/nn/check_layer.h"

namespace tarsier {
namespace {

constexpr const char* kPositions = "positions.safetensors";

/// Compares an M(args…) with the numbers of a case.
template <class M, class... Args>
void check_position(const std::string& name, const Args&... args) {
  check_layer(kPositions, name, [&] { return std::make_unique<M>(args...); });
}

/// Tokens `first` … `first + count − 1` of x (B, …, T, C).
Tensor tokens(const Tensor& x, int64_t first, int64_t count) {
  return slice(x, -2, first, first + count);
}

TEST_CASE("added positions are the papers', with the same gradients") {
  check_position<nn::SinusoidalPositions>("sinusoidal", 6);
  check_position<nn::SinusoidalPositions>("sinusoidal_odd", 5);
  check_position<nn::LearnedPositions>("learned", 9, 5);
  for (const DType dtype : {f64, f32})
    check_close("far", nn::sinusoidal_positions(3, 10, dtype, 5000),
                golden(kPositions, "sinusoidal_far", dtype)[""]);
}

TEST_CASE("learned positions at an offset read, and train, the rows from there on") {
  const TensorDict numbers = golden(kPositions, "learned_offset.");
  nn::LearnedPositions layer(9, 5);
  layer.to(f64);
  layer.load_state_dict(part(numbers, "state."));
  Tensor x = clone(numbers["x"]).requires_grad_();
  const Tensor y = layer(x, 5);
  check_close("y", y, numbers["y"]);
  y.backward(numbers["dy"]);
  check_close("dx", x.grad(), numbers["dx"]);
  check_close("dweight", layer.weight.grad(), numbers["grad.weight"]);
}

TEST_CASE("rotary positions are RoFormer's in either layout, with the same gradients") {
  using Options = nn::RotaryOptions;
  check_position<nn::RotaryEmbedding>("rotary", 6);
  check_position<nn::RotaryEmbedding>("rotary_interleaved", 6, Options{.interleaved = true});
  check_position<nn::RotaryEmbedding>("rotary_partial", 10, Options{.base = 500, .rotary_dim = 4});
  check_position<nn::RotaryEmbedding>("rotary_partial_interleaved", 10,
                                      Options{.interleaved = true, .rotary_dim = 6, .factor = 4});
  for (const DType dtype : {f64, f32}) {
    const TensorDict numbers = golden(kPositions, "rotary_far.", dtype);
    nn::RotaryEmbedding rotary(6);
    Tensor x = clone(numbers["x"]).requires_grad_();
    const Tensor y = rotary(x, 5000);
    check_close("y", y, numbers["y"]);
    y.backward(numbers["dy"]);
    check_close("dx", x.grad(), numbers["dx"]);
  }
}

TEST_CASE("tokens at an offset get what they get within the whole sequence") {
  const Tensor x = randn({2, 9, 6});
  const auto check_parts = [&](auto& layer) {
    const Tensor whole = layer(x);
    CHECK(relative_error(layer(tokens(x, 4, 5), 4), tokens(whole, 4, 5)) == 0);
    for (int64_t t = 0; t < 9; ++t)
      CHECK(relative_error(layer(tokens(x, t, 1), t), tokens(whole, t, 1)) == 0);
  };
  nn::SinusoidalPositions sinusoidal(6);
  nn::LearnedPositions learned(9, 6);
  nn::RotaryEmbedding rotary(6);
  check_parts(sinusoidal);
  check_parts(learned);
  check_parts(rotary);
  // One token after another, beyond the end of any table; then back to the beginning.
  const Tensor text = randn({600, 6});
  nn::RotaryEmbedding decoding(6);
  const Tensor whole = rotary(text);
  for (const int64_t t : {0, 1, 255, 256, 257, 511, 512, 513, 599, 300, 0})
    CHECK(relative_error(decoding(tokens(text, t, 1), t), tokens(whole, t, 1)) == 0);
}

TEST_CASE("a layer that was used in f32 is as exact in f64 as a new one") {
  nn::SinusoidalPositions sinusoidal(6);
  nn::RotaryEmbedding rotary(6);
  const Tensor x = randn({2, 9, 6});
  sinusoidal(x), rotary(x);
  sinusoidal.to(f64), rotary.to(f64);
  const Tensor wide = randn({2, 9, 6}, f64);
  check_close("sinusoidal", sinusoidal(wide), wide + nn::sinusoidal_positions(9, 6, f64));
  nn::RotaryEmbedding fresh(6);
  check_close("rotary", rotary(wide), fresh(wide));
  CHECK(sinusoidal.state_dict().empty());
  CHECK(rotary.state_dict().empty());
}

TEST_CASE("scores of rotated queries and keys depend only on their distance") {
  for (const bool interleaved : {false, true}) {
    nn::RotaryEmbedding rotary(6, {.interleaved = interleaved});
    const Tensor q = randn({1, 6}, f64), k = randn({1, 6}, f64);
    const auto score = [&](int64_t i, int64_t j) { return sum(rotary(q, i) * rotary(k, j)); };
    check_close("7 − 4", score(7, 4), score(103, 100));
    CHECK(relative_error(score(7, 4), score(8, 4)) > 1e-3);
    check_close("7 − 7", score(7, 7), sum(q * k));
  }
}

TEST_CASE("gradients of positions are those of finite differences") {
  nn::LearnedPositions learned(7, 5);
  learned.to(f64);
  gradcheck([&](const std::vector<Tensor>& in) { return learned(in[0], 2); },
            {randn({2, 4, 5}, f64).requires_grad_(), learned.weight});
  for (const bool interleaved : {false, true}) {
    nn::RotaryEmbedding rotary(8, {.interleaved = interleaved, .rotary_dim = 6});
    gradcheck([&](const std::vector<Tensor>& in) { return rotary(in[0], 3); },
              {randn({2, 3, 4, 8}, f64).requires_grad_()}, {.second_order = true});
  }
}

TEST_CASE("the slopes of ALiBi, for numbers of heads that are powers of two and others") {
  for (int64_t heads = 1; heads < 14; ++heads)
    for (const DType dtype : {f64, f32})
      check_close("slopes", nn::alibi_slopes(heads, dtype),
                  golden(kPositions, "alibi_slopes." + std::to_string(heads), dtype)[""]);
}

TEST_CASE("the bias of ALiBi is −slope · distance, and takes the memory of its distances") {
  for (const DType dtype : {f64, f32}) {
    const Tensor bias = nn::alibi_bias(3, 4, 6, 2, dtype);
    check_close("bias", bias, golden(kPositions, "alibi_bias", dtype)[""]);
    // Its memory overlaps, which ops must handle.
    check_close("sum", sum(bias, -1), sum(clone(bias), -1));
    check_close("product", matmul(bias, ones({6, 2}, dtype)),
                matmul(contiguous(bias), ones({6, 2}, dtype)));
  }
  const int64_t before = memory_stats().current_bytes;
  const Tensor bias = nn::alibi_bias(8, 512, 512);
  CHECK(memory_stats().current_bytes - before < 2 * 8 * 1024 * 4);
}

TEST_CASE("positions are chosen by name") {
  for (const char* name : {"none", "learned", "sinusoidal", "rotary", "alibi"})
    CHECK(nn::position_name(nn::position_kind(name)) == name);
  CHECK(error_of([] { nn::position_kind("rope"); }) ==
        "[position_kind] unknown kind of positions 'rope': use one of none, learned, sinusoidal, "
        "rotary, alibi");

  const auto type_of = [](const char* name) -> std::string {
    const auto layer = nn::input_positions(nn::position_kind(name), 4, 6);
    if (!layer) return "";
    CHECK((*layer)(zeros({2, 4, 6})).shape() == Shape{2, 4, 6});
    return layer->type_name();
  };
  CHECK(type_of("learned") == "LearnedPositions");
  CHECK(type_of("sinusoidal") == "SinusoidalPositions");
  for (const char* name : {"none", "rotary", "alibi"}) CHECK(type_of(name) == "");
}

TEST_CASE("learned positions start as GPT-2's") {
  nn::LearnedPositions layer(400, 50);
  CHECK(std::abs(mean(layer.weight).item()) < 0.02 * 4 / std::sqrt(20000));
  CHECK(stddev(layer.weight).item() == doctest::Approx(0.02).epsilon(0.03));
  CHECK(layer.state_dict().contains("weight"));
}

TEST_CASE("positions print what they are") {
  const auto printed = [](const nn::Module& module) {
    std::ostringstream text;
    text << module;
    return text.str().substr(0, text.str().find('\n'));
  };
  CHECK(printed(nn::SinusoidalPositions(6)) == "SinusoidalPositions(6)");
  CHECK(printed(nn::LearnedPositions(9, 6)) == "LearnedPositions(9, 6)");
  CHECK(printed(nn::RotaryEmbedding(6)) == "RotaryEmbedding(6, base=10000)");
  CHECK(printed(nn::RotaryEmbedding(
            6, {.base = 5e5, .interleaved = true, .rotary_dim = 4, .factor = 2})) ==
        "RotaryEmbedding(6, base=500000, rotary_dim=4, interleaved=true, factor=2)");
}

TEST_CASE("positions refuse what does not fit, and say what would") {
  nn::LearnedPositions learned(8, 6);
  CHECK(error_of([&] {
          learned(randn({2, 9, 6}));
        }) ==
        "[learned_positions] 9 tokens from position 0 end at 9, but max_len is 8: give fewer, or "
        "make the layer longer");
  CHECK(error_of([&] {
          learned(randn({2, 5, 6}), 4);
        }).find("from position 4 end at 9") != std::string::npos);
  CHECK(error_of([&] {
          learned(randn({2, 5, 7}));
        }) == "[learned_positions] x (2, 5, 7) of f32: expected (…, time, 6), of f32 or f64");
  CHECK_THROWS_AS(nn::LearnedPositions(0, 6), Error);
  CHECK_THROWS_AS(nn::LearnedPositions(8, 0), Error);
  CHECK_THROWS_AS(learned(randn({6})), Error);
  CHECK_THROWS_AS(learned(randn({2, 5, 6}, f64)), Error);

  nn::SinusoidalPositions sinusoidal(6);
  for (const int64_t offset : {int64_t{-1}, INT64_MIN, INT64_MAX}) {
    CHECK(error_of([&] {
            sinusoidal(randn({2, 5, 6}), offset);
          })
              .starts_with(concat("[sinusoidal_positions] offset ", offset,
                                  ": the position of the first token must be")));
    CHECK_THROWS_AS(learned(randn({2, 5, 6}), offset), Error);
    CHECK_THROWS_AS(nn::RotaryEmbedding(6)(randn({2, 5, 6}), offset), Error);
    CHECK_THROWS_AS(nn::alibi_bias(2, 3, 3, offset), Error);
    CHECK_THROWS_AS(nn::sinusoidal_positions(3, 4, f32, offset), Error);
  }
  CHECK(sinusoidal(randn({2, 5, 6}), int64_t{1} << 31).shape() ==
        Shape{2, 5, 6});  // no table of that length
  CHECK_THROWS_AS(sinusoidal(zeros({2, 5, 6}, i64)), Error);
  CHECK_THROWS_AS(nn::sinusoidal_positions(-1, 4), Error);
  CHECK_THROWS_AS(nn::SinusoidalPositions(0), Error);

  CHECK(error_of([] { nn::RotaryEmbedding(7); }) ==
        "[rotary_embedding] rotary_dim 7 of head size 7: elements are rotated in pairs, so it must "
        "be even, and at most the head size");
  CHECK_THROWS_AS(nn::RotaryEmbedding(6, {.rotary_dim = 8}), Error);
  CHECK_THROWS_AS(nn::RotaryEmbedding(6, {.rotary_dim = -2}), Error);
  CHECK_THROWS_AS(nn::RotaryEmbedding(6, {.base = 0}), Error);
  CHECK_THROWS_AS(nn::RotaryEmbedding(6, {.factor = NAN}), Error);
  CHECK(error_of([] {
          nn::RotaryEmbedding(6)(randn({2, 3, 4, 8}));
        }) == "[rotary_embedding] x (2, 3, 4, 8) of f32: expected (…, time, 6), of f32 or f64");
  CHECK_THROWS_AS(nn::alibi_slopes(0), Error);
  CHECK_THROWS_AS(nn::alibi_bias(2, 0, 3), Error);
}

}  // namespace
}  // namespace tarsier
