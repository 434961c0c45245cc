// The Transformer's attention weights, and decoding with a cache.
#include <doctest/doctest.h>

#include <vector>

#include "nn/init.h"
#include "tests/error_of.h"
#include "tests/nn/golden.h"
#include "tests/nn/transformer.h"

namespace tarsier {
namespace {

using doctest::Contains;

TEST_CASE("an encoder's with_weights returns the attention of each position") {
  for (const bool norm_first : {false, true}) {
    nn::TransformerEncoder encoder(
        kC, kH, 2,
        {.layer = small({.batch_first = true, .norm_first = norm_first}), .final_norm = true});
    const Tensor src = randn({2, 4, kC});
    const Tensor padding = from_vector<bool>({0, 0, 0, 1, 0, 0, 0, 0}, {2, 4});
    const nn::EncoderMasks masks{.src_key_padding_mask = padding, .is_causal = true};
    const nn::EncoderResult mean = encoder.with_weights(src, masks);
    const nn::EncoderResult by_head = encoder.with_weights(src, masks, false);
    check_close("output", mean.output, encoder(src, masks));
    CHECK(mean.weights.size() == 2);
    for (size_t i = 0; i < 2; ++i) {
      CHECK(mean.weights[i].shape() == Shape{2, 4, 4});
      CHECK(by_head.weights[i].shape() == Shape{2, kH, 4, 4});
      CHECK(allclose(tarsier::mean(by_head.weights[i], 1), mean.weights[i]));
      CHECK(allclose(sum(mean.weights[i], -1), ones({2, 4})));
      CHECK(norm(select(select(mean.weights[i], 0, 0), -1, 3)).item() == 0);  // the padding
      CHECK(norm(triu(mean.weights[i], 1)).item() == 0);                      // later positions
    }
    CHECK_FALSE(allclose(mean.weights[0], mean.weights[1]));
  }
}

TEST_CASE("with_weights returns the attention of each target position to the memory") {
  nn::TransformerDecoder decoder(kC, kH, 2, {.layer = small({.batch_first = true})});
  const Tensor tgt = randn({2, 4, kC}), memory = randn({2, 3, kC});
  const Tensor padding = from_vector<bool>({false, false, true, false, false, false}, {2, 3});
  const nn::DecoderMasks masks{.memory_key_padding_mask = padding, .tgt_is_causal = true};
  const nn::DecoderResult mean = decoder.with_weights(tgt, memory, masks);
  const nn::DecoderResult by_head = decoder.with_weights(tgt, memory, masks, false);
  check_close("output", mean.output, decoder(tgt, memory, masks));
  CHECK(mean.weights.size() == 2);
  for (size_t i = 0; i < 2; ++i) {
    CHECK(mean.weights[i].shape() == Shape{2, 4, 3});
    CHECK(by_head.weights[i].shape() == Shape{2, kH, 4, 3});
    CHECK(allclose(tarsier::mean(by_head.weights[i], 1), mean.weights[i]));
    CHECK(allclose(sum(mean.weights[i], -1), ones({2, 4})));
    CHECK(norm(select(select(mean.weights[i], 0, 0), -1, 2)).item() == 0);  // the padding
  }
  CHECK_FALSE(allclose(mean.weights[0], mean.weights[1]));
}

/// The outputs of `decoder` for tgt, fed by parts of the given lengths.
Tensor by_parts(nn::TransformerDecoder& decoder, const Tensor& tgt, const Tensor& memory,
                nn::DecoderMasks masks, int time_dim, const std::vector<int64_t>& lengths,
                nn::DecoderCache& cache) {
  const Tensor padding = masks.tgt_key_padding_mask;
  std::vector<Tensor> outputs;
  for (const Tensor& tokens : split(tgt, lengths, time_dim)) {
    if (padding.defined())
      masks.tgt_key_padding_mask = slice(padding, 1, 0, cache.length() + tokens.size(time_dim));
    outputs.push_back(decoder(tokens, memory, masks, &cache));
  }
  return cat(outputs, time_dim);
}

TEST_CASE("decoding step by step with a cache gives what one pass gives") {
  constexpr int64_t B = 2, S = 3, T = 6;
  const NoGrad guard;
  for (const bool norm_first : {false, true})
    for (const bool batch_first : {false, true}) {
      CAPTURE(norm_first);
      CAPTURE(batch_first);
      nn::TransformerDecoder decoder(
          kC, kH, 2,
          {.layer = small({.batch_first = batch_first, .norm_first = norm_first}),
           .final_norm = true});
      decoder.to(f64);
      Tensor tgt = randn({B, T, kC}, f64), memory = randn({B, S, kC}, f64);
      if (!batch_first) tgt = transpose(tgt, 0, 1), memory = transpose(memory, 0, 1);
      const nn::DecoderMasks masks{
          .tgt_key_padding_mask =
              index_select(tril_mask(T, T), 0, tensor({3, 0}, i64)) && !tril_mask(B, T),
          .memory_key_padding_mask =
              from_vector<bool>({false, false, true, false, false, false}, {B, S}),
          .tgt_is_causal = true};
      const int time = batch_first ? 1 : 0;
      const Tensor expected = decoder(tgt, memory, masks);

      nn::DecoderCache cache;
      for (const std::vector<int64_t>& lengths :
           {std::vector<int64_t>{1, 1, 1, 1, 1, 1}, {3, 1, 2}, {6}}) {
        check_close("y", by_parts(decoder, tgt, memory, masks, time, lengths, cache), expected);
        CHECK(cache.length() == T);
        cache.clear();
        CHECK(cache.length() == 0);
      }
    }
}

TEST_CASE("a cache computes the keys and values of the memory once") {
  const NoGrad guard;
  nn::TransformerDecoder decoder(kC, kH, 1, {.layer = small()});
  const Tensor tgt = randn({4, 2, kC}), memory = randn({3, 2, kC});
  const Tensor expected = decoder(tgt, memory, {.tgt_is_causal = true});
  nn::DecoderCache cache;
  const Tensor first = decoder(slice(tgt, 0, 0, 1), memory, {}, &cache);
  // If these maps were used again, the result would be NaN.
  nn::zeros_(slice(decoder.layers[0].multihead_attn.in_proj_weight, 0, kC, 3 * kC));
  const Tensor rest =
      by_parts(decoder, slice(tgt, 0, 1), memory, {.tgt_is_causal = true}, 0, {1, 2}, cache);
  check_close("y", cat({first, rest}), expected);
}

TEST_CASE("a decoder refuses a cache that is not its own") {
  nn::TransformerDecoder decoder(kC, kH, 2, {.layer = small()});
  const Tensor tgt = randn({1, 2, kC}), memory = randn({3, 2, kC});
  nn::DecoderCache cache;
  CHECK_THROWS_WITH_AS(decoder(tgt, memory, {}, &cache), Contains("NoGrad"), Error);

  const NoGrad guard;
  decoder(tgt, memory, {}, &cache);
  CHECK_THROWS_WITH_AS(decoder(tgt, clone(memory), {}, &cache), Contains("clear() it"), Error);
  CHECK_THROWS_WITH_AS(decoder(tgt, memory, {.memory_is_causal = true}, &cache),
                       Contains("use memory_mask"), Error);
  nn::TransformerDecoder deeper(kC, kH, 3, {.layer = small()});
  CHECK_THROWS_WITH_AS(deeper(tgt, memory, {}, &cache),
                       Contains("a cache of 2 layers in a decoder of 3"), Error);
}

TEST_CASE("attention refuses a memory_cache of other sizes, and one together with a cache") {
  nn::MultiheadAttention layer(kC, kH);
  const Tensor query = randn({1, 2, kC}), memory = randn({3, 2, kC});
  nn::KVCache cache, other;
  CHECK_THROWS_WITH_AS(layer(query, memory, memory, {.memory_cache = &cache}), Contains("NoGrad"),
                       Error);
  const NoGrad guard;
  CHECK_THROWS_WITH_AS(layer(query, {.cache = &other, .memory_cache = &cache}),
                       Contains("exclude each other"), Error);
  CHECK_THROWS_WITH_AS(cache.all(), Contains("no tokens yet"), Error);
  layer(query, memory, memory, {.memory_cache = &cache});
  const auto refuses = [&](const Tensor& query, const Tensor& memory) {
    CHECK_THROWS_WITH_AS(layer(query, memory, memory, {.memory_cache = &cache}),
                         Contains("memory_cache holds 3 keys for a batch of 2 in f32"), Error);
  };
  refuses(query, randn({4, 2, kC}));
  refuses(randn({1, 1, kC}), randn({3, 1, kC}));
  layer.to(f64);
  refuses(to(query, f64), to(memory, f64));
}

}  // namespace
}  // namespace tarsier
