// Connectionist temporal classification: the loss of sequences without alignment.
// Source: Graves et al. 2006. As https://pytorch.org/docs/stable/generated/torch.nn.CTCLoss.html
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/ops/loss/checks.h"

namespace tarsier {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

/// A checked batch. An alignment walks through states: a blank before, between and after the labels
/// of the target, 2S + 1 in total. It stays, moves on by one, or skips a blank between two
/// different labels.
struct Batch {
  Tensor labels;          ///< (N, L) i64: the label of every state; blank beyond the target's end
  Tensor input_lengths;   ///< (N)
  Tensor target_lengths;  ///< (N)
  int64_t blank = 0;
};

/// A copy of `lengths`, (sequences), with every entry checked.
Tensor checked_lengths(const char* name, const Tensor& lengths, const Shape& shape, int64_t limit) {
  check(lengths.dtype() == i64, "ctc_loss", name, " is ", lengths.dtype(), ", but i64 is needed");
  check(lengths.shape() == shape, "ctc_loss", name, " of shape ", lengths.shape(), ": ", shape,
        " is needed, one per sequence");
  const Tensor out = clone(reshape(lengths, {-1}));  // a copy: checked values must not change
  for (int64_t n = 0; n < out.numel(); ++n) {
    const int64_t length = out.data<int64_t>()[n];
    check(length >= 0 && length <= limit, "ctc_loss", name, ": entry ", n, " is ", length,
          ", but it must be in 0 to ", limit);
  }
  return out;
}

Batch make_batch(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                 const Tensor& target_lengths, int64_t blank) {
  const char* op = "ctc_loss";
  check(is_floating(log_probs.dtype()), op, "log_probs is ", log_probs.dtype(),
        ", but f32 or f64 is needed");
  check(log_probs.dim() == 2 || log_probs.dim() == 3, op, "log_probs of shape ", log_probs.shape(),
        ": (T, N, C) or (T, C) is needed");
  check(log_probs.numel() > 0, op, "log_probs of shape ", log_probs.shape(), " is empty");
  check(targets.dtype() == i64, op, "targets are ", targets.dtype(), ", but i64 is needed");
  const bool batched = log_probs.dim() == 3;
  const int64_t frames = log_probs.size(0), classes = log_probs.size(-1);
  const int64_t sequences = batched ? log_probs.size(1) : 1;
  check(blank >= 0 && blank < classes, op, "blank is ", blank, ", but there are ", classes,
        " classes");

  const bool padded = targets.dim() == 2;
  check(padded ? targets.size(0) == sequences : targets.dim() == 1, op, "targets of shape ",
        targets.shape(), " for log_probs of shape ", log_probs.shape(), ": (", sequences,
        ", S) is needed, or one dimension with all targets");
  const Shape per_sequence = batched ? Shape{sequences} : Shape{};
  Batch batch{{},
              checked_lengths("input_lengths", input_lengths, per_sequence, frames),
              checked_lengths("target_lengths", target_lengths, per_sequence, targets.size(-1)),
              blank};
  const int64_t* lengths = batch.target_lengths.data<int64_t>();
  int64_t longest = 0, total = 0;
  for (int64_t n = 0; n < sequences; ++n) {
    longest = std::max(longest, lengths[n]);
    total += lengths[n];
  }
  check(padded || total == targets.numel(), op, "target_lengths add up to ", total, ", but ",
        targets.numel(), " targets are given");

  const int64_t states = 2 * longest + 1;
  batch.labels = full({sequences, states}, static_cast<double>(blank), i64);
  const Tensor source = contiguous(targets);
  const int64_t* next = source.data<int64_t>();
  for (int64_t n = 0; n < sequences; ++n) {
    const int64_t* from = padded ? source.data<int64_t>() + n * targets.size(1) : next;
    for (int64_t s = 0; s < lengths[n]; ++s) {
      check(from[s] >= 0 && from[s] < classes && from[s] != blank, op, "target ", s,
            " of sequence ", n, " is ", from[s], ": a class from 0 to ", classes - 1,
            " is needed, and not the blank, ", blank);
      batch.labels.data<int64_t>()[n * states + 2 * s + 1] = from[s];
    }
    next += lengths[n];
  }
  return batch;
}

/// log(eᵃ + eᵇ + eᶜ). NaN if one is NaN.
double log_sum_exp(double a, double b, double c) {
  const double top = std::max({a, b, c});
  if (top == -kInf) return a + b + c;
  return top + std::log(std::exp(a - top) + std::exp(b - top) + std::exp(c - top));
}

/// One sequence of a batch, for the recursions over its frames and states.
struct Sequence {
  int64_t frames, states;
  const int64_t* labels;    // of the states
  const double* log_probs;  // of class c at frame t: log_probs[t * stride + c]
  int64_t stride;
  int64_t blank;

