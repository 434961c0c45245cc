#pragma once
// Values of Python, as a pickle and as a file of torch.save.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "../../autograd/tensor/tensor.h"
#include "../../autograd/tensor/tensor_dict.h"

namespace tarsier::zoo {

/// None, bool, int, float, str, list, dict or torch.Tensor. Dicts keep their order; keys may be of
/// any kind that Python allows as keys.
class PythonValue {
 public:
  using List = std::vector<PythonValue>;
  using Dict = std::vector<std::pair<PythonValue, PythonValue>>;
  using Content =
      std::variant<std::monostate, bool, int64_t, double, std::string, List, Dict, Tensor>;

  PythonValue() = default;  ///< None
  PythonValue(bool value) : content(value) {}
  PythonValue(int value) : content(int64_t{value}) {}
  PythonValue(int64_t value) : content(value) {}
  PythonValue(double value) : content(value) {}
  PythonValue(const char* value) : content(std::string(value)) {}
  PythonValue(std::string value) : content(std::move(value)) {}
  PythonValue(List value) : content(std::move(value)) {}
  PythonValue(Dict value) : content(std::move(value)) {}
  PythonValue(Tensor value) : content(std::move(value)) {}
  /// A dict of str → torch.Tensor.
  PythonValue(const TensorDict& tensors);

  Content content;
};

/// The value as a pickle of protocol 2 (zoo/pretrained/pickle.h has the opcodes). A tensor is noted
/// as a view of a storage, whose bytes go into `storages` under the number that the pickle has for
/// it. Tensors that share memory share a storage.
struct PickledValue {
  std::string bytes;
  std::vector<Tensor> storages;  ///< contiguous, by number
};
PickledValue pickled(const PythonValue& value);

/// Writes what torch.save(value, path) writes, for torch.load(path), also with weights_only=True and
/// mmap=True. Throws Error("file") and Error("zip").
void save_torch(const std::string& path, const PythonValue& value);

}  // namespace tarsier::zoo
