#include "zoo/gpt/adapter.h"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <vector>

#include "autograd/io/file.h"
#include "autograd/io/json.h"
#include "autograd/io/safetensors.h"

namespace tarsier::zoo::gpt {

namespace {

std::vector<std::string> targets_of(const Config& config) {
  std::vector<std::string> targets;
  std::istringstream list(config.lora_targets);
  for (std::string name; std::getline(list, name, ',');) targets.push_back(name);
  return targets;
}

}  // namespace

void check_adapters(const Config& config) {
  if (config.lora.r == 0) return;
  const std::vector<std::string> targets = targets_of(config);
  for (const std::string& name : targets)
    check((name == "c_attn" || name == "c_proj" || name == "c_fc") &&
              std::count(targets.begin(), targets.end(), name) == 1,
          "gpt", "lora_targets=", config.lora_targets, ": '", name,
          "' is not one of c_attn, c_proj and c_fc, or is there twice");
  check(!targets.empty(), "gpt", "lora_targets is empty: name c_attn, c_proj or c_fc");
}

void save_adapters(const Config& config, const TensorDict& weights, const std::string& base,
                   const std::string& folder) {
  namespace fs = std::filesystem;
  TensorDict adapters;
  for (const auto& [name, tensor] : weights)
    if (name.find(".lora_") != name.npos) adapters.add("base_model.model." + name, tensor);
  Json::Array targets;
  for (const std::string& name : targets_of(config)) targets.emplace_back(name);
  const Json json = Json::Object{{"peft_type", "LORA"},
                                 {"task_type", "CAUSAL_LM"},
                                 {"base_model_name_or_path", base},
                                 {"r", config.lora.r},
                                 {"lora_alpha", config.lora.lora_alpha},
                                 {"lora_dropout", config.lora.lora_dropout},
                                 {"target_modules", targets},
                                 {"bias", "none"},
                                 {"fan_in_fan_out", true},  // transformers' Conv1D
                                 {"inference_mode", true}};
  std::error_code error;
  fs::create_directories(folder, error);
  check(!error, "file", folder, ": cannot make the folder: ", error.message());
  save_safetensors((fs::path(folder) / "adapter_model.safetensors").string(), adapters,
                   {{"format", "pt"}});
  write_file_atomically((fs::path(folder) / "adapter_config.json").string(), json.dump(2) + "\n");
}

}  // namespace tarsier::zoo::gpt
