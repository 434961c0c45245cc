// Wrong sizes, options and tensors given to layers: each is an Error that names the layer (by its
// path, if it has one) and what was given, never a crash, another exception, or no error.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "nn/nn.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

using namespace nn;

/// A model with an L named "part".
template <class L>
struct In : Module {
  L part;
  template <class... Args>
  explicit In(Args&&... args) : part(std::forward<Args>(args)...) {
    register_module("part", part);
  }
  template <class... Xs>
  Tensor operator()(const Xs&... xs) {
    return part(xs...);
  }
};

struct Misuse {
  std::function<void()> what;
  std::string says;
};

void check_all(const std::vector<Misuse>& all) {
  for (size_t i = 0; i < all.size(); ++i) {
    CAPTURE(i);
    CAPTURE(all[i].says);
    const std::string said = error_of(all[i].what);
    CAPTURE(said);
    CHECK(said.find(all[i].says) != std::string::npos);
  }
}

const double kNaN = std::numeric_limits<double>::quiet_NaN();
const int64_t kHuge = int64_t{1} << 62;

TEST_CASE("misuse: sizes and options that no layer can have") {
  check_all({
      {[] { Linear(-1, 3); }, "[linear] -1 inputs and 3 outputs"},
      {[] { Linear(3, 0); }, "[linear] 3 inputs and 0 outputs"},
      {[] { Linear(kHuge, 2); }, "shape (2, 4611686018427387904) of f32 has more bytes"},
      {[] { Bilinear(2, -1, 3); }, "[bilinear] 2 and -1 inputs"},
      {[] { Embedding(-5, 3); }, "[embedding] -5 rows of 3"},
      {[] { Embedding(5, 3, 5); }, "[embedding] padding_idx 5 of 5 rows: use -5 to 4"},
      {[] { Embedding(5, 3, -6); }, "[embedding] padding_idx -6 of 5 rows"},
      {[] { EmbeddingBag(5, 3, "last"); }, "[embedding_bag] mode 'last'"},
      {[] { LayerNorm(-3); }, "[layer_norm] normalized_shape (-3,)"},
      {[] { LayerNorm(Shape{}); }, "[layer_norm] normalized_shape ()"},
      {[] { LayerNorm(3, kNaN); }, "[layer_norm] eps nan"},
      {[] { RMSNorm(0); }, "[rms_norm] normalized_shape (0,)"},
      {[] { RMSNorm(3, -1.0); }, "[rms_norm] eps -1"},
      {[] { GroupNorm(3, 4); }, "[group_norm] 4 channels in 3 groups"},
      {[] { GroupNorm(0, 4); }, "[group_norm] 4 channels in 0 groups"},
      {[] { GroupNorm(2, 4, INFINITY); }, "[group_norm] eps inf"},
      {[] { BatchNorm1d(-1); }, "[batch_norm] -1 channels"},
      {[] { BatchNorm2d(3, {.eps = -1}); }, "[batch_norm] eps -1"},
      {[] { BatchNorm2d(3, {.momentum = kNaN}); }, "[batch_norm] momentum nan"},
      {[] { BatchNorm2d(3, {.momentum = 2}); }, "[batch_norm] momentum 2"},
      {[] { Conv1d(3, 4, 3, {.groups = 2}); }, "[conv1d] 3 to 4 channels in 2 groups"},
      {[] { Conv1d(2, 2, -3); }, "[conv1d] kernel -3"},
      {[] {
         Conv2d(2, 2, {0, 3});
       },
       "[conv2d] kernel 0 × 3"},
      {[] {
         Conv2d(2, 2, {kHuge, kHuge});
       },
       "has more bytes"},
      {[] { ConvTranspose2d(-1, 2, 3); }, "[conv_transpose2d] -1 to 2 channels"},
      {[] { Dropout(1.1); }, "[dropout] probability 1.1"},
      {[] { Dropout{kNaN}; }, "[dropout] probability nan"},
      {[] { GELU("exact"); }, "[gelu] approximate 'exact'"},
      {[] { MultiheadAttention(6, 4); }, "[multihead_attention] embed_dim 6"},
      {[] { MultiheadAttention(6, -2); }, "num_heads -2"},
      {[] { MultiheadAttention(6, 2, {.dropout = kNaN}); }, "dropout nan"},
      {[] { MultiheadAttention(6, 2, {.kdim = -1}); }, "kdim -1"},
      {[] { TransformerEncoderLayer(6, 4); }, "embed_dim 6 must be a positive multiple"},
      {[] { TransformerEncoderLayer(6, 2, {.dim_feedforward = -4}); }, "[linear] 6 inputs and -4"},
      {[] { TransformerEncoderLayer(6, 2, {.activation = "swish"}); }, "no function 'swish'"},
      {[] { TransformerEncoderLayer(6, 2, {.layer_norm_eps = kNaN}); }, "[layer_norm] eps nan"},
      {[] { TransformerDecoder(6, 2, 0); }, "[transformer] 0 layers"},
      {[] { Transformer(6, 2, 1, -1); }, "[transformer] -1 layers"},
      {[] { GroupedQueryAttention(8, 4, 3); }, "num_kv_heads 3"},
      {[] { LocalAttention(8, 2, -1); }, "window -1 must be positive"},
      {[] { RotaryEmbedding(5); }, "[rotary_embedding] rotary_dim 5"},
      {[] { LearnedPositions(0, 3); }, "[learned_positions] max_len 0"},
      {[] { ModuleList<Linear>(-1, 3, 3); }, "[module_list] -1 modules"},
  });
}

