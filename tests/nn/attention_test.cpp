// nn::MultiheadAttention compared with torch.nn.MultiheadAttention, and its invariants.
#include "nn/layers/attention.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "autograd/base/random.h"
#include "autograd/check/gradcheck.h"
#include "tests/nn/golden.h"

namespace tarsier {
namespace {

using Options = nn::MultiheadAttentionOptions;

/// The form of the masks of a case. The results must be the same.
enum class Masks {
  as_recorded,
  learnt,      ///< floating ones with gradients
  additive,    ///< bool ones as −∞
  causal_flag  ///< attn_mask is the causal mask: replaced by is_causal
};
enum class Weights { none, mean, by_head };

Tensor in_form(Masks form, const Tensor& mask, DType dtype) {
  if (mask.dtype() != boolean) return clone(mask).requires_grad_(form == Masks::learnt);
  if (form != Masks::additive) return mask;
  return masked_fill(zeros(mask.shape(), dtype), mask, -INFINITY);
}

void check_case(const std::string& name, const Options& options, DType dtype, Masks form,
                Weights weights) {
  CAPTURE(name);
  CAPTURE(dtype);
  CAPTURE(static_cast<int>(form));
  CAPTURE(static_cast<int>(weights));
  const TensorDict numbers = golden("attention.safetensors", name + ".", dtype);
  nn::MultiheadAttention layer(6, 2, options);
  layer.to(dtype);
  layer.load_state_dict(part(numbers, "state."));

  TensorDict in;  // x; query and memory; or query, key and value
  for (const char* input : {"x", "query", "memory", "key", "value"})
    if (const Tensor* x = numbers.find(input)) in.add(input, clone(*x).requires_grad_());
  const auto first_of = [&](const std::vector<std::string>& names) {
    for (const std::string& input : names)
      if (in.contains(input)) return in[input];
    return Tensor();
  };
  const Tensor query = first_of({"x", "query"}), key = first_of({"x", "memory", "key"}),
               value = first_of({"x", "memory", "value"});

  nn::AttentionOptions look{.is_causal = form == Masks::causal_flag};
  if (const Tensor* mask = numbers.find("key_padding_mask"))
    look.key_padding_mask = in_form(form, *mask, dtype);
  if (const Tensor* mask = numbers.find("attn_mask"); mask != nullptr && !look.is_causal)
    look.attn_mask = in_form(form, *mask, dtype);

  Tensor y;
  if (weights == Weights::none) {
    y = in.contains("x") ? layer(query, look) : layer(query, key, value, look);
  } else {
    const bool average = weights == Weights::mean;
    const nn::AttentionResult result = layer.with_weights(query, key, value, look, average);
    check_close("weights", result.weights, numbers[average ? "weights" : "weights_by_head"]);
    y = result.output;
  }
  check_close("y", y, numbers["y"]);

  y.backward(numbers["dy"]);
  for (const auto& [input, x] : in) check_close("d" + input, x.grad(), numbers["d" + input]);
  const TensorDict parameters = layer.named_parameters(), expected = part(numbers, "grad.");
  CHECK(parameters.size() == expected.size());
  for (const auto& [key, grad] : expected) check_close("d" + key, parameters[key].grad(), grad);
  if (form == Masks::learnt)
    for (const auto& [mask_name, mask] : {std::pair{"attn_mask", look.attn_mask},
                                          std::pair{"key_padding_mask", look.key_padding_mask}})
      if (mask.defined() && mask.requires_grad())
        check_close(mask_name, mask.grad(), numbers[std::string("d") + mask_name]);
}

TEST_CASE("multi-head attention computes what PyTorch's does, in every option") {
  const Options batch_first{.batch_first = true}, no_bias{.bias = false};
  const Options kdim_vdim{.kdim = 5, .vdim = 3};
  const Options bias_kv{.add_bias_kv = true}, extra{.add_bias_kv = true, .add_zero_attn = true};
  const std::vector<std::pair<std::string, Options>> cases = {
      {"self", {}},
      {"self_no_bias", no_bias},
      {"self_batch_first", batch_first},
      {"self_unbatched", {}},
      {"cross", {}},
      {"cross_batch_first", batch_first},
      {"cross_unbatched", batch_first},
      {"memory", {}},
      {"memory_no_bias", {.bias = false, .batch_first = true}},
      {"one_query", {}},
      {"one_key", {}},
      {"kdim_vdim", kdim_vdim},
      {"kdim", {.bias = false, .kdim = 7}},
      {"vdim", {.vdim = 1, .batch_first = true}},
      {"kdim_memory", {.kdim = 3, .vdim = 3}},
      {"kdim_unbatched", kdim_vdim},
      {"causal", {}},
      {"causal_padding", batch_first},
      {"padding", {}},
      {"padding_float", {}},
      {"mask", batch_first},
      {"mask_float", {}},
      {"mask_by_head", {}},
      {"mask_by_head_float", batch_first},
      {"both", {}},
      {"both_by_head", {}},
      {"both_float", {}},
      {"mask_float_padding", {}},
      {"mask_padding_float", {}},
      {"unbatched_both", {}},
      {"unbatched_mask_float", {}},
      {"blind_mask", {}},
      {"blind_padding", batch_first},
      {"blind_both", {}},
      {"blind_causal", {}},
      {"blind_unbatched", {}},
      {"bias_kv", bias_kv},
      {"bias_kv_masks", {.add_bias_kv = true, .batch_first = true}},
      {"bias_kv_kdim", {.add_bias_kv = true, .kdim = 5, .vdim = 3}},
      {"zero_attn", {.add_zero_attn = true, .batch_first = true}},
      {"zero_attn_float", {.add_zero_attn = true}},
      {"extra_causal", extra},
      {"extra_causal_padding", extra},
      {"extra_unbatched", extra}};
  size_t recorded = 0;
  for (const auto& [name, tensor] : golden_file("attention.safetensors"))
    recorded += name.ends_with(".dy");
  CHECK(cases.size() == recorded);

  for (const auto& [name, options] : cases)
    for (const DType dtype : {f64, f32})
      for (const Weights weights : {Weights::none, Weights::mean, Weights::by_head})
        for (const Masks form :
             {Masks::as_recorded, Masks::learnt, Masks::additive, Masks::causal_flag})
          if (form != Masks::causal_flag || name.find("causal") != name.npos)
            check_case(name, options, dtype, form, weights);
}

TEST_CASE("attention's parameters have PyTorch's names and order, and its initial values") {
  const auto names = [](const Options& options) {
    std::string text;
    for (const auto& [name, tensor] : nn::MultiheadAttention(6, 2, options).state_dict())
      text += (text.empty() ? "" : " ") + name;
    return text;
  };
  CHECK(names({}) == "in_proj_weight in_proj_bias out_proj.weight out_proj.bias");
  CHECK(names({.bias = false}) == "in_proj_weight out_proj.weight");
  CHECK(names({.kdim = 6, .vdim = 6}) == names({}));
  CHECK(names({.add_bias_kv = true, .kdim = 5}) ==
        "q_proj_weight k_proj_weight v_proj_weight in_proj_bias bias_k bias_v out_proj.weight "
        "out_proj.bias");

  const auto largest = [](const Tensor& x) { return max(abs(x)).item(); };
  const auto is_uniform = [&](const Tensor& x, double bound) {
    return largest(x) <= bound && largest(x) > 0.98 * bound;
  };
  const nn::MultiheadAttention packed(64, 4), split(64, 4, {.add_bias_kv = true, .kdim = 30});
  CHECK(is_uniform(packed.in_proj_weight, std::sqrt(6.0 / (64 + 3 * 64))));
  CHECK(is_uniform(split.q_proj_weight, std::sqrt(6.0 / (64 + 64))));
  CHECK(is_uniform(split.k_proj_weight, std::sqrt(6.0 / (30 + 64))));
  CHECK(is_uniform(split.v_proj_weight, std::sqrt(6.0 / (64 + 64))));
  CHECK(is_uniform(split.out_proj.weight, 1 / std::sqrt(64.0)));
  CHECK(largest(split.in_proj_bias) == 0);
  CHECK(largest(split.out_proj.bias) == 0);
  // Normal numbers of deviation √(2 / (64 + 64)) = 1/8, within five deviations of the estimate.
  for (const Tensor& bias : {split.bias_k, split.bias_v})
    CHECK(std::abs(norm(bias).item() / 8 - 1.0 / 8) < 5 * (1.0 / 8) / std::sqrt(2 * 64.0));
}

TEST_CASE("dropout acts on the attention weights, only in training") {
  nn::MultiheadAttention layer(8, 2, {.dropout = 0.25});
  layer.to(f64);
  const Tensor x = randn({30, 3, 8}, f64);
  const auto weights = [&] {
    manual_seed(7);
    return layer.with_weights(x, x, x, {}, false);
  };
  const nn::AttentionResult trained = weights();
  manual_seed(7);
  check_close("the fused kernel drops the same", layer(x), trained.output);
  CHECK_FALSE(allclose(layer(x), trained.output));  // the next call drops other weights
  layer.eval();
  const nn::AttentionResult whole = weights();
  CHECK(relative_error(layer(x), layer(x)) == 0);
  check_close("sums", sum(whole.weights, -1), ones({3, 2, 30}, f64));

  const Tensor kept = trained.weights != 0;
  check_close("kept", trained.weights, where(kept, whole.weights / 0.75, 0));
  // Binomial: 5400 weights, of which 4050 ± 32 stay; six deviations.
  CHECK(std::abs(sum(tarsier::to(kept, f64)).item() - 4050) < 192);
}

TEST_CASE("attention's gradients agree with differences, in every option") {
  const Tensor hidden = tensor({{0, 1, 0, 0}, {1, 1, 0, 0}, {0, 1, 1, 1}}) != 0;
  const auto check_gradients = [](const Options& options, const std::vector<Tensor>& inputs,
                                  const nn::AttentionOptions& look) {
    nn::MultiheadAttention layer(4, 2, options);
    layer.to(f64);
    std::vector<Tensor> all = layer.parameters();
    for (const Tensor& x : inputs) all.push_back(clone(x).requires_grad_());
    const size_t first = layer.parameters().size();
    gradcheck(
        [&](const std::vector<Tensor>& in) {
          manual_seed(11);
          return layer(in[first], in[first + 1], in[first + 2], look);
        },
        all);
  };
  const std::vector<Tensor> same = {randn({3, 2, 4}, f64), randn({4, 2, 4}, f64),
                                    randn({4, 2, 4}, f64)};
  const std::vector<Tensor> single = {randn({3, 4}, f64), randn({4, 4}, f64), randn({4, 4}, f64)};
  const std::vector<Tensor> widths = {randn({3, 2, 4}, f64), randn({4, 2, 5}, f64),
                                      randn({4, 2, 3}, f64)};
  check_gradients({}, same, {});
  check_gradients({.dropout = 0.4}, same, {.attn_mask = hidden});
  check_gradients({.bias = false}, single, {.attn_mask = randn({2, 3, 4}, f64)});
  check_gradients({.kdim = 5, .vdim = 3}, widths, {.attn_mask = hidden});
  check_gradients({.dropout = 0.4, .add_bias_kv = true, .add_zero_attn = true}, same,
                  {.key_padding_mask = slice(hidden, 0, 0, 2), .attn_mask = hidden});
  check_gradients({.add_bias_kv = true, .kdim = 5, .vdim = 3}, widths,
                  {.key_padding_mask = randn({2, 4}, f64)});
  const std::vector<Tensor> square = {same[1], same[2], randn({4, 2, 4}, f64)};
  check_gradients({}, square, {.is_causal = true});
  check_gradients({.add_zero_attn = true}, square, {.is_causal = true});
}

TEST_CASE("attention prints its options") {
  CHECK(nn::MultiheadAttention(8, 2).extra_repr() == "embed_dim=8, num_heads=2");
  CHECK(nn::MultiheadAttention(8, 2, {.dropout = 0.5, .bias = false, .kdim = 3}).extra_repr() ==
        "embed_dim=8, num_heads=2, dropout=0.5, bias=false, kdim=3");
  CHECK(nn::MultiheadAttention(
            8, 2, {.add_bias_kv = true, .add_zero_attn = true, .vdim = 5, .batch_first = true})
            .extra_repr() ==
        "embed_dim=8, num_heads=2, add_bias_kv=true, add_zero_attn=true, vdim=5, batch_first=true");
}

}  // namespace
}  // namespace tarsier
