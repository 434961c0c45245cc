#include "zoo/recommend/lists.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace tarsier::zoo::recommend {

namespace {

/// The scores of all items after each history: (N, V).
Tensor scores_after(SasRec& model, const std::vector<History>& histories) {
  const Batch last = last_items(histories, model.config.max_length);
  return model(last["index"], last["places"],
               model.pairs ? model.pairs->evidence(histories) : Evidence());
}

}  // namespace

std::vector<Recommendation> recommended(SasRec& model, const History& seen, int64_t count) {
  check(!seen.empty(), "predict", "no items: give those that the user had, oldest first");
  const NoGrad no_grad;
  std::vector<double> scores = scores_after(model, {seen}).to_vector();
  for (const int32_t item : seen)
    scores[static_cast<size_t>(item)] = -std::numeric_limits<double>::infinity();
  const std::vector<double> p = softmax(from_vector(scores, {std::ssize(scores)}), 0).to_vector();
  std::vector<int32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::erase_if(
      order, [&](int32_t item) { return std::find(seen.begin(), seen.end(), item) != seen.end(); });
  const auto more = [&](int32_t a, int32_t b) {
    const double x = scores[static_cast<size_t>(a)], y = scores[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  };
  const auto end = order.begin() + std::min<int64_t>(count, std::ssize(order));
  std::partial_sort(order.begin(), end, order.end(), more);
  std::vector<Recommendation> list;
  for (auto item = order.begin(); item != end; ++item)
    list.push_back({*item, p[static_cast<size_t>(*item)]});
  return list;
}

int64_t place_of_next(SasRec& model, const Question& question) {
  const NoGrad no_grad;
  const Tensor scores = to(scores_after(model, {question.seen}), f32);
  return place_in(scores.data<float>(), scores.numel(), question.next, question.seen);
}

Metrics Judgement::metrics(const std::string& loss_name) const {
  Metrics all = score.metrics("");
  if (const int64_t again = score.without_wanted(); again > 0)
    all.back().note = concat(with_commas(again), " of ", with_commas(score.lists()),
                             " wanted items were in the history, and cannot be hit");
  all.push_back({.name = loss_name, .value = loss / static_cast<double>(score.lists())});
  return all;
}

Judgement judge(SasRec& model, const std::vector<Question>& questions) {
  constexpr size_t kTogether = 256;
  const NoGrad no_grad;
  Judgement judgement;
  for (size_t begin = 0; begin < questions.size(); begin += kTogether) {
    std::vector<History> histories;
    std::vector<int64_t> next;
    for (size_t i = begin; i < std::min(begin + kTogether, questions.size()); ++i) {
      histories.push_back(questions[i].seen);
      next.push_back(questions[i].next);
    }
    const Tensor scores = contiguous(to(scores_after(model, histories), f32));  // (N, V)
    judgement.loss +=
        cross_entropy(scores, from_vector(next, {std::ssize(next)}), {.reduction = Reduction::sum})
            .item();
    for (size_t i = 0; i < next.size(); ++i)
      judgement.score.add(place_in(scores.data<float>() + static_cast<int64_t>(i) * scores.size(1),
                                   scores.size(1), next[i], histories[i]));
  }
  return judgement;
}

}  // namespace tarsier::zoo::recommend
