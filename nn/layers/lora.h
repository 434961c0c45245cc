#pragma once
// Low-rank adapters: a linear map that is fine-tuned through two thin matrices.

#include <cstdint>
#include <optional>
#include <string>

#include "dropout.h"
#include "linear.h"

namespace tarsier::nn {

/// Names and defaults of PEFT's LoraConfig.
struct LoraOptions {
  int64_t r = 0;          ///< the rank; 0: no adapter
  double lora_alpha = 8;  ///< the adapter is multiplied by lora_alpha / r
  double lora_dropout = 0;
};

/// y = x · weightᵀ + bias + (lora_alpha / r) · dropout(x) · Aᵀ · Bᵀ over the last dimension:
/// (…, in_features) → (…, out_features). A is lora_A.weight (r, in_features), which starts as
/// Linear's weight does, B is lora_B.weight (out_features, r), which starts with zeros: at first the
/// adapter changes nothing. With r = 0 this is Linear. To train only the adapter call
/// train_only_lora() on the model.
/// Throws Error("lora") for a rank below 0, and Error("linear") as Linear does.
/// Source: Hu et al. 2021, "LoRA: low-rank adaptation of large language models".
/// As https://huggingface.co/docs/peft/package_reference/lora
struct LoraLinear : Linear {
  const LoraOptions lora;
  std::optional<Linear> lora_A, lora_B;  ///< without a rank: none
  std::optional<Dropout> lora_dropout;

  LoraLinear(int64_t in_features, int64_t out_features, bool with_bias = true,
             const LoraOptions& lora = {});
  Tensor operator()(const Arg& x);
  Tensor forward(const Arg& x);
  Tensor call(const Arg& x) override { return (*this)(x); }
  std::string type_name() const override;
  std::string extra_repr() const override;

  /// lora_alpha / r.
  double scaling() const { return lora.lora_alpha / static_cast<double>(lora.r); }
  /// weight + (lora_alpha / r) · B · A, which gives the same output without an adapter.
  Tensor merged_weight() const;
};

/// Makes the adapters below `module` the only parameters that require gradients.
/// Throws Error("lora") if there are none.
void train_only_lora(Module& module);

/// The state dict of `module` without adapters: they are merged into the weights that they adapt.
TensorDict merged_state_dict(const Module& module);

}  // namespace tarsier::nn
