// The page of a comparison.
#include <algorithm>
#include <map>

#include "zoo/base/format.h"
#include "zoo/compare/claims.h"
#include "zoo/compare/results.h"
#include "zoo/report/page.h"

namespace tarsier::zoo::compare {
namespace {

/// One curve for each model that has outcomes: value(outcome) over the distance, the largest where
/// there are several.
template <class Value>
std::vector<Series> curves(const std::vector<Outcome>& outcomes, const Value& value) {
  std::vector<Series> all;
  for (const ModelKind& model : model_kinds()) {
    std::map<int64_t, double> points;
    for (const Outcome& outcome : outcomes) {
      if (outcome.run.model != model.name || outcome.run.few) continue;
      double& y = points.try_emplace(outcome.run.distance, value(outcome)).first->second;
      y = std::max(y, value(outcome));
    }
    if (points.empty()) continue;
    all.push_back({.name = model.name});
    for (const auto& [distance, y] : points) {
      all.back().x.push_back(static_cast<double>(distance));
      all.back().y.push_back(y);
    }
  }
  return all;
}

Figure chart(const std::vector<Series>& series, const std::string& title, ChartOptions options) {
  options.label = title;
  options.log_x = true;
  return {line_chart(series, options), title};
}

void add_accuracy(Page& page, const std::vector<Outcome>& outcomes) {
  page.section("Accuracy against distance");
  std::vector<Figure> charts;
  for (const SyntheticTask& task : synthetic_tasks()) {
    std::vector<Outcome> of_task;
    for (const Outcome& outcome : outcomes)
      if (outcome.run.task == task.name && !outcome.run.few) of_task.push_back(outcome);
    if (of_task.empty()) continue;
    const auto accuracy = [](const Outcome& outcome) { return 100 * outcome.accuracy; };
    charts.push_back(chart(
        curves(of_task, accuracy), concat(task.name, ": ", task.summary, "; right answers in %"),
        {.x_label = "distance in tokens", .mark = 100 * task.chance, .mark_label = "guessing"}));
  }
  page.charts(charts);
  const Table table = accuracy_table(outcomes);
  page.table(table.head, table.rows);
}

void add_cost(Page& page, const std::vector<Outcome>& outcomes) {
  page.section("Speed and memory against length");
  page.paragraph(
      "Of training steps: forward, backward and update. The best of all tasks at each distance, on "
      "this machine, whatever else it did.");
  const ChartOptions axes{.x_label = "distance in tokens", .log_y = true};
  const auto speed = [](const Outcome& outcome) { return outcome.tokens_per_second(); };
  const auto memory = [](const Outcome& outcome) { return outcome.peak_megabytes(); };
  page.charts({chart(curves(outcomes, speed), "tokens per second", axes),
               chart(curves(outcomes, memory), "memory of a step in MB", axes)});
  const Table table = cost_table(outcomes);
  page.collapsed_table("In numbers", table.head, table.rows);
}

void add_runs(Page& page, const std::vector<Outcome>& outcomes) {
  std::vector<std::vector<std::string>> rows;
  for (const Outcome& outcome : outcomes)
    rows.push_back({outcome.run.task, outcome.run.model, with_commas(outcome.run.distance),
                    outcome.run.few ? "few" : "always new", with_commas(outcome.parameters),
                    with_commas(outcome.steps), fixed(100 * outcome.accuracy, 1),
                    as_duration(outcome.seconds), as_duration(outcome.processor),
                    with_commas(static_cast<int64_t>(outcome.tokens_per_second())),
                    fixed(outcome.peak_megabytes(), 1)});
  page.collapsed_table("All runs",
                       {"task", "model", "distance", "sequences", "parameters", "steps",
                        "accuracy, %", "time", "processor time", "tokens/s", "memory, MB"},
                       rows);
}

}  // namespace

std::string report_page(const Recipe& recipe, const std::vector<Outcome>& outcomes) {
  Page page("Attention, recurrence, convolution");
  page.paragraph(concat(
      "Models of about equal size learn the same tasks, in which an answer depends on tokens that "
      "lie far back. Each trains for at most ",
      with_commas(recipe.steps), " steps of ", recipe.batch,
      " sequences. It stops when its answers are right, or if after ", kPatience,
      " steps it still guesses. All have the same optimiser and learning rate. A model that fails "
      "here may learn the task with more steps, another rate or other initial weights."));
  std::vector<std::vector<std::string>> rows;
  for (const Claim& claim : claims(outcomes)) rows.push_back({claim.claim, claim.measured});
  page.table({"said", "measured"}, rows);
  add_accuracy(page, outcomes);
  add_cost(page, outcomes);
  const Table few = few_table(outcomes);
  if (!few.rows.empty()) {
    page.section("Few sequences");
    page.paragraph(concat("Trained on the same ", with_commas(recipe.examples),
                          " sequences again and again: right answers in % in those, and in new ",
                          "ones. A model that knows the first by heart and fails on the second "
                          "has overfitted."));
    page.table(few.head, few.rows);
  }
  page.section("The runs");
  page.table({"model", "body"}, [] {
    std::vector<std::vector<std::string>> rows;
    for (const ModelKind& model : model_kinds()) rows.push_back({model.name, model.summary});
    return rows;
  }());
  add_runs(page, outcomes);
  return page.html();
}

}  // namespace tarsier::zoo::compare
