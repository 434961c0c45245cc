#include "zoo/task/task.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "zoo/base/format.h"

namespace tarsier::zoo {

Settings Task::settings() {
  Settings settings(name());
  add_settings(settings);
  recipe.add_to(settings);
  return settings;
}

Facts Task::facts() {
  Facts facts{
      {"model", concat(model_facts(), ": ", counted(model().num_parameters(), "parameter"))},
      {"data", data_facts()},
      {"recipe",
       concat(counted(steps(), "step"), " of ", batch_facts(), ", learning rate ",
              recipe.learning_rate, " → ", recipe.learning_rate_of(steps() + 1, steps()))},
  };
  if (const std::string cut = cut_facts(); !cut.empty())
    facts.insert(facts.begin() + 2, {"cut", cut});
  return facts;
}

int64_t Task::batches_per_epoch() const {
  return (training_examples() - 1) / recipe.batch_size + 1;
}

int64_t Task::steps() const {
  if (recipe.epochs == 0) return recipe.steps;
  const double batches = recipe.epochs * static_cast<double>(batches_per_epoch());
  return std::max<int64_t>(1, std::llround(batches / static_cast<double>(recipe.accumulate)));
}

int64_t Task::eval_every() const {
  if (recipe.eval_every > 0) return recipe.eval_every;
  return std::max<int64_t>(1, batches_per_epoch() / recipe.accumulate);
}

std::vector<std::string> Task::muon_parameters() {
  std::vector<std::string> names;
  for (const auto& [name, parameter] : model().named_parameters()) {
    bool in_list = false;  // ".0."
    for (size_t i = 1; i + 1 < name.size(); ++i)
      in_list =
          in_list || (std::isdigit(static_cast<unsigned char>(name[i])) != 0 &&
                      (name[i - 1] == '.' || std::isdigit(name[i - 1]) != 0) && name[i + 1] == '.');
    if (in_list && parameter.dim() == 2) names.push_back(name);
  }
  return names;
}

}  // namespace tarsier::zoo
