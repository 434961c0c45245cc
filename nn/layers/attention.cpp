#include "nn/layers/attention.h"

#include <tuple>

#include "nn/init.h"
#include "nn/layers/heads.h"

namespace tarsier::nn {
namespace {

constexpr const char* kName = "multihead_attention";

/// embed_dim, after the checks of the constructor: they come before the first member is made.
int64_t checked_embed_dim(int64_t embed_dim, int64_t num_heads,
                          const MultiheadAttentionOptions& options) {
  check(embed_dim > 0 && num_heads > 0 && embed_dim % num_heads == 0, kName, "embed_dim ",
        embed_dim, " must be a positive multiple of num_heads ", num_heads);
  check(options.kdim.value_or(1) > 0 && options.vdim.value_or(1) > 0, kName, "kdim ",
        options.kdim.value_or(embed_dim), " and vdim ", options.vdim.value_or(embed_dim),
        " must be positive");
  check(options.dropout >= 0 && options.dropout <= 1, kName, "dropout ", options.dropout,
        " must be in [0, 1]");
  return embed_dim;
}

}  // namespace

MultiheadAttention::MultiheadAttention(int64_t embed_dim, int64_t num_heads,
                                       const MultiheadAttentionOptions& options)
    : out_proj(checked_embed_dim(embed_dim, num_heads, options), embed_dim, options.bias),
      embed_dim_(embed_dim),
      num_heads_(num_heads),
      options_(options) {
  const int64_t C = embed_dim, kdim = options.kdim.value_or(C), vdim = options.vdim.value_or(C);
  const auto add_weight = [&](const char* name, Tensor& member, const Shape& shape) {
    register_parameter(name, member, Tensor::empty(shape));
    xavier_uniform_(member);
  };
  if (kdim == C && vdim == C) {
    add_weight("in_proj_weight", in_proj_weight, {3 * C, C});
  } else {
    add_weight("q_proj_weight", q_proj_weight, {C, C});
    add_weight("k_proj_weight", k_proj_weight, {C, kdim});
    add_weight("v_proj_weight", v_proj_weight, {C, vdim});
  }
  register_parameter("in_proj_bias", in_proj_bias, options.bias ? zeros({3 * C}) : Tensor());
  if (options.add_bias_kv) {
    register_parameter("bias_k", bias_k, xavier_normal_(Tensor::empty({1, 1, C})));
    register_parameter("bias_v", bias_v, xavier_normal_(Tensor::empty({1, 1, C})));
  }
  register_module("out_proj", out_proj);
  if (options.bias) zeros_(out_proj.bias);
}

// ------------------------------------------------------------------------------- inputs and masks

/// Throws unless the inputs fit; returns B, H, T and S, which includes the keys of the cache.
MaskSizes MultiheadAttention::check_inputs(const Arg& query, const Arg& key, const Arg& value,
                                           const AttentionOptions& options) const {
  const auto check_all = [&](bool condition, const auto&... expected) {
    check(condition, kName, "query ", query.shape(), ", key ", key.shape(), ", value ",
          value.shape(), ": ", expected...);
  };
  const bool batched = query.dim() == 3;
  check_all((batched || query.dim() == 2) && key.dim() == query.dim() && value.dim() == query.dim(),
            "expected ", options_.batch_first ? "(batch, time, width)" : "(time, batch, width)",
            " for all, or (time, width) for all");
  const int64_t kdim = options_.kdim.value_or(embed_dim_);
  const int64_t vdim = options_.vdim.value_or(embed_dim_);
  check_all(query.size(-1) == embed_dim_ && key.size(-1) == kdim && value.size(-1) == vdim,
            "expected widths (the last sizes) ", embed_dim_, ", ", kdim, " and ", vdim);
  const int time = batched && options_.batch_first ? 1 : 0;
  const auto batch = [&](const Tensor& x) { return batched ? x.size(1 - time) : 1; };
  check_all(batch(query) == batch(key) && batch(query) == batch(value),
            "expected one size of the batch, not ", batch(query), ", ", batch(key), " and ",
            batch(value));
  check_all(key.size(time) == value.size(time), "expected one time of key and value, not ",
            key.size(time), " and ", value.size(time));
  check_all(!options.is_causal || query.size(time) == key.size(time),
            "is_causal needs as many queries as keys, not ", query.size(time), " and ",
            key.size(time), ": use attn_mask to say which sees which");

  int64_t keys = key.size(time);
  if (options.cache != nullptr) {
    check_all(query.impl() == key.impl() && query.impl() == value.impl(),
              "a cache is for self-attention, where all three are the same tensor; "
              "a memory_cache for cross-attention");
    check(options.memory_cache == nullptr, kName,
          "cache and memory_cache exclude each other: give one");
    keys += options.cache->length();
  }
  check((options.cache == nullptr && options.memory_cache == nullptr) || !grad_enabled(), kName,
        "a cache has no gradients, but they are being recorded: decode under a NoGrad guard");
  return {batch(query), num_heads_, query.size(time), keys, batched};
}

/// The mask of scaled_dot_product_attention, with columns for the extra keys. If there are extra
/// keys it includes is_causal: they come after all others, but every query sees them.
Tensor MultiheadAttention::full_mask(const MaskSizes& n, const AttentionOptions& options,
                                     DType dtype) const {
  std::vector<Tensor> masks = given_masks(kName, options, n, dtype);
  if (const int64_t extra = extra_keys(); extra > 0) {
    if (options.is_causal) masks.push_back(triu_mask(n.queries, n.keys, n.keys - n.queries + 1));
    for (Tensor& mask : masks) mask = pad(mask, {0, extra});  // 0: not hidden
  }
  return combined_mask(masks, dtype);
}

// ---------------------------------------------------------------------------------------- forward

/// The maps `first` … `first + count − 1` (0, 1, 2: of query, key, value) of x, in one product, by
/// heads: each (B, H, T, D).
std::vector<Tensor> MultiheadAttention::in_proj(const Arg& x, int64_t first, int64_t count) const {
  const int64_t begin = first * embed_dim_, end = begin + count * embed_dim_;
  const auto rows = [&](const Tensor& packed) {
    return packed.defined() && count < 3 ? slice(packed, 0, begin, end) : packed;
  };
  const Tensor* separate[] = {&q_proj_weight, &k_proj_weight, &v_proj_weight};
  const QuantizedMatrix* quantized[] = {&q_proj_quantized, &k_proj_quantized, &v_proj_quantized};
  const bool packed = packs_in_proj();

  Tensor by_batch = x;
  if (x.dim() == 2)
    by_batch = unsqueeze(x, 0);
  else if (!options_.batch_first)
    by_batch = transpose(x, 0, 1);
  const Tensor y = multiplied(
      *this, by_batch, packed ? rows(in_proj_weight) : *separate[first],
      in_proj_quantized.defined() ? in_proj_quantized.row_range(begin, end) : *quantized[first],
      rows(in_proj_bias));
  std::vector<Tensor> maps = count == 1 ? std::vector<Tensor>{y} : chunk(y, count, -1);
  for (Tensor& map : maps) map = split_heads(map, num_heads_);
  return maps;
}

/// q, k and v by heads, in as few products as there are different inputs.
std::vector<Tensor> MultiheadAttention::project(const Arg& query, const Arg& key,
                                                const Arg& value) const {
  const bool one_memory = packs_in_proj() && key.impl() == value.impl();
  if (one_memory && query.impl() == key.impl()) return in_proj(query, 0, 3);
  const Tensor q = in_proj(query, 0, 1)[0];
  if (one_memory) {
    const std::vector<Tensor> kv = in_proj(key, 1, 2);
    return {q, kv[0], kv[1]};
  }
  return {q, in_proj(key, 1, 1)[0], in_proj(value, 2, 1)[0]};
}

/// The same, but key and value are projected only in the first call.
std::vector<Tensor> MultiheadAttention::project_once(const Arg& query, const Arg& key,
                                                     const Arg& value,
                                                     KVCache& memory_cache) const {
  if (memory_cache.length() == 0) {
    const std::vector<Tensor> qkv = project(query, key, value);
    memory_cache.append(qkv[1], qkv[2]);
    return qkv;
  }
  const Tensor q = in_proj(query, 0, 1)[0];
  const auto [k, v] = memory_cache.all();
  const int64_t S = key.dim() == 3 && options_.batch_first ? key.size(1) : key.size(0);
  check(k.size(0) == q.size(0) && k.size(2) == S && k.dtype() == q.dtype(), kName, "key ",
        key.shape(), ", but memory_cache holds ", k.size(2), " keys for a batch of ", k.size(0),
        " in ", k.dtype(), ": clear() it before using another memory");
  return {q, k, v};
}

/// Keys or values x (B, H, S, D), followed by those of add_bias_kv and add_zero_attn.
Tensor MultiheadAttention::with_extra_key(const Tensor& x, const Tensor& bias) const {
  if (extra_keys() == 0) return x;
  const Shape one{x.size(0), num_heads_, 1, x.size(3)};
  std::vector<Tensor> parts = {x};
  if (bias.defined()) parts.push_back(expand(reshape(bias, {1, num_heads_, 1, x.size(3)}), one));
  if (options_.add_zero_attn) parts.push_back(zeros(one, x.dtype()));
  return cat(parts, 2);
}

/// The checked inputs of attention.
struct MultiheadAttention::Scene {
  Tensor q;     ///< (B, H, T, D)
  Tensor k, v;  ///< (B, H, S, D)
  Tensor mask;
  bool is_causal;  ///< in addition to the mask; the queries are at the last keys
  bool batched;    ///< whether the inputs have a batch dimension
};

MultiheadAttention::Scene MultiheadAttention::prepare(const Arg& query, const Arg& key,
                                                      const Arg& value,
                                                      const AttentionOptions& options) const {
  const MaskSizes sizes = check_inputs(query, key, value, options);
  const Tensor mask = full_mask(sizes, options, query.dtype());
  const std::vector<Tensor> qkv = options.memory_cache != nullptr
                                      ? project_once(query, key, value, *options.memory_cache)
                                      : project(query, key, value);
  Tensor k = qkv[1], v = qkv[2];
  if (options.cache != nullptr) std::tie(k, v) = options.cache->append(k, v);
  return {.q = qkv[0],
          .k = with_extra_key(k, bias_k),
          .v = with_extra_key(v, bias_v),
          .mask = mask,
          .is_causal = options.is_causal && extra_keys() == 0,
          .batched = sizes.batched};
}

/// softmax(q · kᵀ / √D + mask) · values.
Tensor MultiheadAttention::attend(const Scene& s, const Tensor& values) const {
  const double dropout_p = is_training() ? options_.dropout : 0;
  if (s.is_causal) {
    const AttentionWindow causal{.right = 0, .offset = s.k.size(2) - s.q.size(2)};
    return local_attention(s.q, s.k, values, causal, s.mask, dropout_p);
  }
  return scaled_dot_product_attention(s.q, s.k, values, s.mask, dropout_p);
}

/// (B, H, T, D) → (B, T, C), through out_proj, to the layout of the inputs.
Tensor MultiheadAttention::join_heads(const Tensor& heads, bool batched) {
  const Tensor output = out_proj(nn::join_heads(heads));
  if (!batched) return squeeze(output, 0);
  return options_.batch_first ? output : transpose(output, 0, 1);
}

Tensor MultiheadAttention::operator()(const Arg& query, const Arg& key, const Arg& value,
                                      const AttentionOptions& options) {
  return called([&](const Arg& q, const Arg& k, const Arg& v) { return forward(q, k, v, options); },
                query, key, value);
}

Tensor MultiheadAttention::operator()(const Arg& x, const AttentionOptions& options) {
  return called([&](const Arg& y) { return forward(y, options); }, x);
}

Tensor MultiheadAttention::forward(const Arg& query, const Arg& key, const Arg& value,
                                   const AttentionOptions& options) {
  const CallScope here(query.at);
  const Scene scene = prepare(query, key, value, options);
  return join_heads(attend(scene, scene.v), scene.batched);
}

AttentionResult MultiheadAttention::with_weights(const Arg& query, const Arg& key, const Arg& value,
                                                 const AttentionOptions& options,
                                                 bool average_weights) {
  return scoped([&]() -> AttentionResult {
    const CallScope here(query.at);
    const Scene scene = prepare(query, key, value, options);
    // Attention returns weights · v: with the identity as v, the weights.
    const Tensor by_head = attend(scene, eye(scene.k.size(2), scene.k.dtype()));
    const Tensor output = join_heads(matmul(by_head, scene.v), scene.batched);
    const Tensor weights = average_weights ? mean(by_head, 1) : by_head;
    return {output, scene.batched ? weights : squeeze(weights, 0)};
  });
}

std::vector<QuantizableMatrix> MultiheadAttention::matrices() {
  if (packs_in_proj()) return {{"in_proj_weight", &in_proj_weight, &in_proj_quantized}};
  return {{"q_proj_weight", &q_proj_weight, &q_proj_quantized},
          {"k_proj_weight", &k_proj_weight, &k_proj_quantized},
          {"v_proj_weight", &v_proj_weight, &v_proj_quantized}};
}

std::string MultiheadAttention::extra_repr() const {
  std::string text = concat("embed_dim=", embed_dim_, ", num_heads=", num_heads_);
  if (options_.dropout > 0) text += concat(", dropout=", options_.dropout);
  if (!options_.bias) text += ", bias=false";
  if (options_.add_bias_kv) text += ", add_bias_kv=true";
  if (options_.add_zero_attn) text += ", add_zero_attn=true";
  if (options_.kdim) text += concat(", kdim=", *options_.kdim);
  if (options_.vdim) text += concat(", vdim=", *options_.vdim);
  if (options_.batch_first) text += ", batch_first=true";
  if (in_proj_quantized.defined() || q_proj_quantized.defined()) text += ", weights=int8";
  return text;
}

}  // namespace tarsier::nn
