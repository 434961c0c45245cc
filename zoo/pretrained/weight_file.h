#pragma once
// What files of weights have in common, whatever their format (weight_files.h, torch_file.h).

#include <cstdint>
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

}  // namespace tarsier::zoo
