#include "nn/grouped_query_attention.h"

#include <limits>
#include <tuple>
#include <vector>

namespace tarsier::nn {
namespace {

constexpr const char* kName = "grouped_query_attention";

/// The size of a head, after the checks of the constructor: they come before the first member is
/// made.
int64_t checked_head_dim(int64_t embed_dim, int64_t num_heads, int64_t num_kv_heads,
                         const GroupedQueryAttentionOptions& options) {
  check(embed_dim > 0 && num_heads > 0, kName, "embed_dim ", embed_dim, " and num_heads ",
        num_heads, " must be positive");
  check(num_kv_heads > 0 && num_heads % num_kv_heads == 0, kName, "num_heads ", num_heads,
        " must be a multiple of num_kv_heads ", num_kv_heads,
        ": every key head serves equally many query heads");
  check(options.head_dim || embed_dim % num_heads == 0, kName, "embed_dim ", embed_dim,
        " must be a multiple of num_heads ", num_heads, ", or head_dim be given");
  const int64_t head_dim = options.head_dim.value_or(embed_dim / num_heads);
  check(head_dim > 0, kName, "head_dim ", head_dim, " must be positive");
  check(options.dropout >= 0 && options.dropout <= 1, kName, "dropout ", options.dropout,
        " must be in [0, 1]");
  check(options.window.value_or(1) > 0, kName, "window ", options.window.value_or(1),
        " must be positive: 1 is a query that sees itself alone");
  return head_dim;
}

/// A mask to be added to the scores: a bool one becomes −∞ where true.
Tensor additive(const Tensor& mask, DType dtype) {
  if (mask.dtype() != boolean) return mask;
  return masked_fill(zeros(mask.shape(), dtype), mask, -std::numeric_limits<double>::infinity());
}

}  // namespace

GroupedQueryAttention::GroupedQueryAttention(int64_t embed_dim, int64_t num_heads,
                                             int64_t num_kv_heads,
                                             const GroupedQueryAttentionOptions& options)
    : embed_dim(embed_dim),
      num_heads(num_heads),
      num_kv_heads(num_kv_heads),
      head_dim(checked_head_dim(embed_dim, num_heads, num_kv_heads, options)),
      options(options),
      q_proj(embed_dim, num_heads * head_dim, options.bias),
      k_proj(embed_dim, num_kv_heads * head_dim, options.bias),
      v_proj(embed_dim, num_kv_heads * head_dim, options.bias),
      o_proj(num_heads * head_dim, embed_dim, options.bias) {
  register_module("q_proj", q_proj);
  register_module("k_proj", k_proj);
  register_module("v_proj", v_proj);
  register_module("o_proj", o_proj);
  if (options.position == PositionKind::rotary)
    register_module("rotary", rotary_.emplace(head_dim, options.rotary));
}

/// All masks as the one of scaled_dot_product_attention: bool (true: may look) or floating,
/// broadcasting to (B, Hkv, G, T, S); undefined where there is none.
Tensor GroupedQueryAttention::combined_mask(const AttentionOptions& call, int64_t B, int64_t T,
                                            int64_t offset, DType dtype) const {
  const int64_t S = offset + T, H = num_heads, Hkv = num_kv_heads;
  std::vector<Tensor> masks;
  const auto add = [&](const char* name, const Tensor& mask, const Shape& shape) {
    check(mask.dtype() == boolean || mask.dtype() == dtype, kName, name, " of ", mask.dtype(),
          ": expected bool (true: may not look), or ", dtype, " to add to the scores");
    masks.push_back(reshape(mask, shape));
  };
  if (const Tensor& mask = call.key_padding_mask; mask.defined()) {
    check(mask.shape() == Shape{B, S}, kName, "key_padding_mask of shape ", mask.shape(),
          ": expected (batch, keys) = ", Shape{B, S});
    add("key_padding_mask", mask, {B, 1, 1, 1, S});
  }
  if (const Tensor& mask = call.attn_mask; mask.defined()) {
    const Shape for_all{T, S}, by_head{B * H, T, S};
    check(mask.shape() == for_all || mask.shape() == by_head, kName, "attn_mask of shape ",
          mask.shape(), ": expected (queries, keys) = ", for_all,
          ", or (batch · heads, queries, keys) = ", by_head);
    add("attn_mask", mask, mask.dim() == 2 ? for_all : Shape{B, Hkv, H / Hkv, T, S});
  }
  if (options.position == PositionKind::alibi)
    add("alibi", alibi_bias(H, T, S, offset, dtype), {Hkv, H / Hkv, T, S});

  Tensor hidden;
  for (const Tensor& mask : masks) {
    if (!hidden.defined())
      hidden = mask;
    else if (hidden.dtype() == boolean && mask.dtype() == boolean)
      hidden = hidden || mask;
    else
      hidden = additive(hidden, dtype) + additive(mask, dtype);
  }
  return hidden.defined() && hidden.dtype() == boolean ? !hidden : hidden;
}

Tensor GroupedQueryAttention::forward(const Arg& x, const AttentionOptions& call) {
  check(x.dim() == 3 && x.size(2) == embed_dim, kName, "x ", x.shape(), ": expected (batch, time, ",
        embed_dim, ")");
  const int64_t B = x.size(0), T = x.size(1), H = num_heads, Hkv = num_kv_heads;
  const int64_t offset = call.cache != nullptr ? call.cache->length() : 0;
  const Tensor mask = combined_mask(call, B, T, offset, x.dtype());

  const auto by_heads = [&](const Tensor& y, int64_t heads) {  // (B, T, ·) → (B, heads, T, D)
    return transpose(reshape(y, {B, T, heads, head_dim}), 1, 2);
  };
  Tensor q = by_heads(q_proj(x), H), k = by_heads(k_proj(x), Hkv), v = by_heads(v_proj(x), Hkv);
  if (rotary_) {
    q = (*rotary_)(q, offset);
    k = (*rotary_)(k, offset);
  }
  if (call.cache != nullptr) std::tie(k, v) = call.cache->append(k, v);

  // Every key head stands before its group of queries, and is stretched over them: no copies.
  q = reshape(q, {B, Hkv, H / Hkv, T, head_dim});
  k = unsqueeze(k, 2);
  v = unsqueeze(v, 2);
  const double dropout_p = is_training() ? options.dropout : 0;
  Tensor y;
  if (call.is_causal || options.window) {
    const int64_t reach = options.window ? *options.window - 1 : AttentionWindow::kUnlimited;
    const AttentionWindow window{
        .left = reach, .right = call.is_causal ? 0 : reach, .offset = offset};
    y = local_attention(Arg(q, x.at), k, v, window, mask, dropout_p);
  } else {
    y = scaled_dot_product_attention(Arg(q, x.at), k, v, mask, dropout_p);
  }
  return o_proj(Arg(reshape(permute(y, {0, 3, 1, 2, 4}), {B, T, H * head_dim}), x.at));
}

std::string GroupedQueryAttention::extra_repr() const {
  std::string text =
      concat("embed_dim=", embed_dim, ", num_heads=", num_heads, ", num_kv_heads=", num_kv_heads);
  if (head_dim * num_heads != embed_dim) text += concat(", head_dim=", head_dim);
  if (options.window) text += concat(", window=", *options.window);
  if (options.position != PositionKind::none)
    text += concat(", position=", position_name(options.position));
  if (options.dropout > 0) text += concat(", dropout=", options.dropout);
  return text;
}

}  // namespace tarsier::nn