TEST_CASE("misuse: tensors that do not fit are named with the layer's path and both shapes") {
  const Tensor none, x = randn({2, 3}), wide = randn({2, 3}, f64), index = tensor({0, 1, 2}, i64);
  const Tensor image = randn({1, 2, 4, 4});
  check_all({
      {[&] { In<Linear>(4, 2)(x); }, "[linear] x of shape (2, 3) and weight of shape (2, 4)"},
      {[&] { In<Linear>(4, 2)(x); }, "(in part)"},
      {[&] { In<Linear>(3, 2)(wide); }, "[linear] dtypes f64 and f32 differ"},
      {[&] { In<Linear>(3, 2)(none); },
       "[module] Linear was called with an undefined tensor: assign the result of an op to it "
       "first (in part)"},
      {[&] { In<Bilinear>(3, 2, 4)(x, x); }, "[bilinear] shapes (2, 3) and (2, 3)"},
      {[&] { In<Bilinear>(3, 3, 4)(x, none); }, "(in part)"},
      {[&] { In<Embedding>(5, 3)(x); }, "[embedding] the index is f32"},
      {[&] { In<Embedding>(2, 3)(index); }, "[embedding] index 2 at position (2,)"},
      {[&] { In<EmbeddingBag>(5, 3)(index); }, "[embedding_bag] index of shape (3,)"},
      {[&] {
         In<EmbeddingBag>(5, 3)(index, tensor({0, 5}, i64));
       },
       "offset 1 is 5 before 3"},
      {[&] { In<LayerNorm>(4)(x); }, "[layer_norm] x of shape (2, 3): its last sizes must be (4,)"},
      {[&] { In<RMSNorm>(3)(index); }, "[rms_norm] dtype i64"},
      {[&] { In<GroupNorm>(2, 4)(x); }, "[group_norm] x of shape (2, 3): expected (N, 4, …)"},
      {[&] { In<GroupNorm>(3, 3)(wide); }, "[group_norm] x of f64 in a layer of f32"},
      {[&] { In<BatchNorm1d>(4)(x); }, "[batch_norm] x of shape (2, 3): expected (N, 4)"},
      {[&] { In<BatchNorm1d>(3)(wide); }, "[batch_norm] x of f64 in a layer of f32"},
      {[&] {
         In<BatchNorm1d>(3)(randn({1, 3}));
       },
       "[batch_norm] x of shape (1, 3) has one value"},
      {[&] {
         In<Conv1d>(2, 2, 3)(randn({1, 3, 9}));
       },
       "[conv1d] x of shape (1, 3, 9) and weight of shape (2, 2, 3)"},
      {[&] { In<Conv2d>(3, 2, 3)(image); },
       "[conv2d] x of shape (1, 2, 4, 4) and weight of shape (2, 3, 3, 3)"},
      {[&] { In<Conv2d>(2, 2, 5)(image); }, "does not fit into the height of 4"},
      {[&] { In<Conv2d>(2, 2, 3, Conv2dOptions{.stride = 0})(image); }, "stride (0, 0)"},
      {[&] { In<Conv2d>(2, 2, 3, Conv2dOptions{.padding = kHuge})(image); }, "padding (46116860"},
      {[&] { In<ConvTranspose2d>(3, 2, 3)(image); }, "x of shape (1, 2, 4, 4) and weight"},
      {[&] { In<MaxPool2d>(2)(x); }, "[max_pool2d] x of shape (2, 3): expected (N, C, H, W)"},
      {[&] { In<MaxPool2d>(-2)(image); }, "kernel (-2, -2)"},
      {[&] { In<AvgPool2d>(9)(image); }, "does not fit"},
      {[&] { In<AdaptiveAvgPool2d>{kHuge}(image); }, "[adaptive_avg_pool2d] an image of 4 × 4"},
      {[&] { In<Upsample>(InterpolateOptions{.scale_factor = kNaN})(image); }, "size nan"},
      {[&] { In<Flatten>(0, 9)(x); }, "[flatten] dimension 9"},
      {[&] {
         In<Unflatten>(1, Shape{2, 2})(x);
       },
       "shape (2, 3) has 6 elements, (2, 2, 2) has 8"},
      {[&] { In<Softmax>(5)(x); }, "[softmax] dimension 5"},
      {[&] { In<Softplus>{kNaN}(x); }, "[softplus] beta is nan"},
      {[&] { In<GLU>()(x); }, "[glu] shape (2, 3)"},
      {[&] { In<Identity>()(none); }, "[module] Identity was called with an undefined tensor"},
      {[&] { In<LearnedPositions>(1, 3)(x); }, "2 tokens from position 0 end at 2"},
      {[&] { In<RotaryEmbedding>(4)(x); }, "[rotary_embedding] x (2, 3)"},
      {[&] {
         In<GroupedQueryAttention>(8, 4, 2)(randn({2, 3, 7}));
       },
       "x (2, 3, 7)"},
      {[&] { In<AttentionGate>(2, 2, 2)(image, x); }, "x (1, 2, 4, 4) and g (2, 3)"},
      {[&] {
         In<MSELoss>()(x, randn({3, 2}));
       },
       "input of shape (2, 3) and target of shape (3, 2)"},
      {[&] { In<CrossEntropyLoss>()(x, index); },
       "targets of shape (3,) for logits of shape (2, 3)"},
      {[&] { In<BCELoss>()(x * 10 + 9, x); }, "which is not a probability"},
      {[&] { In<CosineEmbeddingLoss>{kNaN}(x, x, ones({2})); }, "margin is nan"},
  });
}

