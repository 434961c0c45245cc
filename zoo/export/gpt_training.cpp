#include "zoo/export/gpt_training.h"

#include <vector>

#include "autograd/io/file.h"
#include "autograd/ops.h"
#include "zoo/data/embedded.h"
#include "zoo/data/fingerprint.h"
#include "zoo/data/lines.h"
#include "zoo/data/text.h"
#include "zoo/gpt/tokens.h"
#include "zoo/task/models.h"

namespace tarsier::zoo {

namespace {

using List = PythonValue::List;
using Dict = PythonValue::Dict;

/// A group of torch.optim.AdamW with the parameters of these numbers.
Dict group_of(const Recipe& recipe, double lr, double weight_decay, List numbers) {
  return {{"weight_decay", weight_decay},
          {"lr", lr},
          {"betas", List{recipe.beta1, recipe.beta2}},
          {"eps", optim::AdamWOptions().eps},
          {"amsgrad", false},
          {"maximize", false},
          {"foreach", PythonValue()},
          {"capturable", false},
          {"differentiable", false},
          {"fused", PythonValue()},
          {"decoupled_weight_decay", true},
          {"params", std::move(numbers)}};
}

/// The tokens as bytes, two for each.
std::string bytes_of(const std::vector<int32_t>& tokens) {
  std::string bytes;
  bytes.reserve(2 * tokens.size());
  for (const int32_t token : tokens) {
    bytes += static_cast<char>(token & 255);
    bytes += static_cast<char>((token >> 8) & 255);
  }
  return bytes;
}

}  // namespace

GptRun::GptRun(const RunFolder& run)
    : GptRun(run.read_config(), make_trained_task(run, run.read_config())) {}

GptRun::GptRun(RunConfig run_config, std::unique_ptr<Task> trained)
    : config(std::move(run_config)),
      task(std::move(trained)),
      model(dynamic_cast<const gpt::Gpt*>(&task->model())),
      steps(task->recipe.steps) {
  check(model != nullptr, "export", config.model,
        " is not a gpt, the only model that can be exported as this");
  check(model->config.lora.r == 0, "export",
        "the run has adapters: export it --as huggingface, which merges them");
  if (task->recipe.epochs == 0) return;
  load_trained_data(*task, config, {});  // the length of an epoch
  steps = task->steps();
}

TensorDict with_head(const TensorDict& weights, bool tied) {
  constexpr const char* kHead = "lm_head.weight";
  TensorDict all;
  for (const auto& [name, tensor] : weights)
    if (name != kHead || !tied) all.add(name, tensor);
  if (tied) all.add(kHead, weights["transformer.wte.weight"]);
  return all;
}

PythonValue adamw_state(const TensorDict& parameters, const TensorDict& state, const Recipe& recipe,
                        double lr) {
  Dict states;
  List decayed, others;
  for (const bool is_decayed : {true, false}) {
    for (const auto& [name, parameter] : parameters) {
      if ((parameter.dim() >= 2) != is_decayed) continue;
      const auto number = static_cast<int64_t>(decayed.size() + others.size());
      (is_decayed ? decayed : others).emplace_back(number);
      const Tensor *steps = state.find(name + ".step"), *mean = state.find(name + ".exp_avg"),
                   *square = state.find(name + ".exp_avg_sq");
      if (steps == nullptr) continue;  // never updated
      check(mean != nullptr && square != nullptr, "export", name,
            " is not trained by AdamW, the only optimiser that can be exported (train with --set "
            "optimizer=adamw)");
      states.emplace_back(
          number, Dict{{"step", to(*steps, f32)}, {"exp_avg", *mean}, {"exp_avg_sq", *square}});
    }
  }
  return Dict{{"state", std::move(states)},
              {"param_groups", List{group_of(recipe, lr, recipe.weight_decay, std::move(decayed)),
                                    group_of(recipe, lr, 0, std::move(others))}}};
}

std::string write_token_files(const RunConfig& config, const std::string& folder) {
  const std::string without = "no train.bin and val.bin: ";
  const gpt::TextTokens tokens = gpt::TextTokens::from_json(config.data["vocabulary"]);
  if (tokens.size() > 65536)
    return concat(without, "u16 is too small for ", tokens.size(), " different tokens");
  std::string text = config.data_path.empty() ? std::string(embedded_text()) : "";
  if (!config.data_path.empty()) {
    if (!file_exists(config.data_path))
      return concat(without, "'", config.data_path, "' is not there any more");
    text = read_text_file(config.data_path);
  }
  if (config.data["fingerprint"] != Json(Fingerprint().add(text).text()))
    return concat(without, "the data changed since this model was trained");
  const auto [first, rest] = gpt::training_and_validation(text);
  write_file_atomically(folder + "/train.bin", bytes_of(tokens.encode(first, "the data")));
  write_file_atomically(folder + "/val.bin", bytes_of(tokens.encode(rest, "the data")));
  return "";
}

}  // namespace tarsier::zoo
