#include "zoo/compare/claims.h"

#include <algorithm>

#include "zoo/base/format.h"

namespace tarsier::zoo::compare {
namespace {

constexpr double kRight = 0.98;

/// "a, b; c" with `mark` between the parts.
std::string joined(const std::vector<std::string>& parts, const std::string& mark) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : mark) + part;
  return text.empty() ? "no runs" : text;
}

/// The outcomes of a model on always new sequences.
std::vector<Outcome> of_model(const std::vector<Outcome>& outcomes, const std::string& model) {
  std::vector<Outcome> out;
  for (const Outcome& outcome : outcomes)
    if (outcome.run.model == model && !outcome.run.few) out.push_back(outcome);
  return out;
}

/// "copy: attention 256, lstm none": the longest distance at which 98 % of the answers are right.
std::string reach(const std::vector<Outcome>& outcomes) {
  std::vector<std::string> tasks;
  for (const SyntheticTask& task : synthetic_tasks()) {
    std::vector<std::string> models;
    for (const ModelKind& model : model_kinds()) {
      int64_t farthest = 0, tried = 0;
      for (const Outcome& outcome : of_model(outcomes, model.name)) {
        if (outcome.run.task != task.name) continue;
        tried = std::max(tried, outcome.run.distance);
        if (outcome.accuracy >= kRight) farthest = std::max(farthest, outcome.run.distance);
      }
      if (tried > 0)
        models.push_back(
            concat(model.name, " ", farthest > 0 ? with_commas(farthest) : std::string("none")));
    }
    if (!models.empty()) tasks.push_back(concat(task.name, ": ", joined(models, ", ")));
  }
  return joined(tasks, "; ");
}

/// The fastest outcome of a model at its shortest (or longest) distance; none without runs.
const Outcome* fastest(const std::vector<Outcome>& of_one, bool at_longest) {
  const Outcome* best = nullptr;
  for (const Outcome& outcome : of_one) {
    const int64_t here = outcome.run.distance, there = best == nullptr ? here : best->run.distance;
    const bool nearer = at_longest ? here > there : here < there;
    if (best == nullptr || nearer ||
        (here == there && outcome.tokens_per_second() > best->tokens_per_second()))
      best = &outcome;
  }
  return best;
}

/// "attention 50,000 tokens/s at distance 16, 9,000 at 1,024; …"
std::string speeds(const std::vector<Outcome>& outcomes) {
  std::vector<std::string> parts;
  for (const ModelKind& model : model_kinds()) {
    const std::vector<Outcome> of_one = of_model(outcomes, model.name);
    if (of_one.empty()) continue;
    const Outcome &near = *fastest(of_one, false), &far = *fastest(of_one, true);
    const auto speed = [](const Outcome& outcome) {
      return with_commas(static_cast<int64_t>(outcome.tokens_per_second()));
    };
    parts.push_back(concat(model.name, " ", speed(near), " tokens/s at distance ",
                           with_commas(near.run.distance), ", ", speed(far), " at ",
                           with_commas(far.run.distance)));
  }
  return joined(parts, "; ");
}

/// How much more processor time and memory a sequence takes, if it is as many times longer. A busy
/// machine changes the time that passes, but hardly that of the processor.
std::string growth(const std::vector<Outcome>& outcomes) {
  std::vector<std::string> parts;
  for (const ModelKind& model : model_kinds()) {
    const std::vector<Outcome> of_one = of_model(outcomes, model.name);
    if (of_one.empty()) continue;
    const Outcome &near = *fastest(of_one, false), &far = *fastest(of_one, true);
    if (near.run.distance == far.run.distance) continue;
    const auto times = [](double a, double b) { return fixed(a / b, a < 10 * b ? 1 : 0); };
    const auto per_step = [](const Outcome& outcome, double total) {
      return total / static_cast<double>(outcome.steps);
    };
    const auto tokens = [&](const Outcome& outcome) {
      return per_step(outcome, static_cast<double>(outcome.tokens));
    };
    parts.push_back(concat(
        model.name, " takes ", times(per_step(far, far.processor), per_step(near, near.processor)),
        " times the processor time and ",
        times(static_cast<double>(far.peak_bytes), static_cast<double>(near.peak_bytes)),
        " times the memory for ", times(tokens(far), tokens(near)), " times the tokens"));
  }
  return joined(parts, "; ");
}

/// "copy: attention 100.0 % of those trained on, 30.1 % of new ones, …"
std::string gaps(const std::vector<Outcome>& outcomes) {
  std::vector<std::string> parts;
  for (const Outcome& outcome : outcomes)
    if (outcome.run.few)
      parts.push_back(concat(outcome.run.task, ", ", outcome.run.model, " ",
                             fixed(100 * outcome.trained, 0), " → ",
                             fixed(100 * outcome.accuracy, 0), " %"));
  return joined(parts, "; ");
}

}  // namespace

std::vector<Claim> claims(const std::vector<Outcome>& outcomes) {
  return {
      {"Attention reaches over long distances where recurrent and convolutional networks do not "
       "(Vaswani et al. 2017, section 4; Bengio et al. 1994).",
       concat("The longest distance at which 98 % of the answers are right: ", reach(outcomes),
              ".")},
      {"Attention runs in parallel over the tokens, a recurrent network step by step (Vaswani et "
       "al. 2017, table 1).",
       concat("In training: ", speeds(outcomes), ".")},
      {"The cost of attention grows with the square of the length, that of the others in "
       "proportion to it (Vaswani et al. 2017, table 1).",
       concat("For a step: ", growth(outcomes), ".")},
      {"Transformers, which assume little about sequences, overfit small data (Dosovitskiy et al. "
       "2021, for images).",
       concat("Right answers in sequences trained on → in new ones, from few sequences: ",
              gaps(outcomes), ".")}};
}

}  // namespace tarsier::zoo::compare
