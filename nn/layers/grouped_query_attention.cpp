#include "nn/layers/grouped_query_attention.h"

#include <tuple>
#include <vector>

#include "nn/layers/heads.h"

namespace tarsier::nn {
namespace {

constexpr const char* kName = "grouped_query_attention";

/// The size of a head, after the checks of the constructor, which run before the first member is
/// initialised.
int64_t checked_head_dim(int64_t embed_dim, int64_t num_heads, int64_t num_kv_heads,
                         const GroupedQueryAttentionOptions& options) {
  check(embed_dim > 0 && num_heads > 0, kName, "embed_dim ", embed_dim, " and num_heads ",
        num_heads, " must be positive");
  check(num_kv_heads > 0 && num_heads % num_kv_heads == 0, kName, "num_heads ", num_heads,
        " must be a multiple of num_kv_heads ", num_kv_heads,
        ": every key head serves equally many query heads");
  check(options.head_dim || embed_dim % num_heads == 0, kName, "embed_dim ", embed_dim,
        " must be a multiple of num_heads ", num_heads, ", unless head_dim is given");
  const int64_t head_dim = options.head_dim.value_or(embed_dim / num_heads);
  check(head_dim > 0, kName, "head_dim ", head_dim, " must be positive");
  check(options.dropout >= 0 && options.dropout <= 1, kName, "dropout ", options.dropout,
        " must be in [0, 1]");
  check(options.window.value_or(1) > 0, kName, "window ", options.window.value_or(1),
        " must be positive: with 1 a query sees only itself");
  return head_dim;
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

/// All masks as the one of scaled_dot_product_attention, broadcasting to (B, Hkv, G, T, S).
Tensor GroupedQueryAttention::full_mask(const AttentionOptions& call, const MaskSizes& n,
                                        DType dtype) const {
  std::vector<Tensor> masks = given_masks(kName, call, n, dtype);
  if (options.position == PositionKind::alibi)
    masks.push_back(
        unsqueeze(alibi_bias(n.heads, n.queries, n.keys, n.keys - n.queries, dtype), 0));
  for (Tensor& mask : masks) {  // (·, H or 1, ·, ·) → (·, Hkv or 1, G or 1, ·, ·)
    if (mask.dim() == 2) continue;
    const bool by_head = mask.size(1) == n.heads;
    mask = reshape(mask, {mask.size(0), by_head ? num_kv_heads : 1,
                          by_head ? n.heads / num_kv_heads : 1, mask.size(2), mask.size(3)});
  }
  return combined_mask(masks, dtype);
}

Tensor GroupedQueryAttention::operator()(const Arg& x, const AttentionOptions& call) {
  return called([&](const Arg& y) { return forward(y, call); }, x);
}

Tensor GroupedQueryAttention::forward(const Arg& x, const AttentionOptions& call) {
  const CallScope here(x.at);
  check(x.dim() == 3 && x.size(2) == embed_dim, kName, "x ", x.shape(), ": expected (batch, time, ",
        embed_dim, ")");
  check(call.memory_cache == nullptr, kName, "a memory_cache is for cross-attention");
  const int64_t B = x.size(0), T = x.size(1), H = num_heads, Hkv = num_kv_heads;
  const int64_t offset = call.cache != nullptr ? call.cache->length() : 0;
  const Tensor mask = full_mask(call, {B, H, T, offset + T}, x.dtype());

  Tensor q = split_heads(q_proj(x), H), k = split_heads(k_proj(x), Hkv),
         v = split_heads(v_proj(x), Hkv);
  if (rotary_) {
    q = (*rotary_)(q, offset);
    k = (*rotary_)(k, offset);
  }
  if (call.cache != nullptr) std::tie(k, v) = call.cache->append(k, v);

  // Every key head is expanded over its group of query heads, without copies.
  q = reshape(q, {B, Hkv, H / Hkv, T, head_dim});
  k = unsqueeze(k, 2);
  v = unsqueeze(v, 2);
  const double dropout_p = is_training() ? options.dropout : 0;
  Tensor y;
  if (call.is_causal || options.window) {
    const int64_t reach = options.window ? *options.window - 1 : AttentionWindow::kUnlimited;
    const AttentionWindow window{
        .left = reach, .right = call.is_causal ? 0 : reach, .offset = offset};
    y = local_attention(q, k, v, window, mask, dropout_p);
  } else {
    y = scaled_dot_product_attention(q, k, v, mask, dropout_p);
  }
  return o_proj(join_heads(flatten(y, 1, 2)));
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

// ---- LocalAttention

namespace {

GroupedQueryAttentionOptions with_window(GroupedQueryAttentionOptions options, int64_t window) {
  options.window = window;
  return options;
}

}  // namespace

LocalAttention::LocalAttention(int64_t embed_dim, int64_t num_heads, int64_t window,
                               const GroupedQueryAttentionOptions& options)
    : GroupedQueryAttention(embed_dim, num_heads, num_heads, with_window(options, window)) {}

std::string LocalAttention::type_name() const { return "LocalAttention"; }

}  // namespace tarsier::nn
