#include "zoo/report/report.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <filesystem>
#include <optional>

#include "autograd/io/file.h"
#include "zoo/base/format.h"
#include "zoo/report/curves.h"
#include "zoo/report/page.h"

namespace tarsier::zoo {

namespace {

constexpr int64_t kBuckets = 500;  // of a curve: a screen shows no more than 1,000 points

std::string with_spaces(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

/// The loss of a model that gives every answer the same probability.
double guessing_loss(const Choice& choice) { return std::log(static_cast<double>(choice.count)); }

/// "4.57 = ln 97".
std::string guessing_text(const Choice& choice) {
  return concat(fixed(guessing_loss(choice), 2), " = ln ", with_commas(choice.count));
}

/// Explains a loss: compared with guessing, and as a number of choices.
void explain_loss(Page& page, const Choice& choice, const TrainOutcome& outcome) {
  std::string text =
      concat("A model that guesses, giving each of the ", with_commas(choice.count), " ", choice.of,
             " the same probability, has a loss of ", guessing_text(choice),
             " (the dashed line). A loss of L is as uncertain as a choice between e^L of them");
  for (const Metric& metric : outcome.metrics) {
    if (!metric.name.ends_with("loss") || !(metric.value < 20)) continue;
    text += concat(": the ", with_spaces(metric.name), " of ", metric.text(), ", as one between ",
                   fixed(std::exp(metric.value), 1));
    break;
  }
  page.paragraph(text + ".");
}

void add_outcome(Page& page, Task& task, const TrainOutcome& outcome,
                 const std::vector<Series>& curves) {
  const std::string steps = with_commas(task.steps());
  page.paragraph(outcome.interrupted
                     ? concat("Stopped after step ", with_commas(outcome.step), " of ", steps, ".")
                 : outcome.early
                     ? concat("Stopped early after step ", with_commas(outcome.step), " of ", steps,
                              ": the last validations brought no improvement.")
                     : concat("All ", steps, " steps are done."));
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Metric& metric : outcome.metrics) rows.emplace_back(metric.name, metric.text());
  if (const std::optional<Choice> choice = task.choice())
    rows.emplace_back("loss by guessing", guessing_text(*choice));
  if (outcome.best_step > 0)
    rows.emplace_back("measured after step", with_commas(outcome.best_step));
  for (const Series& curve : curves)
    if (curve.name == "seconds") rows.emplace_back("time", as_duration(curve.y.back()));
  page.pairs(rows);
  if (outcome.best_step > 0 && outcome.best_step < outcome.step)
    page.paragraph(
        "The weights of that step are kept: later ones were no better on the "
        "validation split.");
}

Figure chart(const std::vector<Series>& series, const std::string& title,
             ChartOptions options = {}) {
  std::vector<Series> thin;
  for (const Series& one : series) thin.push_back(thinned(one, kBuckets));
  options.label = title;
  return {line_chart(thin, options), title};
}

/// All losses in one chart, every other number in its own.
void add_curves(Page& page, const Task& task, const TrainOutcome& outcome,
                const std::vector<Series>& curves) {
  std::vector<Series> losses;
  std::vector<Figure> charts{{}};
  for (const Series& curve : curves) {
    const std::string& name = curve.name;
    if (name == "train_loss" && curve.x.size() > 50) {
      losses.push_back(curve);
      losses.back().faint = true;
      losses.push_back(smoothed(curve, std::max(5.0, static_cast<double>(curve.x.size()) / 50)));
      losses.back().name += ", smoothed";
    } else if (name.ends_with("loss")) {
      losses.push_back(curve);
    } else if (name == "lr") {
      charts.push_back(chart({curve}, "learning rate"));
    } else if (name == "grad_norm") {
      charts.push_back(chart({curve}, "norm of the gradient, before clipping", {.log_y = true}));
    } else if (name.ends_with("_per_second")) {
      charts.push_back(chart({curve}, with_spaces(name)));
    } else if (name != "seconds" && name.find(':') == name.npos) {
      const auto metric = std::ranges::find(outcome.metrics, name, &Metric::name);
      const bool percent = metric != outcome.metrics.end() && metric->unit == "%";
      charts.insert(charts.begin() + 1,
                    chart({curve}, with_spaces(name) + (percent ? ", %" : "") + ", validation"));
    }
  }
  if (losses.empty()) {
    page.paragraph("No step is done yet.");
    return;
  }
  for (Series& loss : losses) loss.name = with_spaces(loss.name);
  ChartOptions options;
  const std::optional<Choice> choice = task.choice();
  if (choice) options.mark = guessing_loss(*choice), options.mark_label = "guessing";
  charts[0] = chart(losses, "loss", options);
  if (choice) explain_loss(page, *choice, outcome);
  page.charts(charts);
}

void add_settings(Page& page, const RunConfig& config) {
  std::vector<std::pair<std::string, std::string>> rows{
      {"seed", std::to_string(config.seed)},
      {"data", config.data_path.empty() ? "the default" : config.data_path}};
  if (!config.from.empty()) rows.emplace_back("from", config.from);
  for (const auto& [name, value] : config.settings.as_object())
    rows.emplace_back(name, value.is_string() ? value.as_string() : value.dump());
  page.pairs(rows);
}

}  // namespace

void write_report(Task& task, const RunFolder& folder, const TrainOutcome& outcome,
                  const std::vector<std::string>& next) {
  const RunConfig config = folder.read_config();
  const std::vector<Series> curves = read_curves(read_file(folder.file("metrics.jsonl")));
  const std::string name =
      std::filesystem::absolute(folder.path()).lexically_normal().filename().string();
  Page page(name == task.name() ? name : concat(task.name(), ": ", name));
  add_outcome(page, task, outcome, curves);
  page.table({"", ""}, [&] {
    std::vector<std::vector<std::string>> rows;
    for (const auto& [name, text] : task.facts()) rows.push_back({name, text});
    return rows;
  }());
  page.section("Training");
  add_curves(page, task, outcome, curves);

  std::exception_ptr problem;
  try {
    task.model().load_state_dict(folder.load_weights());
    task.model().eval();
    task.report(page);
  } catch (const std::exception& error) {
    problem = std::current_exception();
    page.paragraph(concat("This part could not be made: ", error.what()));
  }

  page.section("Settings");
  add_settings(page, config);
  page.section("Next steps");
  std::string commands;
  for (const std::string& command : next) commands += command + "\n";
  page.preformatted(commands);
  write_file_atomically(folder.file("report.html"), page.html());
  if (problem) std::rethrow_exception(problem);
}

}  // namespace tarsier::zoo
