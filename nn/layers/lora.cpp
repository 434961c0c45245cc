#include "nn/layers/lora.h"

#include <map>
#include <string>

#include "nn/init.h"

namespace tarsier::nn {

LoraLinear::LoraLinear(int64_t in_features, int64_t out_features, bool with_bias,
                       const LoraOptions& options)
    : Linear(in_features, out_features, with_bias), lora(options) {
  check(lora.r >= 0, "lora", "a rank of ", lora.r, ": it must be 0 (no adapter) or more");
  if (lora.r == 0) return;
  register_module("lora_A", lora_A.emplace(in_features, lora.r, /*with_bias=*/false));
  register_module("lora_B", lora_B.emplace(lora.r, out_features, /*with_bias=*/false));
  register_module("lora_dropout", lora_dropout.emplace(lora.lora_dropout));
  zeros_(lora_B->weight);
}

Tensor LoraLinear::operator()(const Arg& x) {
  return called([this](const Arg& input) { return forward(input); }, x);
}

Tensor LoraLinear::forward(const Arg& x) {
  const Tensor y = Linear::forward(x);
  return lora.r == 0 ? y : y + (*lora_B)((*lora_A)((*lora_dropout)(x))) * scaling();
}

Tensor LoraLinear::merged_weight() const {
  const NoGrad guard;
  if (lora.r > 0) check(weight.defined(), "lora", "the weight has 8 bits: merge before quantize_");
  return lora.r == 0 ? weight : weight + matmul(lora_B->weight, lora_A->weight) * scaling();
}

std::string LoraLinear::type_name() const { return lora.r == 0 ? "Linear" : "LoraLinear"; }

std::string LoraLinear::extra_repr() const {
  const std::string base = Linear::extra_repr();
  return lora.r == 0 ? base : concat(base, ", r=", lora.r, ", lora_alpha=", lora.lora_alpha);
}

void train_only_lora(Module& module) {
  bool any = false;
  for (const auto& [name, tensor] : module.named_parameters()) {
    const bool is_adapter = name.find("lora_") != name.npos;
    Tensor parameter = tensor;
    parameter.requires_grad_(is_adapter);
    any = any || is_adapter;
  }
  check(any, "lora", "no layer of the module has an adapter: make it with a rank above 0");
}

TensorDict merged_state_dict(const Module& module) {
  std::map<std::string, const LoraLinear*> adapted;
  for (const auto& [name, child] : module.named_modules())
    if (const auto* layer = dynamic_cast<const LoraLinear*>(child); layer != nullptr)
      adapted[name.empty() ? "weight" : name + ".weight"] = layer;
  TensorDict merged;
  for (const auto& [name, tensor] : module.state_dict()) {
    if (name.starts_with("lora_") || name.find(".lora_") != name.npos) continue;
    const auto found = adapted.find(name);
    merged.add(name, found == adapted.end() ? tensor : found->second->merged_weight().detach());
  }
  return merged;
}

}  // namespace tarsier::nn
