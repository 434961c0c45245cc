#pragma once
// TensorDict: tensors by name, in the order in which they were added. The type of a module's
// state_dict, of an optimiser's state and of a safetensors file.

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor.h"

namespace tarsier {

/// Names and tensors in order of insertion, with lookup by name:
///   for (const auto& [name, tensor] : dict) …
class TensorDict {
 public:
  using Entry = std::pair<std::string, Tensor>;

  TensorDict() = default;
  TensorDict(std::initializer_list<Entry> entries);

  /// Not for tensors without names: the error of an optimiser that is given parameters().
  template <std::same_as<Tensor> T>
  TensorDict(const std::vector<T>&) {
    static_assert(!std::same_as<T, Tensor>,
                  "names are missing: use named_parameters() instead of parameters()");
  }

  /// Throws Error("tensor_dict") if the name is taken or the tensor undefined.
  void add(std::string name, Tensor tensor);
  /// Adds all of `others`.
  void add(const TensorDict& others);

  /// The tensor of that name, or null.
  const Tensor* find(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  /// The tensor of that name. Throws Error("tensor_dict") if there is none.
  const Tensor& operator[](std::string_view name) const;

  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  std::vector<Entry>::const_iterator begin() const { return entries_.begin(); }
  std::vector<Entry>::const_iterator end() const { return entries_.end(); }

 private:
  /// The position of `name` in by_name_, or where it would be inserted.
  size_t place_of(std::string_view name) const;

  std::vector<Entry> entries_;
  std::vector<size_t> by_name_;  // indices of entries, in the order of their names
};

/// The same tensors with `prefix` before their names, so that those of two models do not clash:
///   TensorDict all = prefixed("encoder.", encoder.named_parameters());
///   all.add(prefixed("decoder.", decoder.named_parameters()));
TensorDict prefixed(const std::string& prefix, const TensorDict& tensors);

}  // namespace tarsier
