// Grouped-query attention compared with PyTorch and Hugging Face's Llama and Mistral, for sequences
// and token by token.
#include "nn/layers/grouped_query_attention.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "autograd/check/gradcheck.h"
#include "tests/error_of.h"
#include "tests/nn/golden.h"

namespace tarsier {
namespace {

using Options = nn::GroupedQueryAttentionOptions;
using nn::PositionKind;

struct Case {
  std::string name;
  int64_t embed_dim, num_heads, num_kv_heads;
  Options options = {};
  bool is_causal = false;
};

void check_case(const Case& c) {
  for (const DType dtype : {f64, f32}) {
    CAPTURE(c.name);
    nn::GroupedQueryAttention layer(c.embed_dim, c.num_heads, c.num_kv_heads, c.options);
    layer.to(dtype);
    const TensorDict numbers = golden("positions.safetensors", c.name + ".", dtype);
    layer.load_state_dict(part(numbers, "state."));
    nn::AttentionOptions call{.is_causal = c.is_causal};
    if (const Tensor* mask = numbers.find("key_padding_mask")) call.key_padding_mask = *mask;
    if (const Tensor* mask = numbers.find("attn_mask")) call.attn_mask = *mask;

    Tensor x = clone(numbers["x"]).requires_grad_();
    const Tensor y = layer(x, call);
    check_close("y", y, numbers["y"]);
    y.backward(numbers["dy"]);
    check_close("dx", x.grad(), numbers["dx"]);
    const TensorDict parameters = layer.named_parameters(), expected = part(numbers, "grad.");
    CHECK(parameters.size() == expected.size());
    for (const auto& [key, grad] : expected) check_close("d" + key, parameters[key].grad(), grad);
  }
}

TEST_CASE("grouped queries attend as PyTorch's, with the same gradients") {
  check_case({"gqa", 8, 4, 2});
  check_case({"gqa_bias", 12, 6, 2, {.bias = true}});
  check_case({"gqa_one", 8, 4, 1, {}, true});
  check_case({"gqa_all", 6, 3, 3, {}, true});
  check_case({"gqa_head_dim", 6, 4, 2, {.head_dim = 5}, true});
}

TEST_CASE("grouped queries under every kind of mask attend as PyTorch's") {
  check_case({"gqa_padding", 8, 4, 2});
  check_case({"gqa_padding_causal", 8, 4, 2, {.bias = true}, true});
  check_case({"gqa_padding_alibi", 8, 4, 2, {.position = PositionKind::alibi}, true});
  check_case({"gqa_mask", 8, 4, 2});
  check_case({"gqa_mask_padding", 8, 4, 2});
  check_case({"gqa_mask_heads", 8, 4, 2, {}, true});
}

TEST_CASE("sliding windows and positions inside attention are the papers'") {
  check_case({"gqa_window", 8, 4, 2, {.window = 3}, true});
  check_case({"gqa_window_both", 8, 4, 2, {.window = 3}});
  check_case({"gqa_alibi", 12, 6, 2, {.position = PositionKind::alibi}, true});
  check_case({"gqa_alibi_both", 6, 3, 1, {.position = PositionKind::alibi}});
  check_case({"gqa_alibi_window", 6, 3, 3, {.window = 4, .position = PositionKind::alibi}, true});
  check_case({"gqa_rotary",
              8,
              4,
              2,
              {.position = PositionKind::rotary, .rotary = {.base = 50, .interleaved = true}}});
  check_case({"gqa_rotary_window",
              8,
              2,
              1,
              {.window = 4, .position = PositionKind::rotary, .rotary = {.rotary_dim = 2}},
              true});
}

TEST_CASE("weights of Hugging Face's Llama and Mistral give their numbers") {
  check_case({"llama",
              16,
              4,
              2,
              {.bias = true, .position = PositionKind::rotary, .rotary = {.base = 500}},
              true});
  check_case(
      {"mistral", 16, 4, 2, {.head_dim = 6, .window = 3, .position = PositionKind::rotary}, true});
}

/// All options that change what a token sees.
const std::vector<Options> kDecoders = {
    {},
    {.window = 3},
    {.position = PositionKind::rotary},
    {.window = 1, .position = PositionKind::rotary, .rotary = {.interleaved = true}},
    {.position = PositionKind::alibi},
    {.bias = true, .window = 3, .position = PositionKind::alibi},
};

TEST_CASE("decoding with a cache, one or several tokens at a time, equals the whole causal pass") {
  const NoGrad guard;
  const int64_t B = 2, T = 11, C = 12;
  for (const Options& options : kDecoders) {
    nn::GroupedQueryAttention layer(C, 6, 2, options);
    layer.to(f64);
    CAPTURE(layer.extra_repr());
    const Tensor x = randn({B, T, C}, f64), whole = layer(x, {.is_causal = true});
    for (const std::vector<int64_t>& steps :
         {std::vector<int64_t>(T, 1), std::vector<int64_t>{4, 1, 1, 5}}) {
      nn::KVCache cache;
      std::vector<Tensor> out;
      for (int64_t at = 0; const int64_t n : steps) {
        out.push_back(layer(slice(x, 1, at, at + n), {.is_causal = true, .cache = &cache}));
        at += n;
      }
      CHECK(cache.length() == T);
      check_close("y", cat(out, 1), whole);
    }
  }
}

TEST_CASE("padding before the prompt stays hidden while decoding") {
  const NoGrad guard;
  const int64_t B = 2, T = 7, C = 12;
  const Tensor padding = tensor({{1, 1, 1, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0}}) == 1;
  for (const Options& options : kDecoders) {
    nn::GroupedQueryAttention layer(C, 6, 3, options);
    layer.to(f64);
    CAPTURE(layer.extra_repr());
    const Tensor x = randn({B, T, C}, f64);
    const Tensor whole = layer(x, {.key_padding_mask = padding, .is_causal = true});
    nn::KVCache cache;
    std::vector<Tensor> out;
    for (int64_t t = 0; t < T; ++t)
      out.push_back(layer(
          slice(x, 1, t, t + 1),
          {.key_padding_mask = slice(padding, 1, 0, t + 1), .is_causal = true, .cache = &cache}));
    check_close("y", cat(out, 1), whole);
  }
}

TEST_CASE("gradients of grouped-query attention are those of finite differences") {
  for (const Options& options : kDecoders) {
    nn::GroupedQueryAttention layer(8, 4, 2, options);
    layer.to(f64);
    CAPTURE(layer.extra_repr());
    std::vector<Tensor> inputs = {randn({2, 5, 8}, f64).requires_grad_()};
    for (const Tensor& parameter : layer.parameters()) inputs.push_back(parameter);
    gradcheck([&](const std::vector<Tensor>& in) { return layer(in[0], {.is_causal = true}); },
              inputs);
  }
}

TEST_CASE("a window as wide as the text hides nothing, and one of 1 all but the token itself") {
  nn::GroupedQueryAttention plain(8, 4, 2), wide(8, 4, 2, {.window = 6});
  wide.load_state_dict(plain.state_dict());
  const Tensor x = randn({2, 6, 8});
  for (const bool is_causal : {false, true})
    check_close("y", wide(x, {.is_causal = is_causal}), plain(x, {.is_causal = is_causal}));

  nn::LocalAttention narrow(8, 4, 1);
  CHECK(narrow.type_name() == "LocalAttention");
  CHECK(narrow.k_proj.weight.shape() == Shape{8, 8});
  check_close("y", narrow(x), narrow.o_proj(narrow.v_proj(x)));
}

TEST_CASE("a cache holds only the key heads") {
  const NoGrad guard;
  nn::GroupedQueryAttention layer(8, 4, 1);
  nn::KVCache cache;
  layer(randn({3, 5, 8}), {.is_causal = true, .cache = &cache});
  const auto [keys, values] = cache.append(zeros({3, 1, 1, 2}), zeros({3, 1, 1, 2}));
  CHECK(keys.shape() == Shape{3, 1, 6, 2});
  CHECK(values.shape() == Shape{3, 1, 6, 2});
}

TEST_CASE("dropout in grouped-query attention acts only in training") {
  nn::GroupedQueryAttention layer(8, 4, 2, {.dropout = 0.5});
  const Tensor x = randn({2, 5, 8});
  CHECK_FALSE(allclose(layer(x), layer(x)));
  layer.eval();
  CHECK(relative_error(layer(x), layer(x)) == 0);
}

TEST_CASE("keys and print of grouped-query attention") {
  nn::GroupedQueryAttention layer(8, 4, 2,
                                  {.head_dim = 6, .window = 3, .position = PositionKind::rotary});
  std::ostringstream text;
  text << layer;
  CAPTURE(text.str());
  CHECK(layer.extra_repr() ==
        "embed_dim=8, num_heads=4, num_kv_heads=2, head_dim=6, window=3, position=rotary");
  CHECK(text.str().find("(rotary): RotaryEmbedding(6, base=10000)") != std::string::npos);
  CHECK(layer.num_parameters() == 576);
  std::vector<std::string> keys;
  for (const auto& entry : layer.state_dict()) keys.push_back(entry.first);
  CHECK(keys == std::vector<std::string>{"q_proj.weight", "k_proj.weight", "v_proj.weight",
                                         "o_proj.weight"});
}

TEST_CASE("grouped-query attention refuses what does not fit, and says what would") {
  using Gqa = nn::GroupedQueryAttention;
  CHECK(
      error_of([] { Gqa(8, 4, 3); }) ==
      "[grouped_query_attention] num_heads 4 must be a multiple of num_kv_heads 3: every key head "
      "serves equally many query heads");
  CHECK(error_of([] { Gqa(8, 3, 1); }) ==
        "[grouped_query_attention] embed_dim 8 must be a multiple of num_heads 3, unless head_dim "
        "is given");
  CHECK_THROWS_AS(Gqa(8, 0, 1), Error);
  CHECK_THROWS_AS(Gqa(8, 4, 0), Error);
  CHECK_THROWS_AS(Gqa(0, 4, 2), Error);
  CHECK_THROWS_AS(Gqa(8, 4, 8), Error);
  CHECK_THROWS_AS(Gqa(8, 4, 2, {.head_dim = 0}), Error);
  CHECK_THROWS_AS(Gqa(8, 4, 2, {.dropout = 1.5}), Error);
  CHECK_THROWS_AS(Gqa(8, 4, 2, {.window = 0}), Error);
  CHECK_THROWS_AS(nn::LocalAttention(8, 4, -1), Error);
  CHECK(error_of([] {
          Gqa(12, 4, 2, {.position = PositionKind::rotary});
        }).starts_with("[rotary_embedding] rotary_dim 3 of head size 3"));

  Gqa layer(8, 4, 2);
  const Tensor x = randn({2, 5, 8});
  CHECK(error_of([&] {
          layer(randn({2, 5, 6}));
        }) == "[grouped_query_attention] x (2, 5, 6): expected (batch, time, 8)");
  CHECK_THROWS_AS(layer(randn({5, 8})), Error);
  CHECK_THROWS_AS(layer(randn({2, 5, 8}, f64)), Error);
  CHECK(error_of([&] {
          layer(x, {.key_padding_mask = zeros({2, 4}, boolean)});
        }) ==
        "[grouped_query_attention] key_padding_mask of shape (2, 4): expected (batch, keys) = (2, "
        "5)");
  CHECK(
      error_of([&] {
        layer(x, {.attn_mask = zeros({4, 5, 5}, boolean)});
      }) ==
      "[grouped_query_attention] attn_mask of shape (4, 5, 5): expected (queries, keys) = (5, 5), "
      "or (batch · heads, queries, keys) = (8, 5, 5)");
  CHECK(
      error_of([&] {
        layer(x, {.attn_mask = zeros({5, 5}, i64)});
      }) ==
      "[grouped_query_attention] attn_mask of i64: expected bool (true: may not attend), or f32 to "
      "add to the scores");

  nn::KVCache cache;
  CHECK(error_of([&] { layer(x, {.cache = &cache}); }).find("NoGrad") != std::string::npos);
  CHECK(error_of([&] { layer(x, {.memory_cache = &cache}); }) ==
        "[grouped_query_attention] a memory_cache is for cross-attention");
  const NoGrad guard;
  layer(x, {.cache = &cache});
  CHECK_THROWS_AS(layer(x, {.key_padding_mask = zeros({2, 5}, boolean), .cache = &cache}), Error);
  CHECK_THROWS_AS(layer(randn({3, 1, 8}), {.cache = &cache}), Error);
  CHECK(cache.length() == 5);
}

}  // namespace
}  // namespace tarsier
