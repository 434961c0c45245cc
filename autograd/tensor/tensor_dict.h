#pragma once
// TensorDict: tensors under names, in the order in which they were added. What a module's
// state_dict, an optimiser's state and a safetensors file are.

#include <concepts>
#include <initializer_list>
#include <map>
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
  TensorDict(std::initializer_list<Entry> entries) {
    for (const Entry& entry : entries) add(entry.first, entry.second);
  }

  /// Tensors without names are none: what optimisers say who are given parameters().
  template <std::same_as<Tensor> T>
  TensorDict(const std::vector<T>&) {
    static_assert(!std::same_as<T, Tensor>,
                  "names are missing: use named_parameters() instead of parameters()");
  }

  /// Throws Error("tensor_dict") where the name is taken or the tensor undefined.
  void add(std::string name, Tensor tensor) {
    check(tensor.defined(), "tensor_dict", "the tensor '", name, "' is undefined");
    check(index_.emplace(name, entries_.size()).second, "tensor_dict", "the name '", name,
          "' is there already");
    entries_.emplace_back(std::move(name), std::move(tensor));
  }
  /// Adds all of `others`, as add() does one.
  void add(const TensorDict& others) {
    for (const auto& [name, tensor] : others.entries_) add(name, tensor);
  }

  /// The tensor of that name, or null.
  const Tensor* find(std::string_view name) const {
    const auto it = index_.find(name);
    return it == index_.end() ? nullptr : &entries_[it->second].second;
  }
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  /// The tensor of that name. Throws Error("tensor_dict") where there is none.
  const Tensor& operator[](std::string_view name) const {
    const Tensor* tensor = find(name);
    check(tensor != nullptr, "tensor_dict", "no tensor '", name, "' among the ", size());
    return *tensor;
  }

  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  std::vector<Entry>::const_iterator begin() const { return entries_.begin(); }
  std::vector<Entry>::const_iterator end() const { return entries_.end(); }

 private:
  std::vector<Entry> entries_;
  std::map<std::string, size_t, std::less<>> index_;
};

/// The same tensors under names that begin with `prefix`, so that those of two models do not clash:
///   TensorDict all = prefixed("encoder.", encoder.named_parameters());
///   all.add(prefixed("decoder.", decoder.named_parameters()));
inline TensorDict prefixed(const std::string& prefix, const TensorDict& tensors) {
  TensorDict out;
  for (const auto& [name, tensor] : tensors) out.add(prefix + name, tensor);
  return out;
}

}  // namespace tarsier
