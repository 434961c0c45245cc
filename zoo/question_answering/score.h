#pragma once
// How well questions are answered, by kind.

#include <cstdint>
#include <string>
#include <vector>

#include "../metrics/metric.h"

namespace tarsier::zoo::question_answering {

/// Right and wrong answers to every kind of question.
class Score {
 public:
  /// `tasks` are the names of the kinds.
  explicit Score(std::vector<std::string> tasks);

  void add(int64_t task, bool right);

  int64_t tasks() const { return static_cast<int64_t>(names_.size()); }
  const std::string& name(int64_t task) const { return names_[static_cast<size_t>(task)]; }
  int64_t questions(int64_t task) const { return asked_[static_cast<size_t>(task)]; }
  /// The share of wrong answers to this kind; 0 if it was not asked.
  double error(int64_t task) const;
  /// The mean of error() over the kinds that were asked: each counts as much as the others.
  double mean_error() const;
  /// The number of kinds with more than 5 % wrong answers: they count as failed (Weston et al.
  /// 2015).
  int64_t failed() const;

  /// "error 8.1 %, 7 of 20 tasks failed", from which the best weights are chosen.
  Metric metric() const;
  /// The error of each kind, in per cent, under its name.
  Metrics by_task() const;

 private:
  int64_t asked_tasks() const;

  std::vector<std::string> names_;
  std::vector<int64_t> asked_, wrong_;
};

}  // namespace tarsier::zoo::question_answering
