#include "zoo/metrics/classification.h"

#include <algorithm>
#include <tuple>

#include "autograd/base/error.h"
#include "autograd/io/json.h"
#include "zoo/base/format.h"
#include "zoo/data/text.h"

namespace tarsier::zoo {

ConfusionMatrix::ConfusionMatrix(int64_t classes) : classes_(classes) {
  check(classes >= 1, "metric", "a confusion matrix of ", classes, " classes");
  counts_.assign(static_cast<size_t>(classes * classes), 0);
}

void ConfusionMatrix::add(int64_t truth, int64_t predicted) {
  check(truth >= 0 && truth < classes_ && predicted >= 0 && predicted < classes_, "metric",
        "class ", truth, " predicted as ", predicted, ", but there are only ", classes_);
  ++counts_[static_cast<size_t>(truth * classes_ + predicted)];
}

void ConfusionMatrix::add(const std::vector<int64_t>& truth,
                          const std::vector<int64_t>& predicted) {
  check(truth.size() == predicted.size(), "metric", truth.size(), " classes and ", predicted.size(),
        " predictions");
  for (size_t i = 0; i < truth.size(); ++i) add(truth[i], predicted[i]);
}

int64_t ConfusionMatrix::total() const {
  int64_t sum = 0;
  for (int64_t count : counts_) sum += count;
  return sum;
}

int64_t ConfusionMatrix::row_sum(int64_t truth) const {
  int64_t sum = 0;
  for (int64_t c = 0; c < classes_; ++c) sum += at(truth, c);
  return sum;
}

int64_t ConfusionMatrix::column_sum(int64_t predicted) const {
  int64_t sum = 0;
  for (int64_t c = 0; c < classes_; ++c) sum += at(c, predicted);
  return sum;
}

namespace {

double ratio(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// `text` right-aligned to `width` characters.
std::string right(const std::string& text, size_t width) {
  const auto characters = static_cast<size_t>(count_characters(text));
  return std::string(characters < width ? width - characters : 0, ' ') + text;
}

std::string percent(double share) { return fixed(100 * share, 1); }

}  // namespace

double ConfusionMatrix::accuracy() const {
  check(total() > 0, "metric", "no examples were counted");
  int64_t correct = 0;
  for (int64_t c = 0; c < classes_; ++c) correct += at(c, c);
  return ratio(correct, total());
}

double ConfusionMatrix::precision(int64_t c) const { return ratio(at(c, c), column_sum(c)); }
double ConfusionMatrix::recall(int64_t c) const { return ratio(at(c, c), row_sum(c)); }

double ConfusionMatrix::f1(int64_t c) const {
  return ratio(2 * at(c, c), row_sum(c) + column_sum(c));
}

double ConfusionMatrix::iou(int64_t c) const {
  return ratio(at(c, c), row_sum(c) + column_sum(c) - at(c, c));
}

template <class Score, class Counts>
double ConfusionMatrix::mean_over(const Score& score, const Counts& counts) const {
  double sum = 0;
  int64_t occurring = 0;
  for (int64_t c = 0; c < classes_; ++c) {
    if (!counts(c)) continue;
    sum += score(c);
    ++occurring;
  }
  check(occurring > 0, "metric", "no examples were counted");
  return sum / static_cast<double>(occurring);
}

double ConfusionMatrix::macro_f1() const {
  return mean_over([&](int64_t c) { return f1(c); }, [&](int64_t c) { return occurs(c); });
}

double ConfusionMatrix::mean_iou() const {
  return mean_over([&](int64_t c) { return iou(c); }, [&](int64_t c) { return occurs(c); });
}

double ConfusionMatrix::mean_recall() const {
  return mean_over([&](int64_t c) { return recall(c); }, [&](int64_t c) { return row_sum(c) > 0; });
}

std::string ConfusionMatrix::describe(const std::vector<std::string>& names) const {
  check(static_cast<int64_t>(names.size()) == classes_, "metric", names.size(), " names for ",
        classes_, " classes");
  const auto name = [&](int64_t c) -> const std::string& { return names[static_cast<size_t>(c)]; };
  const bool whole = classes_ <= 10;
  size_t widest = 9;  // "predicted"
  for (const std::string& text : names)
    widest = std::max(widest, static_cast<size_t>(count_characters(text)));
  const size_t column = std::max(widest, size_t{6}) + 2;
  std::string out = right("predicted", widest);
  for (int64_t c = 0; c < classes_ && whole; ++c) out += right(name(c), column);
  out += right("recall", 9) + right("F1", 7) + '\n';
  for (int64_t truth = 0; truth < classes_; ++truth) {
    out += right(name(truth), widest);
    for (int64_t c = 0; c < classes_ && whole; ++c)
      out += right(std::to_string(at(truth, c)), column);
    out += right(percent(recall(truth)), 9) + right(percent(f1(truth)), 7) + '\n';
  }
  if (whole) return out;

  std::vector<std::tuple<int64_t, int64_t, int64_t>> mistakes;  // −count, so that sorting is simple
  for (int64_t truth = 0; truth < classes_; ++truth)
    for (int64_t c = 0; c < classes_; ++c)
      if (c != truth && at(truth, c) > 0) mistakes.emplace_back(-at(truth, c), truth, c);
  std::sort(mistakes.begin(), mistakes.end());
  for (size_t i = 0; i < mistakes.size() && i < 10; ++i) {
    const auto [count, truth, c] = mistakes[i];
    out += concat(-count, " × ", name(truth), " taken for ", name(c), '\n');
  }
  return out;
}

Json ConfusionMatrix::to_json() const {
  Json::Array rows;
  for (int64_t truth = 0; truth < classes_; ++truth) {
    const auto row = counts_.begin() + truth * classes_;
    rows.emplace_back(Json::Array(row, row + classes_));
  }
  return rows;
}

}  // namespace tarsier::zoo
