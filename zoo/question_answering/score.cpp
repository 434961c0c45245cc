#include "zoo/question_answering/score.h"

#include <algorithm>
#include <utility>

#include "autograd/base/error.h"

namespace tarsier::zoo::question_answering {

namespace {

constexpr double kFailed = 0.05;

}  // namespace

Score::Score(std::vector<std::string> tasks)
    : names_(std::move(tasks)), asked_(names_.size()), wrong_(names_.size()) {}

void Score::add(int64_t task, bool right) {
  ++asked_.at(static_cast<size_t>(task));
  if (!right) ++wrong_[static_cast<size_t>(task)];
}

double Score::error(int64_t task) const {
  const auto t = static_cast<size_t>(task);
  return asked_[t] == 0 ? 0 : static_cast<double>(wrong_[t]) / static_cast<double>(asked_[t]);
}

int64_t Score::asked_tasks() const {
  return std::count_if(asked_.begin(), asked_.end(), [](int64_t count) { return count > 0; });
}

double Score::mean_error() const {
  double sum = 0;
  for (int64_t task = 0; task < tasks(); ++task) sum += error(task);
  return sum / static_cast<double>(std::max<int64_t>(1, asked_tasks()));
}

int64_t Score::failed() const {
  int64_t count = 0;
  for (int64_t task = 0; task < tasks(); ++task) count += error(task) > kFailed;
  return count;
}

Metric Score::metric() const {
  return {.name = "error",
          .value = 100 * mean_error(),
          .digits = 1,
          .unit = concat("%, ", failed(), " of ", asked_tasks(), " tasks failed")};
}

Metrics Score::by_task() const {
  Metrics all;
  for (int64_t task = 0; task < tasks(); ++task)
    if (questions(task) > 0)
      all.push_back({.name = name(task), .value = 100 * error(task), .digits = 1, .unit = "%"});
  return all;
}

}  // namespace tarsier::zoo::question_answering