TEST_CASE("misuse: masks and batches of attention") {
  struct Attention : Layer<Attention> {
    MultiheadAttention attn{6, 2};
    Attention() { register_module("attn", attn); }
    Tensor forward(const Arg& q, const Tensor& k, const AttentionOptions& options) {
      return attn(q, k, k, options);
    }
  } model;
  const Tensor q = randn({4, 2, 6}), k = randn({5, 2, 6});
  const auto with = [&](const AttentionOptions& options) {
    return [&, options] { model(q, k, options); };
  };
  check_all({
      {[&] {
         model(randn({4, 2, 5}), k, AttentionOptions{});
       },
       "query (4, 2, 5), key (5, 2, 6)"},
      {[&] {
         model(q, randn({5, 3, 6}), AttentionOptions{});
       },
       "one size of the batch"},
      {[&] { model(Tensor(), k, AttentionOptions{}); }, "called with an undefined tensor"},
      {[&] { model(q, Tensor(), AttentionOptions{}); }, "(in attn)"},
      {with({.key_padding_mask = zeros({2, 4}, boolean)}), "expected (batch, keys) = (2, 5)"},
      {with({.key_padding_mask = zeros({2, 5}, i64)}), "key_padding_mask of i64"},
      {with({.attn_mask = zeros({5, 4})}), "expected (queries, keys) = (4, 5)"},
      {with({.attn_mask = zeros({4, 5}, f64)}), "attn_mask of f64"},
      {with({.is_causal = true}), "as many queries as keys, not 4 and 5"},
      {with({.is_causal = true}), "(in attn)"},
  });
}

TEST_CASE("misuse: ops give their name if a tensor is undefined or impossible") {
  const Tensor none, x = zeros({2, 2});
  check_all({
      {[&] { x + none; }, "[add] an undefined tensor was given"},
      {[&] { none / 2; }, "[div] an undefined tensor was given"},
      {[&] { exp(none); }, "[exp] an undefined tensor was given"},
      {[&] { static_cast<void>(x > none); }, "[gt] an undefined tensor was given"},
      {[&] { matmul(x, none); }, "[matmul] an undefined tensor was given"},
      {[&] { linear(none, x, {}); }, "[linear] an undefined tensor was given"},
      {[&] { softmax(none, 0); }, "[softmax] an undefined tensor was given"},
      {[] {
         zeros({2, -1});
       },
       "[zeros] shape (2, -1) has a negative size"},
      {[] { full({-1}, 3); }, "[full] shape (-1,) has a negative size"},
      {[] { randn({-1}); }, "[randn] shape (-1,) has a negative size"},
      {[] { randint(0, 3, {-1}); }, "[randint] shape (-1,) has a negative size"},
  });
}

TEST_CASE("misuse: initialisers") {
  const Tensor none, whole = zeros({2, 2}, i64), x = zeros({2, 2});
  check_all({
      {[&] { uniform_(none); }, "[uniform_] an undefined tensor"},
      {[&] { zeros_(none); }, "[constant_] an undefined tensor"},
      {[&] { xavier_normal_(none); }, "an undefined tensor"},
      {[&] { normal_(whole); }, "[normal_] a tensor of i64"},
      {[&] { trunc_normal_(whole); }, "[trunc_normal_] a tensor of i64"},
      {[&] { orthogonal_(whole); }, "[orthogonal_] a tensor of i64"},
      {[&] { uniform_(x, -INFINITY, INFINITY); }, "[uniform_] bounds -inf and inf"},
      {[&] { uniform_(x, kNaN, 1); }, "[uniform_] bounds nan"},
      {[&] { normal_(x, kNaN); }, "[normal_] mean nan"},
  });
}

}  // namespace
}  // namespace tarsier
