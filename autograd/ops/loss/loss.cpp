// Cross-entropy: fused, and the reference form.
// Source: https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
#include <memory>
#include <optional>

#include "autograd/base/parallel.h"
#include "autograd/loops/copy.h"
#include "autograd/loops/reduce.h"
#include "autograd/ops/loss/counted.h"
#include "autograd/ops/loss/loss.kernel.h"
#include "autograd/ops/record.h"
#include "autograd/simd/dispatch.h"
#include "autograd/tensor/compute.h"

namespace tarsier {
namespace {

/// The class dimension of logits: (N, C), (N, C, d…), or (C) alone.
int class_dim(const Tensor& logits) { return logits.dim() == 1 ? 0 : 1; }

/// Throws unless everything but the target fits.
void check_cross_entropy(const Tensor& logits, const CrossEntropyOptions& options) {
  const char* op = "cross_entropy";
  check(is_floating(logits.dtype()), op, "logits are ", logits.dtype(),
        ", f32 or f64 is needed: convert with to(x, f32)");
  check(logits.dim() >= 1, op, "logits are a scalar: (C), (N, C) or (N, C, d…) is needed");
  const int64_t classes = logits.shape()[class_dim(logits)];
  check(classes > 0, op, "logits of shape ", logits.shape(), " have no classes");
  const Tensor& weight = options.weight;
  if (weight.defined()) {
    check(weight.shape() == Shape{classes}, op, "weight of shape ", weight.shape(), " for ",
          classes, " classes: (", classes, ",) is needed");
    check(weight.dtype() == logits.dtype(), op, "weight is ", weight.dtype(), ", but logits are ",
          logits.dtype());
    check(!weight.requires_grad(), op,
          "weight requires a gradient, but this op has none for it: pass weight.detach()");
  }
  check(options.label_smoothing >= 0 && options.label_smoothing <= 1, op, "label_smoothing ",
        options.label_smoothing, " is not in [0, 1]");
}

/// Throws unless every target is a class or the ignored index.
void check_classes(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  const char* op = "cross_entropy";
  check(target.dtype() == i64, op, "targets are ", target.dtype(),
        ", class indices (i64) are needed: convert with to(target, i64)");
  Shape expected = logits.shape();
  expected.erase(class_dim(logits));
  check(target.shape() == expected, op, "targets of shape ", target.shape(),
        " for logits of shape ", logits.shape(), ": ", expected, " is needed");
  const Tensor index = contiguous_elements(target);
  detail::compute(op,
                  [=, classes = logits.shape()[class_dim(logits)], ignored = options.ignore_index] {
                    const int64_t* t = index.data<int64_t>();
                    for (int64_t i = 0; i < index.numel(); ++i)
                      check((t[i] >= 0 && t[i] < classes) || t[i] == ignored, op, "target ", i,
                            " is ", t[i], ", but there are ", classes, " classes: use 0 to ",
                            classes - 1, ", or ignore_index (", ignored, ")");
                  });
}

/// The class weights as a factor of logits: (C, 1…).
Tensor along_classes(const Tensor& weight, const Tensor& logits) {
  Shape shape = Shape::filled(logits.dim(), 1);
  shape[class_dim(logits)] = weight.numel();
  return reshape(weight, shape);
}

/// From log_p = log_softmax(logits) where the target t gives every class a probability:
///   loss = −Σ_c w_c · t'_c · log p_c,   t' = (1 − ε) · t + ε / C;
/// `mean` divides the sum by the number of targets. A class that does not count (w_c·t'_c = 0) adds
/// nothing, even if its logit is −∞. Composed of ops, so t gets a gradient as well.
Tensor soft_cross_entropy(const Tensor& log_p, const Tensor& target,
                          const CrossEntropyOptions& options) {
  const char* op = "cross_entropy";
  check(target.shape() == log_p.shape() && target.dtype() == log_p.dtype(), op, "targets are ",
        target.dtype(), " of shape ", target.shape(), " for logits of ", log_p.dtype(), ' ',
        log_p.shape(), ": probabilities have the shape and dtype of the logits, classes are i64");
  check(options.ignore_index < 0, op, "ignore_index ", options.ignore_index,
        " with targets that are probabilities: none of them is a class");
  const int c = class_dim(log_p);
  const double classes = static_cast<double>(log_p.shape()[c]), smoothing = options.label_smoothing;
  const Tensor t = smoothing > 0 ? (1 - smoothing) * target + smoothing / classes : target;
  const Tensor factor = options.weight.defined() ? t * along_classes(options.weight, log_p) : t;
  const Tensor loss = -sum(detail::counted(factor, log_p), c);
  if (options.reduction == Reduction::none) return loss;
  return options.reduction == Reduction::sum ? sum(loss) : mean(loss);
}

/// The sum of the weights of the targets (contiguous) that count.
double sum_of_weights(const Tensor& index, const CrossEntropyOptions& options) {
  const std::vector<double> weight =
      options.weight.defined() ? options.weight.to_vector<double>() : std::vector<double>();
  const int64_t* const targets = index.data<int64_t>();
  double total = 0;
  for (int64_t i = 0; i < index.numel(); ++i) {
    const int64_t t = targets[i];
    if (t != options.ignore_index) total += weight.empty() ? 1 : weight[static_cast<size_t>(t)];
  }
  return total;
}

/// The divisor of the mean: the sum of the weights of the targets that count. A captured step holds
/// it as a number, so there it must not change.
double total_weight(const Tensor& target, const CrossEntropyOptions& options) {
  const Tensor index = contiguous_elements(target);
  const auto total = std::make_shared<std::optional<double>>();
  detail::compute("cross_entropy", [=] {
    const double now = sum_of_weights(index, options);
    check(!*total || now == **total, "cross_entropy",
          "the weights of the targets that count sum to ", now, ", but to ", total->value_or(0),
          " when the step was captured, which divides by that ",
          "number forever: use Reduction::sum in a captured step, or do not capture it");
    *total = now;
  });
  return **total;
}

/// The arguments of rows begin … end − 1, for the kernels. All tensors are contiguous.
template <class T>
kernels::CrossEntropy<T> problem(const Tensor& rows, const Tensor& target, const Tensor& weight,
                                 int64_t ignore_index, double smoothing, int64_t begin,
                                 int64_t end) {
  const int64_t classes = rows.shape().back();
  return {.rows = end - begin,
          .classes = classes,
          .logits = rows.data<T>() + begin * classes,
          .target = target.data<int64_t>() + begin,
          .weight = weight.defined() ? weight.data<T>() : nullptr,
          .ignore_index = ignore_index,
          .label_smoothing = static_cast<T>(smoothing)};
}

/// The classes last: (N, C, d…) → (N, d…, C), contiguous.
Tensor classes_last(const Tensor& logits) {
  Shape shape = logits.shape();
  Strides strides = logits.strides();
  shape.erase(class_dim(logits));
  strides.erase(class_dim(logits));
  shape.push_back(logits.shape()[class_dim(logits)]);
  strides.push_back(logits.strides()[class_dim(logits)]);
  return contiguous_elements(logits.view_as(shape, strides, logits.offset()));
}

/// And back, as a view: (N, d…, C) → (N, C, d…).
Tensor classes_back(const Tensor& rows) {
  if (rows.dim() <= 2) return rows;
  Shape shape = rows.shape();
  Strides strides = rows.strides();
  shape.erase(rows.dim() - 1);
  strides.erase(rows.dim() - 1);
  shape.insert(1, rows.shape().back());
  strides.insert(1, 1);
  return rows.view_as(shape, strides, rows.offset());
}

Tensor cross_entropy_grad(const Saved& saved, const Tensor& dloss, int64_t ignore_index,
                          double smoothing);

}  // namespace

/// Per target t with log p = log_softmax(logits), ε = label_smoothing and class weights w (or 1):
///   loss = −(1 − ε) · w_t · log p_t − ε / C · Σ_c w_c · log p_c, and 0 where t = ignore_index;
/// terms whose factor is 0 are left out, because log p_c may be −∞. `mean` divides the sum by Σ w_t
/// over the targets that count (all ignored: 0 / 0 is NaN).
///   dlogits_c = dloss · ((a + Σ b) · p_c − b_c − a · [c = t])
///   with a = (1 − ε) · w_t,  b_c = ε / C · w_c,  p = softmax(logits)
///   saved: logits, target, weight, and per target max(logits) and log Σ exp(logits − max)
Tensor cross_entropy(const Arg& logits, const Tensor& target, const CrossEntropyOptions& options) {
  check_cross_entropy(logits, options);
  if (is_floating(target.dtype()))
    return soft_cross_entropy(log_softmax(logits, class_dim(logits)), target, options);
  check_classes(logits, target, options);
  const Tensor rows = classes_last(logits), index = contiguous_elements(target),
               weight = options.weight.defined() ? contiguous_elements(options.weight) : Tensor();
  Tensor loss = Tensor::empty(target.shape(), logits.dtype());
  const Tensor stats = Tensor::empty({target.numel(), 2}, logits.dtype());
  detail::compute("cross_entropy", [=, ignored = options.ignore_index,
                                    smoothing = options.label_smoothing] {
    dispatch_floating(rows.dtype(), "cross_entropy", [&]<class T>() {
      parallel_for(index.numel(), detail::rows_per_chunk(rows.shape().back(), detail::kCostlyGrain),
                   [&](int64_t begin, int64_t end) {
                     kernels::active<kernels::LossKernels<T>>().cross_entropy(
                         problem<T>(rows, index, weight, ignored, smoothing, begin, end),
                         loss.data<T>() + begin, stats.data<T>() + 2 * begin);
                   });
    });
  });
  double divisor = 1;
  if (options.reduction == Reduction::mean) divisor = total_weight(target, options);
  if (options.reduction != Reduction::none) loss = sum(loss) / divisor;
  // Without rows there is nothing to divide.
  const Reduction reduction = target.numel() == 0 && options.reduction == Reduction::mean
                                  ? Reduction::sum
                                  : options.reduction;
  const auto fast = [ignore_index = options.ignore_index, smoothing = options.label_smoothing,
                     divisor](const Saved& saved, const Tensor& dy) -> Grads {
    return {cross_entropy_grad(saved, dy / divisor, ignore_index, smoothing)};
  };
  const auto reference = [ignore_index = options.ignore_index, smoothing = options.label_smoothing,
                          reduction](const Saved& saved, const auto& in) {
    return cross_entropy_reference(in[0], saved[1], {saved[2], ignore_index, reduction, smoothing});
  };
  return detail::record_fused("cross_entropy", {logits}, loss,
                              Save{logits, target, options.weight, stats}, fast, reference);
}

namespace {

/// dlogits; `scale` is the factor of every row's loss.
Tensor cross_entropy_grad(const Saved& saved, const Tensor& dloss, int64_t ignore_index,
                          double smoothing) {
  const Tensor rows = classes_last(saved[0]), target = contiguous_elements(saved[1]),
               weight = saved[2].defined() ? contiguous_elements(saved[2]) : Tensor(),
               stats = saved[3], scale = contiguous_elements(expand(dloss, target.shape()));
  Tensor dx = Tensor::empty(rows.shape(), rows.dtype());
  const int64_t classes = rows.shape().back();
  detail::compute("cross_entropy", [=] {
    dispatch_floating(rows.dtype(), "cross_entropy", [&]<class T>() {
      parallel_for(target.numel(), detail::rows_per_chunk(classes, detail::kCostlyGrain),
                   [&](int64_t begin, int64_t end) {
                     kernels::active<kernels::LossKernels<T>>().cross_entropy_grad(
                         problem<T>(rows, target, weight, ignore_index, smoothing, begin, end),
                         stats.data<T>() + 2 * begin, scale.data<T>() + begin,
                         dx.data<T>() + begin * classes);
                   });
    });
  });
  return contiguous_elements(classes_back(dx));
}

}  // namespace

Tensor cross_entropy_reference(const Arg& logits, const Tensor& target,
                               const CrossEntropyOptions& options) {
  check_cross_entropy(logits, options);
  const int c = class_dim(logits);
  if (is_floating(target.dtype()))
    return soft_cross_entropy(log_softmax_reference(logits, c), target, options);
  check_classes(logits, target, options);
  const int64_t classes = logits.shape()[c];
  const Tensor counts = target != from_vector(std::vector<int64_t>{options.ignore_index}, {});
  const Tensor t = where(counts, target, 0);  // an index in any case
  const Tensor w = options.weight.defined() ? options.weight : ones({classes}, logits.dtype());
  const Tensor w_t = where(counts, reshape(index_select(w, 0, reshape(t, {-1})), t.shape()), 0);
  const Tensor log_p = log_softmax_reference(logits, c);
  const Tensor log_p_t = where(counts, squeeze(gather(log_p, c, unsqueeze(t, c)), c), 0);

  Tensor loss = -detail::counted((1 - options.label_smoothing) * w_t, log_p_t);
  if (options.label_smoothing > 0) {
    const Tensor all = where(counts, sum(detail::counted(along_classes(w, logits), log_p), c), 0);
    loss = loss - options.label_smoothing / static_cast<double>(classes) * all;
  }
  if (options.reduction == Reduction::none) return loss;
  return options.reduction == Reduction::sum ? sum(loss) : sum(loss) / sum(w_t);
}

}  // namespace tarsier
