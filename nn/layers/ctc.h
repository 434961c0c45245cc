#pragma once
// Connectionist temporal classification: the loss of sequences without alignment.

#include "../module.h"

namespace tarsier::nn {

using tarsier::ctc_loss;
using tarsier::ctc_loss_reference;

/// ctc_loss as a module.
struct CTCLoss : Layer<CTCLoss> {
  const int64_t blank;
  const Reduction reduction;
  const bool zero_infinity;
  explicit CTCLoss(int64_t blank = 0, Reduction reduction = Reduction::mean,
                   bool zero_infinity = false);
  Tensor forward(const Arg& log_probs, const Tensor& targets, const Tensor& input_lengths,
                 const Tensor& target_lengths) {
    return ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, reduction,
                    zero_infinity);
  }
};

}  // namespace tarsier::nn
