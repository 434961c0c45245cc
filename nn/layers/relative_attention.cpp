#include "nn/layers/relative_attention.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

#include "nn/init.h"
#include "nn/layers/heads.h"

namespace tarsier::nn {
namespace {

constexpr const char* kName = "relative_attention";

/// The sizes, checked before the first member is initialised.
int64_t checked_heads(int64_t embed_dim, int64_t num_heads,
                      const RelativeAttentionOptions& options) {
  check(embed_dim > 0 && num_heads > 0 && embed_dim % num_heads == 0, kName, "embed_dim ",
        embed_dim, " must be a positive multiple of num_heads ", num_heads);
  check(options.max_distance > 0, kName, "max_distance ", options.max_distance,
        " must be positive: with 1 all distances are the same");
  check(options.dropout >= 0 && options.dropout <= 1, kName, "dropout ", options.dropout,
        " must be in [0, 1]");
  return num_heads;
}

}  // namespace

Tensor relative_scores(const Arg& q, const Tensor& relative, int64_t keys) {
  check(q.dim() == 4 && relative.dim() == 3 && relative.size(0) == q.size(1) &&
            relative.size(2) == q.size(3) && keys >= q.size(2),
        kName, "queries ", q.shape(), " with vectors of distances ", relative.shape(), " and ",
        keys, " keys: expected (B, H, T, D), (H, L, D) and at least T keys");
  const int64_t B = q.size(0), H = q.size(1), T = q.size(2);
  std::vector<int64_t> distance;  // of each column of R: K, K − 1, …, 0
  for (int64_t d = keys; d >= 0; --d) distance.push_back(std::min(d, relative.size(1) - 1));
  const Tensor r = index_select(relative, 1, from_vector(distance, {keys + 1}));
  const Tensor rows = flatten(matmul(q, transpose(r, 1, 2)), 2, 3);
  return reshape(slice(rows, 2, T), {B, H, T, keys});
}

RelativeAttention::RelativeAttention(int64_t embed_dim, int64_t num_heads,
                                     const RelativeAttentionOptions& options)
    : embed_dim(embed_dim),
      num_heads(checked_heads(embed_dim, num_heads, options)),
      options(options),
      in_proj(embed_dim, 3 * embed_dim, options.bias),
      out_proj(embed_dim, embed_dim, options.bias) {
  register_module("in_proj", in_proj);
  register_module("out_proj", out_proj);
  register_parameter("relative", relative,
                     Tensor::empty({num_heads, options.max_distance, embed_dim / num_heads}));
  normal_(relative, 0, 0.02);
}

RelativeAttention::Heads RelativeAttention::heads(const Arg& x) {
  check(x.dim() == 3 && x.size(2) == embed_dim, kName, "x ", x.shape(), ": expected (batch, time, ",
        embed_dim, ")");
  const std::vector<Tensor> qkv = chunk(in_proj(x), 3, 2);
  return {split_heads(qkv[0], num_heads), split_heads(qkv[1], num_heads),
          split_heads(qkv[2], num_heads)};
}

Tensor RelativeAttention::weights_of(const Tensor& queries, const Tensor& k) {
  const int64_t T = queries.size(2), K = k.size(2);
  const Tensor q = queries * (1 / std::sqrt(static_cast<double>(queries.size(3))));
  const Tensor scores = matmul(q, transpose(k, 2, 3)) + relative_scores(q, relative, K);
  return softmax(masked_fill(scores, triu_mask(T, K, K - T + 1), -INFINITY), -1);
}

Tensor RelativeAttention::operator()(const Arg& x, KVCache* cache) {
  return called([&](const Arg& y) { return forward(y, cache); }, x);
}

Tensor RelativeAttention::forward(const Arg& x, KVCache* cache) {
  const CallScope here(x.at);
  auto [q, k, v] = heads(x);
  if (cache != nullptr) std::tie(k, v) = cache->append(k, v);
  const Tensor seen = dropout(weights_of(q, k), options.dropout, is_training());
  return out_proj(join_heads(matmul(seen, v)));
}

Tensor RelativeAttention::weights(const Arg& x) {
  const CallScope here(x.at);
  const Heads all = heads(x);
  return weights_of(all.q, all.k);
}

std::string RelativeAttention::extra_repr() const {
  std::string text = concat("embed_dim=", embed_dim, ", num_heads=", num_heads,
                            ", max_distance=", options.max_distance);
  if (options.dropout > 0) text += concat(", dropout=", options.dropout);
  return text;
}

}  // namespace tarsier::nn
