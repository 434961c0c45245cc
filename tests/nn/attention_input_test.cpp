// The errors of nn::MultiheadAttention for bad input.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <string>

#include "nn/layers/attention.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

/// A model with an attention somewhere inside.
struct Decoder : nn::Layer<Decoder> {
  nn::MultiheadAttention cross_attn;

  explicit Decoder(const nn::MultiheadAttentionOptions& options = {}) : cross_attn(8, 2, options) {
    register_module("cross_attn", cross_attn);
  }
  Tensor forward(const Arg& x, const Tensor& key, const Tensor& value,
                 const nn::AttentionOptions& options = {}) {
    return cross_attn(x, key, value, options);
  }
};

/// Checks that `f` throws this message, from the attention of Decoder.
void check_message(const std::function<void()>& f, const std::string& message) {
  const std::string error = error_of(f);
  CAPTURE(error);
  CHECK(error.find("[multihead_attention] " + message) != error.npos);
  CHECK(error.find("cross_attn") != error.npos);
}

TEST_CASE("attention is not made of sizes that do not fit") {
  const auto message = [](int64_t embed_dim, int64_t heads,
                          const nn::MultiheadAttentionOptions& options = {}) {
    return error_of([&] { nn::MultiheadAttention(embed_dim, heads, options); });
  };
  CHECK(message(8, 3) ==
        "[multihead_attention] embed_dim 8 must be a positive multiple of num_heads 3");
  CHECK(message(0, 1) ==
        "[multihead_attention] embed_dim 0 must be a positive multiple of num_heads 1");
  CHECK(message(8, 0) ==
        "[multihead_attention] embed_dim 8 must be a positive multiple of num_heads 0");
  CHECK(message(-8, -2) ==
        "[multihead_attention] embed_dim -8 must be a positive multiple of num_heads -2");
  CHECK(message(8, 2, {.kdim = 0}) == "[multihead_attention] kdim 0 and vdim 8 must be positive");
  CHECK(message(8, 2, {.vdim = -3}) == "[multihead_attention] kdim 8 and vdim -3 must be positive");
  CHECK(message(8, 2, {.dropout = 1.5}) == "[multihead_attention] dropout 1.5 must be in [0, 1]");
  CHECK(message(8, 2, {.dropout = NAN}) == "[multihead_attention] dropout nan must be in [0, 1]");
}

TEST_CASE("attention names the shapes that do not fit, and itself by its path") {
  Decoder model, batch_first({.batch_first = true}), widths({.kdim = 5, .vdim = 3});
  const Tensor x = randn({4, 3, 8}), memory = randn({5, 3, 8});
  const auto refuses = [&](Decoder& decoder, const Tensor& q, const Tensor& k, const Tensor& v,
                           const std::string& message) {
    check_message([&] { decoder(q, k, v); }, message);
  };
  refuses(model, randn({8}), memory, memory,
          "query (8,), key (5, 3, 8), value (5, 3, 8): expected (time, batch, width) for all, or "
          "(time, width) for all");
  refuses(batch_first, x, randn({5, 8}), memory,
          "query (4, 3, 8), key (5, 8), value (5, 3, 8): expected (batch, time, width) for all, or "
          "(time, width) for all");
  refuses(model, randn({4, 3, 7}), memory, memory,
          "query (4, 3, 7), key (5, 3, 8), value (5, 3, 8): expected widths (the last sizes) 8, 8 "
          "and 8");
  refuses(widths, x, memory, randn({5, 3, 3}),
          "query (4, 3, 8), key (5, 3, 8), value (5, 3, 3): expected widths (the last sizes) 8, 5 "
          "and 3");
  refuses(widths, randn({4, 8}), randn({5, 5}), randn({5, 4}),
          "query (4, 8), key (5, 5), value (5, 4): expected widths (the last sizes) 8, 5 and 3");
  refuses(model, x, randn({5, 2, 8}), randn({5, 2, 8}),
          "query (4, 3, 8), key (5, 2, 8), value (5, 2, 8): expected one size of the batch, not 3, "
          "2 and 2");
  refuses(batch_first, randn({3, 4, 8}), randn({3, 5, 8}), randn({2, 5, 8}),
          "query (3, 4, 8), key (3, 5, 8), value (2, 5, 8): expected one size of the batch, not 3, "
          "3 and 2");
  refuses(model, x, memory, randn({4, 3, 8}),
          "query (4, 3, 8), key (5, 3, 8), value (4, 3, 8): expected one time of key and value, "
          "not 5 and 4");
  check_message([&] { model(x, memory, memory, nn::AttentionOptions{.is_causal = true}); },
                "query (4, 3, 8), key (5, 3, 8), value (5, 3, 8): is_causal needs as many queries "
                "as keys, not 4 and 5: use attn_mask to say which sees which");
  // Errors of the ops inside name it as well.
  const std::string dtype = error_of([&] { model(tarsier::to(x, f64), memory, memory); });
  CAPTURE(dtype);
  CHECK(dtype.find("cross_attn") != dtype.npos);
  CHECK(dtype.find("f64") != dtype.npos);
}

