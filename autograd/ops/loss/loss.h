#pragma once
// Losses.

#include "../../ops.h"

namespace tarsier {

/// −w · (t · log p + (1 − t) · log(1 − p)) for probabilities p = input, with both logarithms no
/// less than −100. target (…) as input, usually in [0, 1]; weight broadcasts to it, or is
/// undefined.
///   dp = dy · w · (p − t) / max(p(1 − p), 10⁻¹²)
/// Throws where an element of input is not in [0, 1].
/// As https://pytorch.org/docs/stable/generated/torch.nn.BCELoss.html
Tensor binary_cross_entropy(const Arg& input, const Arg& target, const Tensor& weight = {},
                            Reduction reduction = Reduction::mean);

/// −log of the probability that a network emits `targets`, summed over all alignments: at every
/// frame it emits a label or a blank; repetitions are merged, then blanks dropped ("-aa-b" → "ab").
///   loss = −log Σ_{alignments π of targets} Π_t p_t(π_t)
/// log_probs: (T, N, C) logarithms of probabilities (log_softmax over C), or (T, C) for one
/// sequence. targets: i64, (N, S) padded with anything, or all sequences one after another in one
/// dimension. input_lengths, target_lengths: i64, (N): how many frames, and labels, count; () for
/// one sequence. blank: the label that stands for nothing. `none` gives (N), () for one sequence;
/// `mean` divides every loss by its target's length (1 at least) first. A target that does not fit
/// into its frames has probability 0: its loss is ∞ and its gradient NaN; with zero_infinity both
/// are 0. An empty target is one: all blanks.
///   dlog_probs_t(c) = −dloss · P(the alignment emits c at frame t | targets)
/// This is the derivative itself. PyTorch adds p_t(c), which a log_softmax before it takes away
/// again; so gradients are equal before the log_softmax, and differ between it and the loss.
/// Computed in f64, for f32 too. Throws Error("ctc_loss") on shapes and dtypes that do not fit,
/// lengths beyond T or S, and labels that are blank or not below C.
/// Source: Graves et al. 2006. As https://pytorch.org/docs/stable/generated/torch.nn.CTCLoss.html
Tensor ctc_loss(const Arg& log_probs, const Tensor& targets, const Tensor& input_lengths,
                const Tensor& target_lengths, int64_t blank = 0,
                Reduction reduction = Reduction::mean, bool zero_infinity = false);

/// The same in primitive ops: the definition, and what higher derivatives use. Where the loss is ∞
/// the gradient is 0.
Tensor ctc_loss_reference(const Arg& log_probs, const Tensor& targets, const Tensor& input_lengths,
                          const Tensor& target_lengths, int64_t blank = 0,
                          Reduction reduction = Reduction::mean, bool zero_infinity = false);

}  // namespace tarsier
