#include "nn/attention.h"

#include <limits>

namespace tarsier::nn {
namespace {

constexpr const char* kName = "multihead_attention";

/// A mask to be added to the scores: a bool one becomes −∞ where true.
Tensor additive(const Tensor& mask, DType dtype) {
  if (mask.dtype() != boolean) return mask;
  return masked_fill(zeros(mask.shape(), dtype), mask, -std::numeric_limits<double>::infinity());
}

}  // namespace

MultiheadAttention::MultiheadAttention(int64_t embed_dim, int64_t num_heads,
                                       const MultiheadAttentionOptions& options)
    : out_proj(embed_dim, embed_dim, options.bias),
      embed_dim_(embed_dim),
      num_heads_(num_heads),
      options_(options) {
  check(num_heads > 0 && embed_dim % num_heads == 0, kName, "embed_dim ", embed_dim,
        " must be a multiple of num_heads ", num_heads);
  check(options.dropout >= 0 && options.dropout <= 1, kName, "dropout ", options.dropout,
        " must be in [0, 1]");
  register_parameter("in_proj_weight", in_proj_weight, Tensor::empty({3 * embed_dim, embed_dim}));
  register_parameter("in_proj_bias", in_proj_bias,
                     options.bias ? zeros({3 * embed_dim}) : Tensor());
  register_module("out_proj", out_proj);
  xavier_uniform_(in_proj_weight);
  if (options.bias) zeros_(out_proj.bias);
}

/// The maps `first` … `first + count − 1` of query, key and value, side by side: (B, T, count·C).
Tensor MultiheadAttention::in_proj(const Arg& x, int64_t first, int64_t count) const {
  if (count == 3) return linear(x, in_proj_weight, in_proj_bias);
  const int64_t begin = first * embed_dim_, end = begin + count * embed_dim_;
  return linear(x, slice(in_proj_weight, 0, begin, end),
                in_proj_bias.defined() ? slice(in_proj_bias, 0, begin, end) : Tensor());
}

/// (B, T, C) → (B, H, T, D), a view.
Tensor MultiheadAttention::split_heads(const Tensor& x) const {
  return transpose(reshape(x, {x.size(0), x.size(1), num_heads_, embed_dim_ / num_heads_}), 1, 2);
}

MultiheadAttention::Heads MultiheadAttention::project(const Arg& query, const Arg& key,
                                                      const Arg& value) const {
  for (const Arg* x : {&query, &key, &value})
    check(x->dim() == 3 && x->size(-1) == embed_dim_, kName, "query ", query.shape(), ", key ",
          key.shape(), ", value ", value.shape(), ": each must be ",
          options_.batch_first ? "(batch, time, " : "(time, batch, ", embed_dim_, ")");
  const int batch = options_.batch_first ? 0 : 1;
  check(key.shape() == value.shape() && query.size(batch) == key.size(batch), kName, "query ",
        query.shape(), ", key ", key.shape(), ", value ", value.shape(),
        ": key and value must have the same shape, and all the same batch");

  const auto batch_first = [&](const Arg& x) -> Arg {
    return options_.batch_first ? x : Arg(transpose(x, 0, 1), x.at);
  };
  // One product for all maps of the same input.
  if (query.impl() == key.impl() && key.impl() == value.impl()) {
    const std::vector<Tensor> qkv = chunk(in_proj(batch_first(query), 0, 3), 3, -1);
    return {split_heads(qkv[0]), split_heads(qkv[1]), split_heads(qkv[2])};
  }
  const Tensor q = split_heads(in_proj(batch_first(query), 0, 1));
  if (key.impl() == value.impl()) {
    const std::vector<Tensor> kv = chunk(in_proj(batch_first(key), 1, 2), 2, -1);
    return {q, split_heads(kv[0]), split_heads(kv[1])};
  }
  return {q, split_heads(in_proj(batch_first(key), 1, 1)),
          split_heads(in_proj(batch_first(value), 2, 1))};
}

/// The two masks as the one of scaled_dot_product_attention: bool (true: may look) or floating,
/// broadcasting to (B, H, T, S); undefined where there is none.
Tensor MultiheadAttention::combined_mask(const Heads& heads,
                                         const AttentionOptions& options) const {
  const int64_t B = heads.q.size(0), T = heads.q.size(2), S = heads.k.size(2);
  const DType dtype = heads.q.dtype();
  Tensor padding = options.key_padding_mask, attention = options.attn_mask;
  if (padding.defined()) {
    check(padding.shape() == Shape{B, S}, kName, "key_padding_mask of shape ", padding.shape(),
          ": expected (batch, keys) = ", Shape{B, S});
    padding = reshape(padding, {B, 1, 1, S});
  }
  if (attention.defined()) {
    const Shape by_head{B * num_heads_, T, S};
    const bool all_heads = attention.shape() == by_head;
    check(all_heads || attention.shape() == Shape{T, S}, kName, "attn_mask of shape ",
          attention.shape(), ": expected (queries, keys) = ", Shape{T, S}, ", or ", by_head);
    if (all_heads) attention = reshape(attention, {B, num_heads_, T, S});
  }
  for (const Tensor& mask : {padding, attention})
    check(!mask.defined() || mask.dtype() == boolean || mask.dtype() == dtype, kName, "mask of ",
          mask.defined() ? mask.dtype() : dtype, ": expected bool or ", dtype);

  if (!padding.defined() && !attention.defined()) return {};
  if (!padding.defined() || !attention.defined()) {
    const Tensor& mask = padding.defined() ? padding : attention;
    return mask.dtype() == boolean ? !mask : mask;
  }
  if (padding.dtype() == boolean && attention.dtype() == boolean) return !(padding || attention);
  return additive(padding, dtype) + additive(attention, dtype);
}

/// (B, H, T, D) → (B, T, C), through out_proj, to the layout of the inputs.
Tensor MultiheadAttention::join_heads(const Arg& heads) {
  const Tensor rows = transpose(heads, 1, 2);
  const Tensor joined = reshape(rows, {rows.size(0), rows.size(1), embed_dim_});
  const Tensor output = out_proj(Arg(joined, heads.at));
  return options_.batch_first ? output : transpose(output, 0, 1);
}

Tensor MultiheadAttention::forward(const Arg& query, const Arg& key, const Arg& value,
                                   const AttentionOptions& options) {
  const Heads h = project(query, key, value);
  const Tensor mask = combined_mask(h, options);
  const Tensor heads = scaled_dot_product_attention(Arg(h.q, query.at), h.k, h.v, mask, dropout_p(),
                                                    options.is_causal);
  return join_heads(Arg(heads, query.at));
}

AttentionResult MultiheadAttention::with_weights(const Arg& query, const Arg& key, const Arg& value,
                                                 const AttentionOptions& options,
                                                 bool average_weights) {
  return scoped([&]() -> AttentionResult {
    const Heads h = project(query, key, value);
    // Attention gives weights · v; with the identity for v it gives the weights.
    const Tensor identity = eye(h.k.size(2), h.k.dtype());
    const Tensor weights =
        scaled_dot_product_attention(Arg(h.q, query.at), h.k, identity, combined_mask(h, options),
                                     dropout_p(), options.is_causal);
    const Tensor output = join_heads(Arg(matmul(weights, h.v), query.at));
    return {output, average_weights ? mean(weights, 1) : weights};
  });
}

std::string MultiheadAttention::extra_repr() const {
  std::string text = concat("embed_dim=", embed_dim_, ", num_heads=", num_heads_);
  if (options_.dropout > 0) text += concat(", dropout=", options_.dropout);
  if (options_.batch_first) text += ", batch_first=true";
  return text;
}

}  // namespace tarsier::nn
