#pragma once
// The models that are exported in plain PyTorch.

#include <string>

#include "../../autograd/io/json.h"
#include "../../nn/module.h"

namespace tarsier::zoo {

/// What config.json says of a model, and which model.py reads it.
struct TorchModel {
  Json config;
  std::string folder;  ///< of model.py in zoo/export: "gpt"
};

/// `model` as a model.py describes it; `name` is its name in the list of models.
/// Throws Error("export") for a model without a model.py, and for a part that its model.py lacks.
TorchModel torch_model(const nn::Module& model, const std::string& name);

}  // namespace tarsier::zoo
