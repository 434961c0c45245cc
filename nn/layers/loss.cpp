#include "nn/layers/loss.h"

#include <cmath>
#include <limits>

#include "autograd/ops/loss/checks.h"
#include "autograd/ops/loss/counted.h"
#include "autograd/ops/loss/logits.h"

namespace tarsier::nn {

using tarsier::detail::check_alike;
using tarsier::detail::check_weight;
using tarsier::detail::counted;
using tarsier::detail::reduce;

// ------------------------------------------------------------------------------------ regression

Tensor mse_loss(const Arg& input, const Arg& target, Reduction reduction) {
  check_alike("mse_loss", "input", input, "target", target);
  return reduce(square(input - target), reduction);
}

Tensor l1_loss(const Arg& input, const Arg& target, Reduction reduction) {
  check_alike("l1_loss", "input", input, "target", target);
  return reduce(abs(input - target), reduction);
}

Tensor smooth_l1_loss(const Arg& input, const Arg& target, Reduction reduction, double beta) {
  check(beta >= 0, "smooth_l1_loss", "beta is ", beta, ": it must not be negative");
  check_alike("smooth_l1_loss", "input", input, "target", target);
  const Tensor d = input - target, size = abs(d);
  if (beta == 0) return reduce(size, reduction);
  const Tensor near = size < beta;
  return reduce(where(near, square(where(near, d, 0)) * (0.5 / beta), size - 0.5 * beta),
                reduction);
}

Tensor huber_loss(const Arg& input, const Arg& target, Reduction reduction, double delta) {
  check(delta > 0, "huber_loss", "delta is ", delta, ": it must be positive");
  check_alike("huber_loss", "input", input, "target", target);
  const Tensor d = input - target, size = abs(d);
  const Tensor near = size <= delta;
  return reduce(where(near, 0.5 * square(where(near, d, 0)), delta * (size - 0.5 * delta)),
                reduction);
}

// -------------------------------------------------------------------------------- classification

Tensor nll_loss(const Arg& input, const Tensor& target, const Tensor& weight, int64_t ignore_index,
                Reduction reduction) {
  const char* op = "nll_loss";
  check(is_floating(input.dtype()), op, "input is ", input.dtype(), ", but f32 or f64 is needed");
  check(target.dtype() == i64, op, "target is ", target.dtype(),
        ", but class indices (i64) are needed");
  check(input.dim() >= 1, op, "input is a scalar: (C), (N, C) or (N, C, d…) is needed");
  const int c = input.dim() == 1 ? 0 : 1;
  const int64_t classes = input.shape()[c];
  Shape expected = input.shape();
  expected.erase(c);
  check(target.shape() == expected, op, "target of shape ", target.shape(),
        " for an input of shape ", input.shape(), ": ", expected, " is needed");
  if (weight.defined()) {
    check(weight.dtype() == input.dtype(), op, "weight is ", weight.dtype(), ", but input is ",
          input.dtype());
    check(weight.shape() == Shape{classes}, op, "weight of shape ", weight.shape(), " for ",
          classes, " classes: (", classes, ",) is needed");
  }
  const std::vector<int64_t> indices = target.to_vector<int64_t>();
  for (size_t i = 0; i < indices.size(); ++i)
    check((indices[i] >= 0 && indices[i] < classes) || indices[i] == ignore_index, op, "target ", i,
          " is ", indices[i], ", but there are ", classes, " classes: use 0 to ", classes - 1,
          ", or ignore_index (", ignore_index, ")");

  const Tensor counts = target != scalar(static_cast<double>(ignore_index), i64);
  const Tensor t = where(counts, target, 0);  // an index in any case
  const Tensor all = weight.defined() ? weight : ones({classes}, input.dtype());
  const Tensor w = where(counts, reshape(index_select(all, 0, reshape(t, {-1})), t.shape()), 0);
  const Tensor x = squeeze(gather(input, c, unsqueeze(t, c)), c);
  // An ignored −∞ must not become NaN.
  const Tensor loss = where(counts, -counted(w, x), 0);
  const bool weighted = reduction == Reduction::mean && loss.numel() > 0;
  return weighted ? sum(loss) / sum(w) : reduce(loss, reduction);
}

Tensor binary_cross_entropy_with_logits(const Arg& input, const Arg& target, const Tensor& weight,
                                        Reduction reduction, const Tensor& pos_weight) {
  const char* op = "binary_cross_entropy_with_logits";
  check_alike(op, "input", input, "target", target);
  check_weight(op, "weight", weight, input);
  check_weight(op, "pos_weight", pos_weight, input);
  if (!pos_weight.defined()) {
    const Tensor loss = tarsier::detail::logits_loss(input, target);
    return reduce(weight.defined() ? loss * weight : loss, reduction);
  }
  // −log σ(x) = log(1 + e⁻ˣ) and −log(1 − σ(x)) = log(1 + eˣ), exact to the last bits even if eˣ is
  // tiny: no threshold.
  constexpr double none = std::numeric_limits<double>::infinity();
  const Tensor loss = counted(pos_weight * target, softplus(-input, 1, none)) +
                      counted(1 - target, softplus(input, 1, none));
  return reduce(weight.defined() ? loss * weight : loss, reduction);
}

Tensor kl_div(const Arg& input, const Arg& target, KLDivReduction reduction, bool log_target) {
  check_alike("kl_div", "input", input, "target", target);
  Tensor loss;
  if (log_target) {
    // A target of −∞ is t = 0, whatever x is: avoid −∞ + ∞.
    const Tensor both = target == -INFINITY && input == -INFINITY;
    loss = counted(exp(target), target - masked_fill(input, both, 0));
  } else {
    // t · log t is 0 at t = 0, where log t is infinite.
    const Tensor log_t = log(where(target == 0, 1, target));
    loss = counted(target, log_t - input);
  }
  switch (reduction) {
    case KLDivReduction::none:
      return loss;
    case KLDivReduction::sum:
      return sum(loss);
    case KLDivReduction::batchmean:
      if (input.dim() == 0 || input.numel() == 0) return mean(loss);
      return sum(loss) / static_cast<double>(input.size(0));
    default:
      return mean(loss);
  }
}

Tensor dice_loss(const Arg& input, const Arg& target, double smooth, bool squared,
                 Reduction reduction) {
  const char* op = "dice_loss";
  check_alike(op, "input", input, "target", target);
  check(input.dim() >= 3, op, "input of shape ", input.shape(), ": (N, C, d…) is needed");
  check(smooth >= 0, op, "smooth is ", smooth, ": it must not be negative");
  const Tensor p = flatten(input, 2), t = flatten(target, 2);
  const Tensor overlap = sum(p * t, -1);
  const Tensor size = squared ? sum(square(p) + square(t), -1) : sum(p + t, -1);
  return reduce(1 - (2 * overlap + smooth) / (size + smooth), reduction);
}

// ------------------------------------------------------------------------------------ embeddings

Tensor cosine_embedding_loss(const Arg& input1, const Arg& input2, const Tensor& target,
                             double margin, Reduction reduction) {
  const char* op = "cosine_embedding_loss";
  check(std::isfinite(margin), op, "margin is ", margin, ": it must be finite");
  check_alike(op, "input1", input1, "input2", input2);
  check(input1.dim() == 1 || input1.dim() == 2, op, "inputs of shape ", input1.shape(),
        ": (N, D) or (D) is needed");
  Shape expected = input1.shape();
  expected.erase(input1.dim() - 1);
  check(target.shape() == expected, op, "target of shape ", target.shape(), " for inputs of shape ",
        input1.shape(), ": ", expected, " is needed");
  check(target.dtype() != boolean, op, "target is bool: numbers 1 and -1 are needed");
  const std::vector<double> signs = target.to_vector();
  for (size_t i = 0; i < signs.size(); ++i)
    check(signs[i] == 1 || signs[i] == -1, op, "target ", i, " is ", signs[i],
          ": 1 (alike) or -1 (not alike) is needed");

  // √(Σ x² + 10⁻¹²), PyTorch's guard against 0 / 0, is the norm of x with one more element.
  // Dividing before multiplying keeps squares from overflowing.
  const auto unit = [](const Arg& x) { return x / norm(pad(x, {0, 1}, 1e-6), 2, -1, true); };
  const Tensor cosine = sum(unit(input1) * unit(input2), -1);
  return reduce(where(target == 1, 1 - cosine, clamp(cosine - margin, 0)), reduction);
}

Tensor triplet_margin_loss(const Arg& anchor, const Arg& positive, const Arg& negative,
                           const TripletMarginOptions& options) {
  const char* op = "triplet_margin_loss";
  check_alike(op, "anchor", anchor, "positive", positive);
  check_alike(op, "anchor", anchor, "negative", negative);
  check(anchor.dim() >= 1, op, "inputs are scalars: (…, D) is needed");
  check(options.margin > 0, op, "margin is ", options.margin, ": it must be positive");
  const auto distance = [&](const Arg& x, const Arg& y) {
    return norm(x - y + options.eps, options.p, -1);
  };
  const Tensor near = distance(anchor, positive);
  Tensor far = distance(anchor, negative);
  if (options.swap) far = minimum(far, distance(positive, negative));
  return reduce(clamp(near - far + options.margin, 0), options.reduction);
}

Tensor info_nce(const Arg& query, const Arg& key, double temperature, bool symmetric,
                Reduction reduction) {
  const char* op = "info_nce";
  check_alike(op, "query", query, "key", key);
  check(query.dim() == 2, op, "query of shape ", query.shape(), ": (N, D) is needed");
  check(temperature > 0, op, "temperature is ", temperature, ": it must be positive");
  const auto unit = [](const Arg& x) { return x / clamp(norm(x, 2, -1, true), 1e-12); };
  const Tensor logits = matmul(unit(query), transpose(unit(key), 0, 1)) / temperature;
  const Tensor partner = arange(query.size(0));  // of row i: column i
  const CrossEntropyOptions options{.reduction = reduction};
  const Tensor loss = cross_entropy(logits, partner, options);
  if (!symmetric) return loss;
  return 0.5 * (loss + cross_entropy(transpose(logits, 0, 1), partner, options));
}

// --------------------------------------------------------------------------------------- modules

MSELoss::MSELoss(Reduction reduction) : reduction(reduction) {}

L1Loss::L1Loss(Reduction reduction) : reduction(reduction) {}

SmoothL1Loss::SmoothL1Loss(Reduction reduction, double beta) : reduction(reduction), beta(beta) {}

HuberLoss::HuberLoss(Reduction reduction, double delta) : reduction(reduction), delta(delta) {}

CrossEntropyLoss::CrossEntropyLoss(const CrossEntropyOptions& given) : options(given) {
  register_buffer("weight", options.weight, given.weight);
}

NLLLoss::NLLLoss(const Tensor& given, int64_t ignore_index, Reduction reduction)
    : ignore_index(ignore_index), reduction(reduction) {
  register_buffer("weight", weight, given);
}

BCELoss::BCELoss(const Tensor& given, Reduction reduction) : reduction(reduction) {
  register_buffer("weight", weight, given);
}

BCEWithLogitsLoss::BCEWithLogitsLoss(const Tensor& given, Reduction reduction,
                                     const Tensor& given_pos)
    : reduction(reduction) {
  register_buffer("weight", weight, given);
  register_buffer("pos_weight", pos_weight, given_pos);
}

KLDivLoss::KLDivLoss(KLDivReduction reduction, bool log_target)
    : reduction(reduction), log_target(log_target) {}

CosineEmbeddingLoss::CosineEmbeddingLoss(double margin, Reduction reduction)
    : margin(margin), reduction(reduction) {}

TripletMarginLoss::TripletMarginLoss(const TripletMarginOptions& options) : options(options) {}

}  // namespace tarsier::nn
