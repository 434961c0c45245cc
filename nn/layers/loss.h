#pragma once
// Losses: functions first, then the same as modules.
//
// They and their backwards are composed of autograd's ops, so they can be differentiated to any
// order, also with respect to a floating target. `reduction` as in PyTorch: `none` gives one loss
// per element (or per sample), `sum` adds them, `mean` divides the sum by their number (nll_loss:
// by the sum of their weights). All throw Error with the function's name if shapes or dtypes do not
// fit together: only weights are broadcast.
// cross_entropy, binary_cross_entropy and ctc_loss are ops (autograd/ops.h).

#include "../module.h"

namespace tarsier::nn {

// ------------------------------------------------------------------------------------ regression
// input and target: equal floating shapes, (…). With `none` the loss has that shape.

/// (x − t)².
/// As https://pytorch.org/docs/stable/generated/torch.nn.MSELoss.html
Tensor mse_loss(const Arg& input, const Arg& target, Reduction reduction = Reduction::mean);

/// |x − t|.
/// As https://pytorch.org/docs/stable/generated/torch.nn.L1Loss.html
Tensor l1_loss(const Arg& input, const Arg& target, Reduction reduction = Reduction::mean);

/// With d = x − t:  d² / 2β where |d| < β, else |d| − β/2. β = 0 is l1_loss; a negative one throws.
/// Source: Girshick 2015 (Fast R-CNN).
/// As https://pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html
Tensor smooth_l1_loss(const Arg& input, const Arg& target, Reduction reduction = Reduction::mean,
                      double beta = 1);

/// With d = x − t:  d²/2 where |d| ≤ δ, else δ · (|d| − δ/2). Throws unless δ > 0.
/// Source: Huber 1964. As https://pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html
Tensor huber_loss(const Arg& input, const Arg& target, Reduction reduction = Reduction::mean,
                  double delta = 1);

// -------------------------------------------------------------------------------- classification

/// −w_t · x_t for log probabilities x and targets t; 0 where t = ignore_index or w_t = 0. `mean`
/// divides by Σ w_t over the targets that count (all ignored: 0 / 0 is NaN).
/// (N, C) and (N) i64, or (N, C, d…) and (N, d…), or (C) and (); weight (C), or undefined for ones.
/// Throws Error("nll_loss") if a target is neither a class nor ignore_index.
/// As https://pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html
Tensor nll_loss(const Arg& input, const Tensor& target, const Tensor& weight = {},
                int64_t ignore_index = -100, Reduction reduction = Reduction::mean);

/// −w · (t · log p + (1 − t) · log(1 − p)): an op (autograd/ops.h).
using tarsier::binary_cross_entropy;

/// −w · (p_w · t · log σ(x) + (1 − t) · log(1 − σ(x))), without overflow or cancellation:
///   w · (p_w · t · log(1 + e⁻ˣ) + (1 − t) · log(1 + eˣ)), also for x = ±∞: 0 if t is 1 or 0 there.
/// weight w and pos_weight p_w (more than 1: recall counts more) broadcast to input, or are
/// undefined for ones.
/// As https://pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
Tensor binary_cross_entropy_with_logits(const Arg& input, const Arg& target,
                                        const Tensor& weight = {},
                                        Reduction reduction = Reduction::mean,
                                        const Tensor& pos_weight = {});

/// Reduction, and `batchmean`: the sum divided by the size of dimension 0, which is the
/// Kullback–Leibler divergence of the definition for (N, C).
enum class KLDivReduction { none, mean, sum, batchmean };

/// t · (log t − x) for log probabilities x = input and probabilities t; 0 where t = 0, for any x;
/// or eᵗ · (t − x) where the target is given as logarithms (`log_target`). Equal shapes (…).
/// Source: Kullback & Leibler 1951. The default is PyTorch's `mean`; `batchmean` is the
/// mathematical definition. As https://pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html
Tensor kl_div(const Arg& input, const Arg& target, KLDivReduction reduction = KLDivReduction::mean,
              bool log_target = false);

/// 1 − (2 Σ p·t + smooth) / (Σ p + Σ t + smooth) per sample and class, for probabilities p = input
/// and targets t in [0, 1] (one_hot for classes): (N, C, d…) both, with at least one d; `none`
/// gives (N, C). `squared` has Σ p² + Σ t² in the denominator, as in Milletari et al. Source:
/// Milletari et al. 2016 (V-Net); `smooth` avoids 0 / 0. Throws Error("dice_loss") if smooth
/// is negative.
Tensor dice_loss(const Arg& input, const Arg& target, double smooth = 1, bool squared = false,
                 Reduction reduction = Reduction::mean);

// ------------------------------------------------------------------------------------ embeddings

/// 1 − cos(x₁, x₂) where the target is 1, max(0, cos(x₁, x₂) − margin) where it is −1.
/// (N, D), (N, D) and (N), or (D), (D) and (); `none` gives the target's shape. The target may have
/// any dtype but bool; throws if it is neither 1 nor −1.
/// As https://pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html
Tensor cosine_embedding_loss(const Arg& input1, const Arg& input2, const Tensor& target,
                             double margin = 0, Reduction reduction = Reduction::mean);

struct TripletMarginOptions {
  double margin = 1;  ///< how much farther the negative should be; positive
  double p = 2;       ///< of the norm
  double eps = 1e-6;  ///< added to differences, so that the norm has a slope everywhere
  bool swap = false;  ///< the negative's distance is the smaller of those to anchor and positive
  Reduction reduction = Reduction::mean;
};
/// max(0, d(a, p) − d(a, n) + margin) with d(x, y) = ‖x − y + eps‖_p: (…, D) three times → (…).
/// Source: Balntas et al. 2016.
/// As https://pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html
Tensor triplet_margin_loss(const Arg& anchor, const Arg& positive, const Arg& negative,
                           const TripletMarginOptions& options = {});

/// Contrastive loss with the other pairs of the batch as negatives: (N, D) and (N, D); `none` (N).
///   loss_i = −log (exp(s_ii / τ) / Σ_j exp(s_ij / τ)),   s_ij = cos(query_i, key_j)
/// with τ = temperature. `symmetric` takes the mean of that and of the loss from keys to queries.
/// Throws Error("info_nce") for other shapes or dtypes, and unless τ > 0.
/// Source: van den Oord et al. 2018 (InfoNCE); symmetric: Radford et al. 2021 (CLIP).
Tensor info_nce(const Arg& query, const Arg& key, double temperature = 0.1, bool symmetric = false,
                Reduction reduction = Reduction::mean);

// --------------------------------------------------------------------------------------- modules
// The functions above with their options stored: loss(input, target). Weights are buffers, as in
// PyTorch: they follow to(dtype) and are in the state dict.

struct MSELoss : Layer<MSELoss> {
  const Reduction reduction;
  explicit MSELoss(Reduction reduction = Reduction::mean);
  Tensor forward(const Arg& input, const Arg& target) { return mse_loss(input, target, reduction); }
};

struct L1Loss : Layer<L1Loss> {
  const Reduction reduction;
  explicit L1Loss(Reduction reduction = Reduction::mean);
  Tensor forward(const Arg& input, const Arg& target) { return l1_loss(input, target, reduction); }
};

struct SmoothL1Loss : Layer<SmoothL1Loss> {
  const Reduction reduction;
  const double beta;
  explicit SmoothL1Loss(Reduction reduction = Reduction::mean, double beta = 1);
  Tensor forward(const Arg& input, const Arg& target) {
    return smooth_l1_loss(input, target, reduction, beta);
  }
};

struct HuberLoss : Layer<HuberLoss> {
  const Reduction reduction;
  const double delta;
  explicit HuberLoss(Reduction reduction = Reduction::mean, double delta = 1);
  Tensor forward(const Arg& input, const Arg& target) {
    return huber_loss(input, target, reduction, delta);
  }
};

/// cross_entropy: softmax and nll_loss in one, from logits.
/// As https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
struct CrossEntropyLoss : Layer<CrossEntropyLoss> {
  CrossEntropyOptions options;
  explicit CrossEntropyLoss(const CrossEntropyOptions& options = {});
  Tensor forward(const Arg& input, const Tensor& target) {
    return cross_entropy(input, target, options);
  }
};

struct NLLLoss : Layer<NLLLoss> {
  Tensor weight;  ///< (C), or undefined
  const int64_t ignore_index;
  const Reduction reduction;
  explicit NLLLoss(const Tensor& weight = {}, int64_t ignore_index = -100,
                   Reduction reduction = Reduction::mean);
  Tensor forward(const Arg& input, const Tensor& target) {
    return nll_loss(input, target, weight, ignore_index, reduction);
  }
};

struct BCELoss : Layer<BCELoss> {
  Tensor weight;  ///< broadcasts to the input, or undefined
  const Reduction reduction;
  explicit BCELoss(const Tensor& weight = {}, Reduction reduction = Reduction::mean);
  Tensor forward(const Arg& input, const Arg& target) {
    return binary_cross_entropy(input, target, weight, reduction);
  }
};

struct BCEWithLogitsLoss : Layer<BCEWithLogitsLoss> {
  Tensor weight, pos_weight;  ///< broadcast to the input, or undefined
  const Reduction reduction;
  explicit BCEWithLogitsLoss(const Tensor& weight = {}, Reduction reduction = Reduction::mean,
                             const Tensor& pos_weight = {});
  Tensor forward(const Arg& input, const Arg& target) {
    return binary_cross_entropy_with_logits(input, target, weight, reduction, pos_weight);
  }
};

struct KLDivLoss : Layer<KLDivLoss> {
  const KLDivReduction reduction;
  const bool log_target;
  explicit KLDivLoss(KLDivReduction reduction = KLDivReduction::mean, bool log_target = false);
  Tensor forward(const Arg& input, const Arg& target) {
    return kl_div(input, target, reduction, log_target);
  }
};

struct CosineEmbeddingLoss : Layer<CosineEmbeddingLoss> {
  const double margin;
  const Reduction reduction;
  explicit CosineEmbeddingLoss(double margin = 0, Reduction reduction = Reduction::mean);
  Tensor forward(const Arg& input1, const Arg& input2, const Tensor& target) {
    return cosine_embedding_loss(input1, input2, target, margin, reduction);
  }
};

struct TripletMarginLoss : Layer<TripletMarginLoss> {
  const TripletMarginOptions options;
  explicit TripletMarginLoss(const TripletMarginOptions& options = {});
  Tensor forward(const Arg& anchor, const Arg& positive, const Arg& negative) {
    return triplet_margin_loss(anchor, positive, negative, options);
  }
};

}  // namespace tarsier::nn
