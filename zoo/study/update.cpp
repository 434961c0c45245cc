#include "zoo/study/update.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <utility>

namespace tarsier::study {

namespace {

using zoo::UpdateRule;

int node_of(const Recording& recording, const std::string& parameter) {
  for (size_t i = 0; i < recording.nodes.size(); ++i)
    if (recording.nodes[i].kind == RecordedNode::Kind::parameter &&
        recording.nodes[i].name == parameter)
      return static_cast<int>(i);
  return -1;
}

double option(const UpdateRule& rule, const std::string& name) {
  for (const auto& [given, value] : rule.options)
    if (given == name) return value;
  return 0;
}

std::string formula_name(const UpdateRule& rule) {
  std::string name = rule.optimizer;
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

/// The formula of an optimiser of the zoo (optim/adam.h, optim/muon.h).
Update::Formula formula_of(const UpdateRule& rule) {
  Update::Formula formula{.name = formula_name(rule)};
  if (rule.optimizer == "AdamW") {
    formula.lines = {
        {"Weight decay: the weight shrinks a little towards 0.", "w_0 = w · (1 − lr · λ)"},
        {"A running mean of the gradient.", "m′ = β_1 · m + (1 − β_1) · g"},
        {"A running mean of its square.", "v′ = β_2 · v + (1 − β_2) · g^2"},
        {"Both began at 0, so early means are too small: step t puts the first one right …",
         "hat{m} = frac{m′}{1 − β_1^t}"},
        {"… and the second one.", "hat{v} = frac{v′}{1 − β_2^t}"},
        {"The step: the direction divided by its usual size.",
         "w′ = w_0 − lr · frac{hat{m}}{sqrt{hat{v}} + ε}"},
    };
  } else if (rule.optimizer == "Muon") {
    const bool nesterov = option(rule, "nesterov") != 0;
    formula.lines = {
        {"A running mean of the gradient of the whole matrix.", "B′ = μ · B + (1 − μ) · G"},
        {nesterov ? "One step further in its direction (Nesterov)." : "Its direction.",
         nesterov ? "M = μ · B′ + (1 − μ) · G" : "M = B′"},
        {concat("Its singular values are brought close to 1, in ", option(rule, "ns_steps"),
                " rounds: rare directions move as much as frequent ones."),
         "O = text{orthogonalize}(M)"},
        {"The n × m numbers of the step get the size of AdamW's.",
         "r = 0.2 · sqrt{text{max}(n, m)}"},
        {"Weight decay and the step.", "W′ = W · (1 − lr · λ) − lr · r · O"}};
  }
  return formula;
}

/// A tensor that is shown, but in which nothing is looked up: of large ones, a few rows travel.
int add_shown(Recording& recording, const Tensor& x) {
  const int index = recording.add_tensor(x);
  recording.tensors[static_cast<size_t>(index)].travel = Travel::derived;
  return index;
}

/// The moments of `parameter`: "fc.weight.exp_avg" is called "exp_avg".
void add_state(Recording& recording, Update::Weight& weight, const std::string& parameter,
               const TensorDict& before, const TensorDict& after) {
  for (const auto& [name, tensor] : after) {
    if (!name.starts_with(parameter + ".") || name.find('.', parameter.size() + 1) != name.npos)
      continue;
    Update::State state{.name = name.substr(parameter.size() + 1),
                        .after = add_shown(recording, tensor)};
    if (before.contains(name)) state.before = add_shown(recording, before[name]);
    weight.state.push_back(std::move(state));
  }
}

/// Names the optimiser of a weight, its formula and its numbers; where groups differ (weight
/// decay), the largest: weights have their own.
void add_rule(Update& update, Update::Weight& weight, const UpdateRule& rule) {
  const Update::Formula formula = formula_of(rule);
  const bool first = update.formulas.empty();
  if (std::ranges::find(update.formulas, formula.name, &Update::Formula::name) ==
      update.formulas.end()) {
    update.optimizer += (first ? "" : " and ") + rule.optimizer;
    update.formulas.push_back(formula);
  }
  if (first) update.formula = formula.name;
  weight.weight_decay = option(rule, "weight_decay");
  if (formula.name != update.formula) weight.formula = formula.name;
  for (const auto& [name, value] : rule.options) {
    // Two optimisers may call different things by one name.
    const std::string full = weight.formula.empty() ? name : concat(rule.optimizer, " ", name);
    using Setting = std::pair<std::string, double>;
    const auto known = std::ranges::find(update.settings, full, &Setting::first);
    if (known == update.settings.end())
      update.settings.emplace_back(full, value);
    else
      known->second = std::max(known->second, value);
  }
}

}  // namespace

TensorDict copies(const TensorDict& tensors) {
  TensorDict out;
  for (const auto& [name, tensor] : tensors) out.add(name, clone(tensor.detach()));
  return out;
}

void add_update(Recording& recording, zoo::Task& task, zoo::Optimizers& optimizers, double rate) {
  Update update;
  update.settings = {{"lr", rate}};
  const double most = task.recipe.clip_norm;
  const double norm = optim::clip_grad_norm_(task.model().parameters(), most > 0 ? most : INFINITY);
  if (most > 0) update.clip = Update::Clip{norm, most};
  TensorDict gradients;
  for (const auto& [name, parameter] : task.model().named_parameters())
    if (parameter.grad().defined()) gradients.add(name, clone(parameter.grad()));

  const TensorDict before = copies(optimizers.state_dict());
  optimizers.set_lr(rate);
  optimizers.step();
  const TensorDict after = optimizers.state_dict();
  for (const auto& [name, value] : task.model().named_parameters()) {
    const int node = node_of(recording, name);
    if (node < 0 || !gradients.contains(name)) continue;
    Update::Weight weight{.node = node,
                          .before = recording.nodes[static_cast<size_t>(node)].value,
                          .after = add_shown(recording, value),
                          .gradient = add_shown(recording, gradients[name]),
                          .lr = rate};
    add_rule(update, weight, optimizers.rule_of(name));
    add_state(recording, weight, name, before, after);
    update.weights.push_back(std::move(weight));
  }
  recording.update = std::move(update);
}

}  // namespace tarsier::study
