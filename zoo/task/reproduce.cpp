#include "zoo/task/reproduce.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "autograd/io/json.h"
#include "zoo/base/format.h"
#include "zoo/base/json_number.h"
#include "zoo/base/usage_error.h"
#include "zoo/task/models.h"

namespace tarsier::zoo {

namespace fs = std::filesystem;

// ------------------------------------------------------------------------------------- results

double MarkResult::mean() const {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double MarkResult::deviation() const {
  if (values.size() < 2) return 0;
  double sum = 0;
  for (const double value : values) sum += (value - mean()) * (value - mean());
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

std::string MarkResult::text(const Metric& bound) const {
  std::string text = fixed(mean(), bound.digits);
  if (values.size() > 1) text += " ± " + fixed(deviation(), bound.digits);
  return text + (bound.unit.empty() ? "" : " " + bound.unit);
}

bool MarkResult::passes(const Metric& bound) const {
  return bound.higher_is_better ? mean() >= bound.value : mean() <= bound.value;
}

MarkResult RowResult::of(size_t mark) const {
  MarkResult result;
  for (const SeedResult& seed : seeds) result.values.push_back(seed.values.at(mark));
  return result;
}

double RowResult::minutes() const {
  double seconds = 0;
  for (const SeedResult& seed : seeds) seconds += seed.seconds;
  return seconds / 60 / static_cast<double>(seeds.size());
}

// --------------------------------------------------------------------------------- reproduction

namespace {

std::unique_ptr<Task> configured(const ReproduceRow& row) {
  std::unique_ptr<Task> task = find_model(row.model).make();
  Settings settings = task->settings();
  for (const auto& [key, value] : row.settings) settings.set(key, value);
  return task;
}

/// The settings as config.json stores them.
Json settings_of(const ReproduceRow& row) {
  RunConfig config;
  config.keep(configured(row)->settings());
  return config.settings;
}

}  // namespace

std::string Reproduction::folder(const ReproduceRow& row, uint64_t seed) const {
  return concat(out_, "/", row.name, "/seed-", seed);
}

std::string Reproduction::data_path(const ReproduceRow& row) const {
  return row.data.empty() ? "" : fs::absolute(fs::path(data_) / row.data).string();
}

void Reproduction::check_data(const std::vector<ReproduceRow>& rows) const {
  std::string missing;
  for (const ReproduceRow& row : rows) {
    std::error_code ignored;
    if (row.data.empty() || (!data_.empty() && fs::exists(data_path(row), ignored))) continue;
    missing += concat(missing.empty() ? "" : ", ", row.data, " (", row.name, ")");
  }
  if (missing.empty()) return;
  usage_fail("reproduce",
             data_.empty() ? "give the folder with --data DIR that holds "
                           : concat("the folder '", data_, "' of --data does not hold "),
             missing);
}

std::optional<SeedResult> Reproduction::finished(const ReproduceRow& row, uint64_t seed) const {
  const std::string path = folder(row, seed) + "/result.json";
  if (!fs::exists(path)) return {};
  // With other settings it is another result.
  const RunConfig kept = RunFolder::open(folder(row, seed)).read_config();
  if (kept.model != row.model || kept.settings != settings_of(row)) return {};
  try {
    const Json json = Json::parse(read_file(path), path);
    SeedResult result{seed, {}, json["seconds"].as_double()};
    for (const Mark& mark : row.marks) {
      const Json* const value = json["metrics"].find(mark.bound.name);
      if (value == nullptr) return {};
      result.values.push_back(number_of(*value));
    }
    return result;
  } catch (const Error& error) {
    fail("reproduce", path, " is damaged: ", error.what(), ". Remove it to evaluate again");
  }
}

std::unique_ptr<Task> Reproduction::prepare(const ReproduceRow& row, uint64_t seed) const {
  std::unique_ptr<Task> task = configured(row);
  task->load_data(data_path(row));
  task->build(seed);
  check_batch_memory(*task, seed);
  return task;
}

std::optional<SeedResult> Reproduction::run(const ReproduceRow& row, Task& task, uint64_t seed,
                                            const std::function<bool()>& interrupted,
                                            TrainObserver& observer) const {
  RunConfig config;
  config.model = task.name();
  config.seed = seed;
  config.data_path = data_path(row);
  config.data = task.describe_data();
  config.keep(task.settings());

  const std::string path = folder(row, seed);
  const bool resume = fs::exists(path + "/config.json") && RunFolder::open(path).has_checkpoint();
  RunFolder::check_space(path, disk_space_needed(task));
  const RunFolder run = resume ? RunFolder::open(path) : RunFolder::create(path);
  const RunLock lock(run);
  if (resume) {
    const RunConfig kept = run.read_config();
    check(kept.model == config.model && kept.seed == seed && kept.settings == config.settings &&
              kept.learned_from(config.data),
          "reproduce", path, " holds a run with other settings or data: remove it, or choose ",
          "another --out");
  } else {
    run.write_config(config);
  }
  TrainOptions options;
  options.seed = seed;
  options.resume = resume;
  options.interrupted = interrupted;
  if (train(task, run, options, observer).interrupted) return {};

  Settings eval_options = task.eval_options();
  for (const auto& [option, other] : row.runs)
    eval_options.set(option, concat(out_, "/", other, "/seed-1"));
  const Metrics metrics = task.evaluate();
  SeedResult result{seed, {}, run.load_checkpoint().seconds};
  Json::Object measured;
  for (const Mark& mark : row.marks) {
    const auto found = std::find_if(metrics.begin(), metrics.end(), [&](const Metric& metric) {
      return metric.name == mark.bound.name;
    });
    check(found != metrics.end(), "reproduce", row.name, ": the evaluation says nothing of '",
          mark.bound.name, "'");
    result.values.push_back(found->value);
    measured.emplace_back(found->name, json_number(found->value));
  }
  write_file_atomically(
      run.file("result.json"),
      Json(Json::Object{{"metrics", std::move(measured)}, {"seconds", result.seconds}}).dump(2) +
          "\n");
  return result;
}

std::optional<RowResult> Reproduction::result(const ReproduceRow& row) const {
  RowResult all;
  for (uint64_t seed = 1;; ++seed) {
    const std::optional<SeedResult> one = finished(row, seed);
    if (!one) break;
    all.seeds.push_back(*one);
  }
  if (all.seeds.empty()) return {};
  return all;
}

std::string Reproduction::table(const std::vector<ReproduceRow>& rows) const {
  std::string text =
      "| row | metric | result | seeds | minutes each | mark | passes | published |\n"
      "|---|---|---|---|---|---|---|---|\n";
  for (const ReproduceRow& row : rows) {
    const std::optional<RowResult> result = this->result(row);
    if (!result) continue;
    for (size_t i = 0; i < row.marks.size(); ++i) {
      const auto& [bound, published] = row.marks[i];
      const MarkResult reached = result->of(i);
      text += concat("| ", row.name, " | ", bound.name, " | ", reached.text(bound), " | ",
                     result->seeds.size(), " | ", fixed(result->minutes(), 1), " | ",
                     bound.higher_is_better ? "≥ " : "≤ ", bound.text(), " | ",
                     reached.passes(bound) ? "yes" : "no", " | ", published, " |\n");
    }
  }
  return text;
}

}  // namespace tarsier::zoo
