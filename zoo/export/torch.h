#pragma once
// Runs in plain PyTorch.

#include <string>
#include <vector>

#include "../task/run_folder.h"

namespace tarsier::zoo {

/// Writes into `folder`, and returns remarks for the user:
///   model.py             the model, with our names (zoo/export/gpt/model.py, …)
///   config.json          its sizes and parts
///   model.pt             the weights that are kept, a state dict
/// and for gpt
///   train.py             goes on with the training, alone or under torchrun
///                        (zoo/export/gpt/train.py)
///   checkpoint.pt        what it starts from: weights of the last step, state of AdamW, step
///   train.bin, val.bin   the data as tokens, if they are still there
/// and the recipe in config.json. Throws Error("export") for a model without a model.py
/// (torch_models.h), and a part that its model.py lacks.
std::vector<std::string> export_torch(const RunFolder& run, const std::string& folder);

}  // namespace tarsier::zoo
