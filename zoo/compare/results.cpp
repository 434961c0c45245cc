#include "zoo/compare/results.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "autograd/io/file.h"
#include "zoo/base/format.h"

namespace tarsier::zoo::compare {
namespace {

std::string percent(double share) { return fixed(100 * share, 1); }

}  // namespace

Results::Results(std::string folder, const Recipe& recipe)
    : folder_(std::move(folder)), recipe_(recipe) {
  const std::string file = folder_ + "/results.json";
  if (!std::filesystem::exists(file)) return;
  const Json json = Json::parse(read_file(file), file);
  check(json["recipe"] == recipe.to_json(), "compare", file,
        " has results of other settings: ", json["recipe"].dump(), ", not ",
        recipe.to_json().dump(), "; give another folder with --out");
  for (const Json& one : json["outcomes"].as_array()) outcomes_.push_back(Outcome::from_json(one));
}

const Outcome* Results::find(const Run& run) const {
  const auto found = std::ranges::find(outcomes_, run, &Outcome::run);
  return found == outcomes_.end() ? nullptr : &*found;
}

void Results::add(const Outcome& outcome) {
  outcomes_.push_back(outcome);
  write();
}

void Results::write() const {
  Json::Array all;
  for (const Outcome& outcome : outcomes_) all.push_back(outcome.to_json());
  const Json json = Json::Object{{"recipe", recipe_.to_json()}, {"outcomes", std::move(all)}};
  std::filesystem::create_directories(folder_);
  write_file_atomically(folder_ + "/results.json", json.dump(2) + "\n");
  write_file_atomically(folder_ + "/report.html", report_page(recipe_, outcomes_));
}

AccuracyTable accuracy_table(const std::vector<Outcome>& outcomes) {
  std::set<int64_t> distances;
  for (const Outcome& outcome : outcomes)
    if (!outcome.run.few) distances.insert(outcome.run.distance);
  AccuracyTable table{{"task", "model"}, {}};
  for (const int64_t distance : distances) table.head.push_back(with_commas(distance));
  for (const SyntheticTask& task : synthetic_tasks())
    for (const ModelKind& model : model_kinds()) {
      std::vector<std::string> row{task.name, model.name};
      for (const int64_t distance : distances) {
        const auto found =
            std::ranges::find(outcomes, Run{task.name, model.name, distance}, &Outcome::run);
        row.push_back(found == outcomes.end() ? "–" : percent(found->accuracy));
      }
      if (std::ranges::any_of(row.begin() + 2, row.end(), [](const auto& t) { return t != "–"; }))
        table.rows.push_back(row);
    }
  return table;
}

AccuracyTable few_table(const std::vector<Outcome>& outcomes) {
  AccuracyTable table{{"task", "model", "distance", "trained on", "new"}, {}};
  for (const Outcome& outcome : outcomes)
    if (outcome.run.few)
      table.rows.push_back({outcome.run.task, outcome.run.model, with_commas(outcome.run.distance),
                            percent(outcome.trained), percent(outcome.accuracy)});
  return table;
}

}  // namespace tarsier::zoo::compare