  Sequence(const Batch& batch, const Tensor& log_probs, int64_t n)
      : frames(batch.input_lengths.data<int64_t>()[n]),
        states(2 * batch.target_lengths.data<int64_t>()[n] + 1),
        labels(batch.labels.data<int64_t>() + n * batch.labels.size(1)),
        log_probs(log_probs.data<double>() + n * log_probs.size(2)),
        stride(log_probs.size(1) * log_probs.size(2)),
        blank(batch.blank) {}

  double log_prob(int64_t t, int64_t s) const { return log_probs[t * stride + labels[s]]; }
  /// Whether a walk may go to s from s − 2.
  bool may_skip_to(int64_t s) const { return labels[s] != blank && labels[s] != labels[s - 2]; }
};

/// α_t(s) = log P(frames 0 … t are emitted and the walk is in s then), into alpha[t · row + s]:
///   α_0(0), α_0(1) = log p_0,   α_t(s) = log p_t(s) + log Σ_{s′ before s} exp α_{t−1}(s′).
/// Returns the loss, −log(exp α_{T−1}(L − 1) + exp α_{T−1}(L − 2)).
double forward_walk(const Sequence& q, double* alpha, int64_t row) {
  if (q.frames == 0) return q.states == 1 ? 0 : kInf;
  for (int64_t s = 0; s < q.states; ++s) alpha[s] = s < 2 ? q.log_prob(0, s) : -kInf;
  for (int64_t t = 1; t < q.frames; ++t) {
    const double* before = alpha + (t - 1) * row;
    for (int64_t s = 0; s < q.states; ++s)
      alpha[t * row + s] =
          q.log_prob(t, s) + log_sum_exp(before[s], s >= 1 ? before[s - 1] : -kInf,
                                         s >= 2 && q.may_skip_to(s) ? before[s - 2] : -kInf);
  }
  const double* last = alpha + (q.frames - 1) * row;
  return -log_sum_exp(last[q.states - 1], q.states > 1 ? last[q.states - 2] : -kInf, -kInf);
}

/// β_t(s) = log P(frames t + 1 … are emitted, to the end of the target | the walk is in s at t):
///   β_{T−1} = 0 in the last two states,
///   β_t(s) = log Σ_{s′ after s} exp(β_{t+1}(s′) + log p_{t+1}(s′)).
/// Together P(in s at t | target) = exp(α_t(s) + β_t(s) + loss), and
///   dlog_probs_t(c) = −dloss · Σ_{s emits c} of that, added to grad[t · stride + c].
void backward_walk(const Sequence& q, const double* alpha, int64_t row, double loss, double dloss,
                   double* grad) {
  const size_t states = static_cast<size_t>(q.states);
  std::vector<double> beta(states, -kInf), onward(states);  // onward: β + log p, a frame later
  for (int64_t s = std::max<int64_t>(0, q.states - 2); s < q.states; ++s)
    beta[static_cast<size_t>(s)] = 0;
  for (int64_t t = q.frames - 1; t >= 0; --t) {
    for (size_t s = 0; s < states && t < q.frames - 1; ++s)
      beta[s] = log_sum_exp(
          onward[s], s + 1 < states ? onward[s + 1] : -kInf,
          s + 2 < states && q.may_skip_to(static_cast<int64_t>(s) + 2) ? onward[s + 2] : -kInf);
    for (int64_t s = 0; s < q.states; ++s) {
      const double b = beta[static_cast<size_t>(s)];
      grad[t * q.stride + q.labels[s]] -= dloss * std::exp(alpha[t * row + s] + b + loss);
      onward[static_cast<size_t>(s)] = b + q.log_prob(t, s);
    }
  }
}

/// The number of sequences in a chunk of work.
int64_t sequences_per_chunk(int64_t frames, int64_t states) {
  return std::max<int64_t>(1, 2048 / (frames * states));
}

/// dlog_probs (T, N, C) from dloss (N), with what walk_each saved; f64.
Tensor ctc_grad(const Batch& batch, const Tensor& log_probs, const Tensor& alpha,
                const Tensor& loss, const Tensor& dloss, bool zero_infinity) {
  const Tensor grad = zeros(log_probs.shape(), f64), upstream = contiguous(to(dloss, f64));
  const int64_t frames = alpha.size(1), row = alpha.size(2);
  parallel_for(alpha.size(0), sequences_per_chunk(frames, row), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const Sequence q(batch, log_probs, n);
      const double nll = loss.data<double>()[n], dnll = upstream.data<double>()[n];
      double* dx = grad.data<double>() + n * log_probs.size(2);
      if (nll != kInf) {
        backward_walk(q, alpha.data<double>() + n * frames * row, row, nll, dnll, dx);
      } else if (!zero_infinity) {
        for (int64_t t = 0; t < q.frames; ++t)
          std::fill_n(dx + t * q.stride, log_probs.size(2), std::nan(""));
      }
    }
  });
  return grad;
}

