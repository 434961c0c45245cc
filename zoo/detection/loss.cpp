#include "zoo/detection/loss.h"

#include <algorithm>
#include <cmath>

#include "zoo/boxes/assignment.h"
#include "zoo/boxes/ops.h"

namespace tarsier::zoo::detection {

namespace {

constexpr double kAlpha = 0.25;

/// The costs of giving each of objects begin … end − 1 to each of the Q guesses of a picture.
/// logits (Q, classes), boxes (Q, 4), objects (M, 4) → M · Q numbers.
std::vector<double> costs_of(const Tensor& logits, const Tensor& boxes, const Objects& objects,
                             int64_t begin, int64_t end, const LossWeights& weights) {
  const Tensor wanted = unsqueeze(slice(objects.boxes, 0, begin, end), 1);  // (M, 1, 4)
  const Tensor given = unsqueeze(boxes, 0);                                 // (1, Q, 4)
  const std::vector<int64_t> labels(objects.labels.begin() + begin, objects.labels.begin() + end);
  // (M, Q): the logit of each object's class.
  const Tensor x = index_select(transpose(logits, 0, 1), 0, from_vector(labels, {end - begin}));
  const Tensor label = focal_loss(x, ones_like(x), kAlpha) - focal_loss(x, zeros_like(x), kAlpha);
  const Tensor apart = sum(abs(given - wanted), {-1});
  const Tensor giou = generalized_box_iou(cxcywh_to_xyxy(given), cxcywh_to_xyxy(wanted));
  return (weights.label * label + weights.box * apart - weights.giou * giou).to_vector();
}

}  // namespace

Tensor focal_loss(const Arg& logits, const Tensor& targets, double alpha) {
  const CallScope here(logits.at);
  const Tensor p = sigmoid(logits);
  // −t log σ(x) − (1 − t) log σ(−x) = softplus(x) − t · x
  const Tensor entropy = softplus(logits) - targets * logits;
  const Tensor weight = where(targets > 0, alpha * ones_like(targets), 1 - alpha);
  return weight * square(targets - p) * entropy;
}

Matches match(const Guess& guess, const Objects& objects, const LossWeights& weights,
              int64_t copies) {
  const NoGrad no_grad;
  const int64_t Q = guess.logits.size(1);
  Matches out;
  int64_t begin = 0;
  for (int64_t b = 0; b < std::ssize(objects.counts); ++b) {
    const int64_t count = objects.counts[static_cast<size_t>(b)];
    if (count == 0) continue;
    const std::vector<double> once =
        costs_of(select(guess.logits.detach(), 0, b), select(guess.boxes.detach(), 0, b), objects,
                 begin, begin + count, weights);
    const int64_t times = std::clamp<int64_t>(Q / count, 1, copies);
    std::vector<double> costs;
    for (int64_t k = 0; k < times; ++k) costs.insert(costs.end(), once.begin(), once.end());
    const Assignment best = linear_sum_assignment(costs, times * count, Q);
    for (size_t i = 0; i < best.rows.size(); ++i) {
      out.queries.push_back(b * Q + best.columns[i]);
      out.objects.push_back(begin + best.rows[i] % count);
    }
    begin += count;
  }
  return out;
}

Tensor set_loss(const Guess& guess, const Objects& objects, const Matches& matches,
                const LossWeights& weights, int64_t copies, bool quality) {
  const int64_t classes = guess.logits.size(2), pairs = std::ssize(matches.queries);
  const double share = 1.0 / static_cast<double>(std::max<int64_t>(1, copies * objects.size()));
  const Tensor logits = reshape(guess.logits, {-1, classes});
  Tensor targets = zeros(logits.shape(), logits.dtype());
  if (pairs == 0) return sum(focal_loss(logits, targets)) * (weights.label * share);

  const Tensor found =
      index_select(reshape(guess.boxes, {-1, 4}), 0, from_vector(matches.queries, {pairs}));
  const Tensor wanted = index_select(objects.boxes, 0, from_vector(matches.objects, {pairs}));
  const Tensor a = cxcywh_to_xyxy(found), b = cxcywh_to_xyxy(wanted);
  std::vector<int64_t> places;  // of the matched classes among all logits
  for (size_t i = 0; i < matches.queries.size(); ++i)
    places.push_back(matches.queries[i] * classes +
                     objects.labels[static_cast<size_t>(matches.objects[i])]);
  const Tensor target =
      quality ? clamp(box_iou(a.detach(), b), 1e-3) : ones({pairs}, logits.dtype());
  targets =
      reshape(scatter(flatten(targets), 0, from_vector(places, {pairs}), target), logits.shape());
  return share * (weights.label * sum(focal_loss(logits, targets)) +
                  weights.box * sum(abs(found - wanted)) +
                  weights.giou * sum(1 - generalized_box_iou(a, b)));
}

}  // namespace tarsier::zoo::detection
