#pragma once
// The weights of a saved model: one file, or several with an index that says what is where.
//
//   model.safetensors                   or its variant  model.fp16.safetensors
//   model.safetensors.index.json                        model.safetensors.index.fp16.json
//     model-00001-of-00002.safetensors                  model.fp16-00001-of-00002.safetensors
//   pytorch_model.bin, with index and variants in the same way (torch_file.h)
//
// An index is {"metadata": …, "weight_map": {"wte.weight": "model-00001-of-00002.safetensors", …}}.
// Source: https://huggingface.co/docs/transformers/main/en/big_models

#include <memory>
#include <string>
#include <vector>

#include "weight_file.h"

namespace tarsier::zoo {

/// Opens the files of one model's weights.
struct WeightFiles {
  std::string path;  ///< of the only file, or of the index
  std::vector<std::shared_ptr<const WeightFile>> files;

  /// `path` is a file of weights, an index, or a folder that has one of them under transformers'
  /// usual names; a variant only if there is nothing else. Tensors that no index lists are there
  /// as well.
  /// Throws Error("pretrained"), which names file and weight, if a file is missing or is outside
  /// the index's folder, if a weight is not in its file, and if two files have it; Error("json"),
  /// Error("safetensors"), Error("file"), and what TorchFile throws, for damaged files.
  static WeightFiles open(const std::string& path);
};

}  // namespace tarsier::zoo
