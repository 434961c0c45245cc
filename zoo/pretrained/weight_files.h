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

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../../autograd/tensor/tensor.h"

namespace tarsier::zoo {

/// A file of tensors, which are read one by one. Tensors that nobody reads cost nothing, and may
/// have a dtype that cannot be read.
class WeightFile {
 public:
  /// What the file says of a tensor.
  struct Stored {
    std::string name;
    std::string dtype;             ///< as safetensors spells it: "F32", "BF16"
    std::vector<int64_t> shape;    ///< of any number of dimensions
    std::optional<DType> becomes;  ///< the dtype that read() gives; empty if it cannot be read
  };

  virtual ~WeightFile() = default;
  virtual const std::string& path() const = 0;
  virtual const std::vector<Stored>& tensors() const = 0;
  /// Throws Error, which names the file, if there is none of that name, or it cannot be read.
  virtual Tensor read(std::string_view name) const = 0;
  /// What had to be chosen to read it, for people; "" if nothing.
  virtual std::string note() const { return ""; }
};

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