/// The losses (N) in primitive ops. Every walk begins in state 0 before the first frame. If there
/// is no walk, the loss is ∞ and its gradient 0 (as for logsumexp of only −∞).
Tensor reference_each(const Arg& log_probs, const Batch& batch) {
  const Tensor& labels = batch.labels;
  const int64_t sequences = labels.size(0), states = labels.size(1);
  const double blank = static_cast<double>(batch.blank);
  const Tensor two_before = slice(pad(labels, {2, 0}, blank), 1, 0, states);
  const Tensor may_skip_to = labels != blank && labels != two_before;
  const Tensor frames = unsqueeze(batch.input_lengths, 1);  // (N, 1)

  Tensor alpha = pad(zeros({sequences, 1}, log_probs.dtype()), {0, states - 1}, -kInf);
  for (int64_t t = 0; t < log_probs.size(0); ++t) {
    const Tensor log_p = gather(select(log_probs, 0, t), 1, labels);
    const Tensor shifted = pad(alpha, {2, 0}, -kInf);
    const Tensor from_one = slice(shifted, 1, 1, states + 1);
    const Tensor from_two = where(may_skip_to, slice(shifted, 1, 0, states), -kInf);
    const Tensor next = logsumexp(stack({alpha, from_one, from_two}), 0) + log_p;
    alpha = where(frames > static_cast<double>(t), next, alpha);
  }
  const Tensor last = unsqueeze(2 * batch.target_lengths, 1), no_label = last == 0;
  const Tensor in_last = gather(alpha, 1, last);
  const Tensor in_label = gather(alpha, 1, where(no_label, last, last - 1));
  return -logsumexp(cat({in_last, where(no_label, -kInf, in_label)}, 1), 1);
}