TEST_CASE("attention names the masks that do not fit") {
  Decoder model;
  const Tensor x = randn({4, 3, 8}), memory = randn({5, 3, 8});
  const auto refuses = [&](const nn::AttentionOptions& options, const std::string& message) {
    check_message([&] { model(x, memory, memory, options); }, message);
    check_message(
        [&] {
          // with_weights opens the scope by itself
          ModuleScope scope("decoder");
          model.cross_attn.with_weights(x, memory, memory, options);
        },
        message);
  };
  refuses({.key_padding_mask = zeros({5, 3}, boolean)},
          "key_padding_mask of shape (5, 3): expected (batch, keys) = (3, 5)");
  refuses({.key_padding_mask = zeros({5}, boolean)},
          "key_padding_mask of shape (5,): expected (batch, keys) = (3, 5)");
  refuses({.key_padding_mask = zeros({3, 5}, i64)},
          "key_padding_mask of i64: expected bool (true: may not attend), or f32 to add to the "
          "scores");
  refuses({.attn_mask = zeros({4, 4}, boolean)},
          "attn_mask of shape (4, 4): expected (queries, keys) = (4, 5), or (batch · heads, "
          "queries, keys) = (6, 4, 5)");
  refuses({.attn_mask = zeros({3, 4, 5})},
          "attn_mask of shape (3, 4, 5): expected (queries, keys) = (4, 5), or (batch · heads, "
          "queries, keys) = (6, 4, 5)");
  refuses({.attn_mask = zeros({4, 5}, f64)},
          "attn_mask of f64: expected bool (true: may not attend), or f32 to add to the scores");
  check_message(
      [&] {
        const Tensor one = randn({5, 8});
        model(one, one, one, nn::AttentionOptions{.key_padding_mask = zeros({1, 5}, boolean)});
      },
      "key_padding_mask of shape (1, 5): expected (keys) = (5,)");
}

TEST_CASE("attention uses a cache for self-attention only, without gradients") {
  Decoder model;
  nn::KVCache cache;
  const Tensor x = randn({4, 3, 8}), memory = randn({4, 3, 8});
  const nn::AttentionOptions cached{.is_causal = true, .cache = &cache};
  check_message([&] { model(x, x, x, cached); },
                "a cache has no gradients, but they are being recorded: decode under a NoGrad "
                "guard");
  const NoGrad no_grad;
  check_message([&] { model(x, memory, memory, cached); },
                "query (4, 3, 8), key (4, 3, 8), value (4, 3, 8): a cache is for self-attention, "
                "where all three are the same tensor; a memory_cache for cross-attention");
  nn::KVCache memory_cache;
  check_message(
      [&] { model(x, x, x, nn::AttentionOptions{.cache = &cache, .memory_cache = &memory_cache}); },
      "cache and memory_cache exclude each other: give one");
  model(x, x, x, cached);
  check_message(
      [&] {
        model(x, x, x,
              nn::AttentionOptions{.key_padding_mask = zeros({3, 4}, boolean), .cache = &cache});
      },
      "key_padding_mask of shape (3, 4): expected (batch, keys) = (3, 8)");
  CHECK(cache.length() == 4);  // a call that failed leaves the cache as it was
  const Tensor other = randn({1, 2, 8});
  const std::string batch = error_of([&] { model(other, other, other, cached); });
  CAPTURE(batch);
  CHECK(batch.find("[kv_cache] got (2, 2, 1, 4) of f32, but holds 4 tokens of (3, 2, 64, 4)") == 0);
  CHECK(batch.find("cross_attn") != batch.npos);
  CHECK(cache.length() == 4);
}

TEST_CASE("a memory_cache of another memory is refused") {
  Decoder model;
  nn::KVCache cache;
  const Tensor x = randn({4, 3, 8}), memory = randn({5, 3, 8}), longer = randn({6, 3, 8});
  const nn::AttentionOptions cached{.memory_cache = &cache};
  check_message([&] { model(x, memory, memory, cached); },
                "a cache has no gradients, but they are being recorded: decode under a NoGrad "
                "guard");
  const NoGrad no_grad;
  model(x, memory, memory, cached);
  check_message([&] { model(x, longer, longer, cached); },
                "key (6, 3, 8), but memory_cache holds 5 keys for a batch of 3 in f32: clear() it "
                "before using another memory");
  const Tensor one = randn({4, 1, 8}), its_memory = randn({5, 1, 8});
  check_message([&] { model(one, its_memory, its_memory, cached); },
                "key (5, 1, 8), but memory_cache holds 5 keys for a batch of 3 in f32");
}

}  // namespace
}  // namespace tarsier
