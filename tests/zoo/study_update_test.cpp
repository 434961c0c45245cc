// What the study page says of the optimiser is what the optimiser did.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "autograd/io/json.h"
#include "autograd/ops.h"
#include "tests/error_of.h"
#include "tests/zoo/recorded.h"
#include "tests/zoo/scratch.h"
#include "zoo/study/step.h"

namespace tarsier::study {
namespace {

using zoo::Scratch;

/// The first step of a tiny GPT with these settings; its task is left in `task`.
Recording first_step(const Scratch& scratch, std::unique_ptr<zoo::Task>& task,
                     zoo::Changes changes) {
  for (const auto& [key, value] : zoo::kTinySettings) changes.emplace_back(key, value);
  task = zoo::prepared_task("gpt", scratch.write("data.txt", zoo::small_text()), changes, 3);
  return record_step(*task, 3, nullptr, {.tokens = 6, .proof_seconds = 0});
}

double setting(const Update& update, const std::string& name) {
  for (const auto& [given, value] : update.settings)
    if (given == name) return value;
  return NAN;
}

TEST_CASE("study: the update is AdamW's formula with the step's numbers") {
  const Scratch scratch;
  std::unique_ptr<zoo::Task> task;
  const Recording recording = first_step(scratch, task, {});
  REQUIRE(recording.update.has_value());
  const Update& update = *recording.update;
  CHECK(update.optimizer == "AdamW");
  CHECK(update.formula == "adamw");
  REQUIRE(update.formulas.size() == 1);
  CHECK(update.formulas[0].lines.size() == 6);
  CHECK(update.weights.size() == task->model().named_parameters().size());
  for (const Update::Weight& weight : update.weights) {
    const std::vector<double> before = numbers(recording, weight.before),
                              after = numbers(recording, weight.after),
                              g = numbers(recording, weight.gradient);
    // In the first step the corrected moments are g and g².
    for (size_t i = 0; i < g.size(); ++i) {
      const double expected = before[i] * (1 - weight.lr * weight.weight_decay) -
                              weight.lr * g[i] / (std::abs(g[i]) + setting(update, "eps"));
      CHECK(std::abs(after[i] - expected) < 1e-6 * std::max(1.0, std::abs(before[i])));
    }
    CHECK(weight.weight_decay ==
          (values(recording, weight.before).dim() >= 2 ? task->recipe.weight_decay : 0));
    CHECK(weight.formula == "");
  }
}

/// M with singular values close to 1, as optim/muon.h says.
Tensor orthogonalized(const Tensor& m) {
  const bool tall = m.size(0) > m.size(1);
  Tensor x = (tall ? transpose(m, 0, 1) : m) / norm(m);
  for (int round = 0; round < 5; ++round) {
    const Tensor a = matmul(x, transpose(x, 0, 1));
    x = 3.4445 * x + matmul(2.0315 * matmul(a, a) - 4.7750 * a, x);
  }
  return tall ? transpose(x, 0, 1) : x;
}

TEST_CASE("study: with Muon every weight names its own formula, which gives its step") {
  const Scratch scratch;
  std::unique_ptr<zoo::Task> task;
  const Recording recording =
      first_step(scratch, task, {{"optimizer", "muon"}, {"warmup_steps", "0"}});
  REQUIRE(recording.update.has_value());
  const Update& update = *recording.update;
  CHECK(update.optimizer == "AdamW and Muon");
  CHECK(update.formula == "adamw");
  REQUIRE(update.formulas.size() == 2);
  CHECK(update.formulas[1].name == "muon");
  CHECK(setting(update, "Muon momentum") == 0.95);
  CHECK(setting(update, "Muon eps") == 1e-7);
  CHECK(setting(update, "eps") == 1e-8);
  const std::vector<std::string> names = task->muon_parameters();
  const std::set<std::string> by_muon(names.begin(), names.end());
  size_t seen = 0;
  for (const Update::Weight& weight : update.weights) {
    const std::string& name = recording.nodes[static_cast<size_t>(weight.node)].name;
    CAPTURE(name);
    CHECK(weight.formula == (by_muon.contains(name) ? "muon" : ""));
    if (weight.formula.empty()) continue;
    ++seen;
    REQUIRE(weight.state.size() == 2);  // momentum_buffer, step
    const Tensor g = to(values(recording, weight.gradient), f64),
                 before = to(values(recording, weight.before), f64),
                 after = to(values(recording, weight.after), f64);
    const double mu = setting(update, "Muon momentum");
    const Tensor direction = g * ((1 - mu) * mu + (1 - mu));  // the buffer was 0
    const double size = 0.2 * std::sqrt(static_cast<double>(std::max(g.size(0), g.size(1))));
    const Tensor step = orthogonalized(direction) * size + before * weight.weight_decay;
    // Without the last digits of f32, which the rounds of the iteration enlarge.
    CHECK(max(abs(after - (before - step * weight.lr))).item() <
          2e-4 * weight.lr * max(abs(step)).item() + 1e-7);
  }
  CHECK(seen == by_muon.size());
  const Json json = Json::parse(page_data(recording).json)["update"];
  CHECK(json["formulas"]["muon"].as_array().size() == 5);
  CHECK(json["weights"].as_array()[0].find("formula") == nullptr);
}

TEST_CASE("the rule of a parameter that the model lacks is an error") {
  const Scratch scratch;
  std::unique_ptr<zoo::Task> task;
  first_step(scratch, task, {});
  const zoo::Optimizers optimizers(task->recipe, task->model(), {});
  check_error("[recipe] the model has no parameter 'x'", [&] { optimizers.rule_of("x"); });
}

}  // namespace
}  // namespace tarsier::study
