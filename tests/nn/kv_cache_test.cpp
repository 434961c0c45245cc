// nn::KVCache, and attention that decodes with it.
#include "nn/layers/kv_cache.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include "nn/layers/attention.h"
#include "tests/error_of.h"
#include "tests/nn/golden.h"

namespace tarsier {
namespace {

static_assert(!std::is_copy_constructible_v<nn::KVCache>);
static_assert(std::is_nothrow_move_constructible_v<nn::KVCache>);

/// The part of x (B, H, T, D) from token `begin` to `end`.
Tensor tokens(const Tensor& x, int64_t begin, int64_t end) { return slice(x, 2, begin, end); }

TEST_CASE("a cache gives back all keys and values, however many come at a time") {
  const NoGrad no_grad;
  const Tensor k = randn({2, 3, 200, 5}), v = transpose(randn({2, 200, 3, 7}), 1, 2);  // strided
  nn::KVCache cache;
  CHECK(cache.length() == 0);
  int64_t end = 0;
  for (const int64_t count : {1, 0, 62, 1, 1, 70, 65}) {  // past 64 and 128; 200 in total
    const auto [keys, values] =
        cache.append(tokens(k, end, end + count), tokens(v, end, end + count));
    end += count;
    CAPTURE(end);
    CHECK(cache.length() == end);
    CHECK(relative_error(keys, tokens(k, 0, end)) == 0);
    CHECK(relative_error(values, tokens(v, 0, end)) == 0);
    CHECK(relative_error(cache.all().first, keys) == 0);
    CHECK(relative_error(cache.all().second, values) == 0);
  }
  CHECK(end == 200);
}

TEST_CASE("truncate and clear remove tokens from a cache") {
  const NoGrad no_grad;
  const Tensor k = randn({1, 2, 9, 4}), v = randn({1, 2, 9, 4});
  nn::KVCache cache;
  cache.append(k, v);
  cache.truncate(9);
  CHECK(cache.length() == 9);
  cache.truncate(4);
  CHECK(cache.length() == 4);
  const auto [keys, values] = cache.append(tokens(k, 7, 9), tokens(v, 7, 9));
  CHECK(relative_error(keys, cat({tokens(k, 0, 4), tokens(k, 7, 9)}, 2)) == 0);
  CHECK(relative_error(values, cat({tokens(v, 0, 4), tokens(v, 7, 9)}, 2)) == 0);

  cache.clear();
  CHECK(cache.length() == 0);
  const Tensor other = randn({5, 1, 2, 3}, f64);  // another size and dtype
  CHECK(relative_error(cache.append(other, other).second, other) == 0);
}

TEST_CASE("reorder rearranges the rows of a cache, as beam search needs") {
  const NoGrad no_grad;
  const Tensor k = randn({3, 2, 9, 4}), v = randn({3, 2, 9, 5});
  nn::KVCache cache;
  cache.reorder(tensor({2, 0, 0}, i64));  // an empty cache stays empty
  CHECK(cache.length() == 0);
  cache.append(tokens(k, 0, 5), tokens(v, 0, 5));
  const Tensor rows = tensor({2, 0, 0}, i64);  // one row is doubled, one is dropped
  cache.reorder(rows);
  CHECK(cache.length() == 5);
  const auto [keys, values] = cache.append(tokens(k, 5, 9), tokens(v, 5, 9));
  const auto expected = [&](const Tensor& x) {
    return cat({index_select(tokens(x, 0, 5), 0, rows), tokens(x, 5, 9)}, 2);
  };
  CHECK(relative_error(keys, expected(k)) == 0);
  CHECK(relative_error(values, expected(v)) == 0);

  CHECK(error_of([&] {
          cache.reorder(tensor({0, 1}, i64));
        }) == "[kv_cache] rows of shape (2,): expected one for each of the 3 sequences");
  CHECK(error_of([&] { cache.reorder(tensor({0, 1, 3}, i64)); }).find("[index_select]") == 0);
  CHECK(relative_error(cache.all().first, expected(k)) == 0);
}

TEST_CASE("a cache that keeps the last tokens still knows the position of the next one") {
  const NoGrad no_grad;
  const Tensor k = randn({2, 3, 9, 4}), v = randn({2, 3, 9, 5});
  nn::KVCache cache;
  cache.append(tokens(k, 0, 7), tokens(v, 0, 7));
  cache.keep_last(5);  // the kept part overlaps its new place
  CHECK(cache.length() == 5);
  CHECK(cache.position() == 7);
  const auto [keys, values] = cache.append(tokens(k, 7, 9), tokens(v, 7, 9));
  CHECK(relative_error(keys, tokens(k, 2, 9)) == 0);
  CHECK(relative_error(values, tokens(v, 2, 9)) == 0);
  CHECK(cache.position() == 9);
  CHECK(error_of([&] { cache.keep_last(8); }) == "[kv_cache] cannot keep 8 tokens: it holds 7");
  cache.keep_last(0);
  CHECK(cache.position() == 9);
  cache.clear();
  CHECK(cache.position() == 0);
}

TEST_CASE("a cache refuses what does not fit, and does not change") {
  const Tensor k = randn({2, 3, 4, 5}), v = randn({2, 3, 4, 7});
  nn::KVCache cache;
  CHECK(error_of([&] { cache.append(k, v); }) ==
        "[kv_cache] gradients are being recorded, but a cache has none: decode under a NoGrad "
        "guard");
  const NoGrad no_grad;
  const std::string alike =
      ": expected (batch, heads, time, size) for both, equal except for the last";
  CHECK(error_of([&] {
          cache.append(k, randn({2, 3, 5, 7}));
        }) == "[kv_cache] keys (2, 3, 4, 5) and values (2, 3, 5, 7)" + alike);
  CHECK(error_of([&] {
          cache.append(randn({3, 4, 5}), randn({3, 4, 5}));
        }) == "[kv_cache] keys (3, 4, 5) and values (3, 4, 5)" + alike);
  CHECK(error_of([&] { cache.append(k, to(v, f64)); }).find("[kv_cache]") == 0);
  CHECK(cache.length() == 0);

  cache.append(k, v);
  const std::string holds =
      ", but holds 4 tokens of (2, 3, 64, 5) and f32: clear() it before another sequence";
  CHECK(error_of([&] {
          cache.append(randn({1, 3, 1, 5}), randn({1, 3, 1, 7}));
        }) == "[kv_cache] got (1, 3, 1, 5) of f32" + holds);
  CHECK(error_of([&] {
          cache.append(randn({2, 1, 1, 5}), randn({2, 1, 1, 7}));
        }) == "[kv_cache] got (2, 1, 1, 5) of f32" + holds);
  CHECK(error_of([&] {
          cache.append(randn({2, 3, 1, 4}), randn({2, 3, 1, 7}));
        }) == "[kv_cache] got (2, 3, 1, 4) of f32" + holds);
  CHECK(error_of([&] { cache.append(to(k, f64), to(v, f64)); }) ==
        "[kv_cache] got (2, 3, 4, 5) of f64" + holds);
  CHECK(error_of([&] {
          cache.append(k, randn({2, 3, 4, 6}));
        }).find("(2, 3, 4, 6)") != std::string::npos);
  CHECK(error_of([&] { cache.truncate(5); }) == "[kv_cache] cannot keep 5 tokens: it holds 4");
  CHECK(error_of([&] { cache.truncate(-1); }) == "[kv_cache] cannot keep -1 tokens: it holds 4");
  CHECK(cache.length() == 4);
}

/// Decodes x (B, T, C) in chunks of `chunk` tokens, each of which may see `padding` (B, T) of what
/// is there, and joins the outputs.
Tensor decode(nn::MultiheadAttention& layer, const Tensor& x, int64_t chunk,
              const Tensor& padding = {}) {
  nn::KVCache cache;
  std::vector<Tensor> outputs;
  for (int64_t begin = 0; begin < x.size(1); begin += chunk) {
    const Tensor part = slice(x, 1, begin, begin + chunk);
    nn::AttentionOptions options{.is_causal = true, .cache = &cache};
    if (padding.defined()) options.key_padding_mask = slice(padding, 1, 0, begin + part.size(1));
    outputs.push_back(layer(part, options));
    CHECK(cache.length() == begin + part.size(1));
  }
  return cat(outputs, 1);
}

TEST_CASE("decoding by token and by chunks gives what the whole causal pass gives") {
  const NoGrad no_grad;
  const int64_t B = 3, T = 70, C = 12;
  for (const nn::MultiheadAttentionOptions& options :
       {nn::MultiheadAttentionOptions{.batch_first = true},
        nn::MultiheadAttentionOptions{.bias = false, .batch_first = true},
        nn::MultiheadAttentionOptions{
            .add_bias_kv = true, .add_zero_attn = true, .batch_first = true}})
    for (const DType dtype : {f64, f32}) {
      nn::MultiheadAttention layer(C, 4, options);
      layer.to(dtype);
      const Tensor x = randn({B, T, C}, dtype);
      const Tensor whole = layer(x, {.is_causal = true});
      const Tensor padding = rand({B, T}) < 0.3;
      const Tensor padded = layer(x, {.key_padding_mask = padding, .is_causal = true});
      CHECK_FALSE(allclose(whole, padded));
      for (const int64_t chunk : {1, 7, 69, 70}) {
        CAPTURE(chunk);
        check_close("whole", decode(layer, x, chunk), whole);
        check_close("padded", decode(layer, x, chunk, padding), padded);
      }
    }
}

TEST_CASE("decoding: time first, without a batch, with weights, back to an earlier token") {
  const NoGrad no_grad;
  nn::MultiheadAttention layer(6, 2);
  layer.to(f64);
  const Tensor x = randn({8, 3, 6}, f64);
  const nn::AttentionResult whole = layer.with_weights(x, x, x, {.is_causal = true}, false);
  nn::KVCache cache;
  const nn::AttentionOptions cached{.is_causal = true, .cache = &cache};
  const Tensor first = slice(x, 0, 0, 5), wrong = randn({2, 3, 6}, f64), rest = slice(x, 0, 5);
  check_close("first", layer(first, cached), slice(whole.output, 0, 0, 5));
  layer(wrong, cached);
  cache.truncate(5);
  const nn::AttentionResult end = layer.with_weights(rest, rest, rest, cached, false);
  check_close("rest", end.output, slice(whole.output, 0, 5));
  check_close("weights", end.weights, slice(whole.weights, 2, 5));

  const Tensor sequence = select(x, 1, 1);  // (8, 6)
  nn::KVCache one;
  for (int64_t i = 0; i < 8; ++i)
    check_close("token", layer(slice(sequence, 0, i, i + 1), {.is_causal = true, .cache = &one}),
                slice(select(whole.output, 1, 1), 0, i, i + 1));
}

TEST_CASE("a cache without is_causal: the new tokens see all, and one another") {
  const NoGrad no_grad;
  nn::MultiheadAttention layer(6, 2, {.batch_first = true});
  layer.to(f64);
  const Tensor x = randn({2, 7, 6}, f64);
  nn::KVCache cache;
  layer(slice(x, 1, 0, 4), {.cache = &cache});
  const Tensor y = layer(slice(x, 1, 4), {.cache = &cache});
  check_close("y", y, slice(layer(x), 1, 4));
  // A mask over old and new keys.
  cache.truncate(4);
  const Tensor mask = rand({7, 7}) < 0.4;
  const Tensor masked = layer(slice(x, 1, 4), {.attn_mask = slice(mask, 0, 4), .cache = &cache});
  check_close("masked", masked, slice(layer(x, {.attn_mask = mask}), 1, 4));
}

TEST_CASE("a memory_cache: the memory's keys and values are computed once") {
  const NoGrad no_grad;
  for (const bool batched : {true, false}) {
    nn::MultiheadAttention layer(6, 2, {.add_bias_kv = true, .kdim = 5, .vdim = 5});
    layer.to(f64);
    Tensor x = randn({4, 3, 6}, f64), memory = randn({5, 3, 5}, f64), padding = rand({3, 5}) < 0.3;
    if (!batched) {
      x = select(x, 1, 0);
      memory = select(memory, 1, 0);
      padding = select(padding, 0, 0);
    }
    const Tensor whole = layer(x, memory, memory, {.key_padding_mask = padding});
    nn::KVCache cache;
    for (int64_t i = 0; i < 4; ++i) {
      const Tensor y = layer(slice(x, 0, i, i + 1), memory, memory,
                             {.key_padding_mask = padding, .memory_cache = &cache});
      check_close("y", y, slice(whole, 0, i, i + 1));
      CHECK(cache.length() == 5);
      fill_(layer.k_proj_weight, NAN);  // not read after the first step
    }
  }
}

}  // namespace
}  // namespace tarsier