/// The losses (N) by the walks above.
///   dlog_probs: backward_walk     saved: log_probs, the batch, α, loss (the last two in f64)
Tensor walk_each(const Arg& log_probs, const Batch& batch, bool zero_infinity) {
  const Tensor values = contiguous(to(log_probs.detach(), f64));
  const int64_t frames = values.size(0), sequences = values.size(1), row = batch.labels.size(1);
  const Tensor alpha = Tensor::empty({sequences, frames, row}, f64);
  const Tensor loss = Tensor::empty({sequences}, f64);
  parallel_for(sequences, sequences_per_chunk(frames, row), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n)
      loss.data<double>()[n] =
          forward_walk(Sequence(batch, values, n), alpha.data<double>() + n * frames * row, row);
  });
  return record(
      "ctc_loss", {log_probs}, to(loss, log_probs.dtype()),
      Save{log_probs, batch.labels, batch.input_lengths, batch.target_lengths, alpha, loss},
      [blank = batch.blank, zero_infinity](const Saved& saved, const Tensor& dy) -> Grads {
        const Tensor log_probs = saved[0], loss = saved[5];
        const Batch batch{saved[1], saved[2], saved[3], blank};
        if (!grad_enabled()) {
          const Tensor values = contiguous(to(log_probs, f64));
          return {
              to(ctc_grad(batch, values, saved[4], loss, dy, zero_infinity), log_probs.dtype())};
        }
        const Tensor dx = reference_grads(
            {log_probs}, dy, [&](const auto& in) { return reference_each(in[0], batch); })[0];
        if (zero_infinity) return {dx};
        const Tensor frame = reshape(arange(log_probs.size(0)), {-1, 1, 1});
        const Tensor impossible =
            frame < reshape(batch.input_lengths, {1, -1, 1}) && reshape(loss == kInf, {1, -1, 1});
        return {masked_fill(dx, impossible, std::nan(""))};
      });
}

/// The losses of `each`, reduced as requested.
template <class Each>
Tensor ctc(const Arg& log_probs, const Tensor& targets, const Tensor& input_lengths,
           const Tensor& target_lengths, int64_t blank, Reduction reduction, bool zero_infinity,
           const Each& each) {
  const Batch batch = make_batch(log_probs, targets, input_lengths, target_lengths, blank);
  const bool batched = log_probs.dim() == 3;
  const CallScope here(log_probs.at);
  Tensor loss = each(batched ? Tensor(log_probs) : unsqueeze(log_probs, 1), batch);
  if (zero_infinity) loss = where(loss == kInf, 0, loss);
  if (reduction == Reduction::sum) return sum(loss);
  if (reduction == Reduction::mean)
    return mean(loss / clamp(to(batch.target_lengths, loss.dtype()), 1));
  return batched ? loss : squeeze(loss, 0);
}

}  // namespace

/// −log of the probability that a network emits `targets`, summed over all alignments: at every
/// frame it emits a label or a blank; repetitions are merged, then blanks dropped ("-aa-b" → "ab").
///   loss = −log Σ_{alignments π of targets} Π_t p_t(π_t)
/// log_probs: (T, N, C) logarithms of probabilities (log_softmax over C), or (T, C) for one
/// sequence. targets: i64, (N, S) padded with anything, or all sequences one after another in one
/// dimension. input_lengths, target_lengths: i64, (N): how many frames, and labels, count; () for
/// one sequence. blank: the label without meaning. `none` gives (N), () for one sequence;
/// `mean` divides every loss by its target's length (1 at least) first. A target that does not fit
/// into its frames has probability 0: its loss is ∞ and its gradient NaN; with zero_infinity both
/// are 0. An empty target is valid: all blanks.
///   dlog_probs_t(c) = −dloss · P(the alignment emits c at frame t | targets)
/// This is the exact derivative. PyTorch adds p_t(c), which a preceding log_softmax subtracts
/// again: gradients are equal before the log_softmax, and differ between it and the loss.
/// Computed in f64, also for f32. Throws Error("ctc_loss") for shapes and dtypes that do not fit,
/// lengths beyond T or S, and labels that are blank or not below C.
/// Source: Graves et al. 2006. As https://pytorch.org/docs/stable/generated/torch.nn.CTCLoss.html
Tensor ctc_loss(const Arg& log_probs, const Tensor& targets, const Tensor& input_lengths,
                const Tensor& target_lengths, int64_t blank, Reduction reduction,
                bool zero_infinity) {
  return ctc(log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity,
             [=](const Arg& x, const Batch& batch) { return walk_each(x, batch, zero_infinity); });
}

Tensor ctc_loss_reference(const Arg& log_probs, const Tensor& targets, const Tensor& input_lengths,
                          const Tensor& target_lengths, int64_t blank, Reduction reduction,
                          bool zero_infinity) {
  return ctc(log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity,
             reference_each);
}

}  // namespace tarsier
