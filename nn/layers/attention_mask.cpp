#include "nn/layers/attention_mask.h"

#include <limits>

#include "autograd/ops.h"

namespace tarsier::nn {

std::vector<Tensor> given_masks(const char* layer, const AttentionOptions& options,
                                const MaskSizes& n, DType dtype) {
  const auto check_dtype = [&](const char* name, const Tensor& mask) {
    check(mask.dtype() == boolean || mask.dtype() == dtype, layer, name, " of ", mask.dtype(),
          ": expected bool (true: may not attend), or ", dtype, " to add to the scores");
  };
  std::vector<Tensor> masks;
  if (const Tensor& mask = options.key_padding_mask; mask.defined()) {
    const Shape expected = n.batched ? Shape{n.batch, n.keys} : Shape{n.keys};
    check(mask.shape() == expected, layer, "key_padding_mask of shape ", mask.shape(),
          ": expected ", n.batched ? "(batch, keys) = " : "(keys) = ", expected);
    check_dtype("key_padding_mask", mask);
    masks.push_back(reshape(mask, {n.batch, 1, 1, n.keys}));
  }
  if (const Tensor& mask = options.attn_mask; mask.defined()) {
    const Shape for_all{n.queries, n.keys}, by_head{n.batch * n.heads, n.queries, n.keys};
    check(mask.shape() == for_all || mask.shape() == by_head, layer, "attn_mask of shape ",
          mask.shape(), ": expected (queries, keys) = ", for_all,
          ", or (batch · heads, queries, keys) = ", by_head);
    check_dtype("attn_mask", mask);
    masks.push_back(mask.dim() == 2 ? mask : reshape(mask, {n.batch, n.heads, n.queries, n.keys}));
  }
  return masks;
}

namespace {

/// A mask to be added to the scores: a bool one becomes −∞ where true.
Tensor additive(const Tensor& mask, DType dtype) {
  if (mask.dtype() != boolean) return mask;
  return masked_fill(zeros(mask.shape(), dtype), mask, -std::numeric_limits<double>::infinity());
}

}  // namespace

Tensor combined_mask(const std::vector<Tensor>& masks, DType dtype) {
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

}  // namespace tarsier::nn
