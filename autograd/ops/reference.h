#pragma once
// The reference forms of the fused ops, in primitive ops: their definition, which the tests compare
// with, and what higher derivatives use. `key` names the random stream of a dropout. See ops.h.

#include <optional>

#include "../base/random.h"
#include "../tensor/tensor.h"
#include "attention/window.h"
#include "loss/options.h"

namespace tarsier {

Tensor softmax_reference(const Arg& x, int64_t dim);
Tensor log_softmax_reference(const Arg& x, int64_t dim);
Tensor layer_norm_reference(const Arg& x, const Tensor& weight = {}, const Tensor& bias = {},
                            double eps = 1e-5);
Tensor rms_norm_reference(const Arg& x, const Tensor& weight = {}, double eps = 1e-6);
Tensor cross_entropy_reference(const Arg& logits, const Tensor& target,
                               const CrossEntropyOptions& options = {});
/// If the loss is ∞, the gradient is 0.
Tensor ctc_loss_reference(const Arg& log_probs, const Tensor& targets, const Tensor& input_lengths,
                          const Tensor& target_lengths, int64_t blank = 0,
                          Reduction reduction = Reduction::mean, bool zero_infinity = false);
Tensor dropout_reference(const Arg& x, double p, RandomKey key);
Tensor scaled_dot_product_attention_reference(const Arg& q, const Arg& k, const Arg& v,
                                              const Tensor& mask = {}, double dropout_p = 0,
                                              bool is_causal = false,
                                              std::optional<double> scale = {}, RandomKey key = {});
Tensor local_attention_reference(const Arg& q, const Arg& k, const Arg& v,
                                 const AttentionWindow& window, const Tensor& mask,
                                 double dropout_p, std::optional<double> scale, RandomKey key);

}  // namespace tarsier
