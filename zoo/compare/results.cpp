#include "zoo/compare/results.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "autograd/io/file.h"
#include "zoo/base/format.h"

namespace tarsier::zoo::compare {
namespace {

const std::string kNone = "–";

std::string percent(double share) { return fixed(100 * share, 1); }

/// All distances of runs on always new sequences.
std::set<int64_t> distances_of(const std::vector<Outcome>& outcomes) {
  std::set<int64_t> distances;
  for (const Outcome& outcome : outcomes)
    if (!outcome.run.few) distances.insert(outcome.run.distance);
  return distances;
}

/// A table whose rows have two names, and text(distance) for each distance.
struct ByDistance {
  std::set<int64_t> distances;
  Table table;

  ByDistance(const std::vector<Outcome>& outcomes, const char* first, const char* second)
      : distances(distances_of(outcomes)), table{{first, second}, {}} {
    for (const int64_t distance : distances) table.head.push_back(with_commas(distance));
  }
  /// Adds a row, unless nothing is in it.
  template <class Text>
  void add(const std::string& first, const std::string& second, const Text& text) {
    std::vector<std::string> row{first, second};
    bool any = false;
    for (const int64_t distance : distances) {
      row.push_back(text(distance));
      any = any || row.back() != kNone;
    }
    if (any) table.rows.push_back(row);
  }
};

/// The largest value of a model's outcomes at a distance as text.
template <class Value>
std::string largest(const std::vector<Outcome>& outcomes, const Run& any_task, const Value& value,
                    int digits) {
  double most = -1;
  for (const Outcome& outcome : outcomes)
    if (outcome.run.model == any_task.model && outcome.run.distance == any_task.distance &&
        !outcome.run.few)
      most = std::max(most, value(outcome));
  if (most < 0) return kNone;
  return digits == 0 ? with_commas(static_cast<int64_t>(most)) : fixed(most, digits);
}

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

Table accuracy_table(const std::vector<Outcome>& outcomes) {
  ByDistance by(outcomes, "task", "model");
  for (const SyntheticTask& task : synthetic_tasks())
    for (const ModelKind& model : model_kinds())
      by.add(task.name, model.name, [&](int64_t distance) {
        const auto found =
            std::ranges::find(outcomes, Run{task.name, model.name, distance}, &Outcome::run);
        return found == outcomes.end() ? kNone : percent(found->accuracy);
      });
  return by.table;
}

Table cost_table(const std::vector<Outcome>& outcomes) {
  ByDistance by(outcomes, "in training", "model");
  for (const ModelKind& model : model_kinds())
    by.add("tokens/s", model.name, [&](int64_t distance) {
      return largest(
          outcomes, {"", model.name, distance},
          [](const Outcome& outcome) { return outcome.tokens_per_second(); }, 0);
    });
  for (const ModelKind& model : model_kinds())
    by.add("MB", model.name, [&](int64_t distance) {
      return largest(
          outcomes, {"", model.name, distance},
          [](const Outcome& outcome) { return outcome.peak_megabytes(); }, 1);
    });
  return by.table;
}

Table few_table(const std::vector<Outcome>& outcomes) {
  Table table{{"task", "model", "distance", "trained on", "new"}, {}};
  for (const Outcome& outcome : outcomes)
    if (outcome.run.few)
      table.rows.push_back({outcome.run.task, outcome.run.model, with_commas(outcome.run.distance),
                            percent(outcome.trained), percent(outcome.accuracy)});
  return table;
}

}  // namespace tarsier::zoo::compare
