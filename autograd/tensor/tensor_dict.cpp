// Tensors by name: adding and finding them.
#include "autograd/tensor/tensor_dict.h"

#include <algorithm>

namespace tarsier {

TensorDict::TensorDict(std::initializer_list<Entry> entries) {
  for (const Entry& entry : entries) add(entry.first, entry.second);
}

size_t TensorDict::place_of(std::string_view name) const {
  const auto at = std::lower_bound(
      by_name_.begin(), by_name_.end(), name,
      [&](size_t entry, std::string_view other) { return entries_[entry].first < other; });
  return static_cast<size_t>(at - by_name_.begin());
}

void TensorDict::add(std::string name, Tensor tensor) {
  check(tensor.defined(), "tensor_dict", "the tensor '", name, "' is undefined");
  check(!contains(name), "tensor_dict", "the name '", name, "' is already taken");
  by_name_.insert(by_name_.begin() + static_cast<std::ptrdiff_t>(place_of(name)), entries_.size());
  entries_.emplace_back(std::move(name), std::move(tensor));
}

void TensorDict::add(const TensorDict& others) {
  for (const auto& [name, tensor] : others.entries_) add(name, tensor);
}

const Tensor* TensorDict::find(std::string_view name) const {
  const size_t place = place_of(name);
  if (place == by_name_.size()) return nullptr;
  const Entry& entry = entries_[by_name_[place]];
  return entry.first == name ? &entry.second : nullptr;
}

const Tensor& TensorDict::operator[](std::string_view name) const {
  const Tensor* tensor = find(name);
  check(tensor != nullptr, "tensor_dict", "no tensor '", name, "' among the ", size());
  return *tensor;
}

TensorDict prefixed(const std::string& prefix, const TensorDict& tensors) {
  TensorDict out;
  for (const auto& [name, tensor] : tensors) out.add(prefix + name, tensor);
  return out;
}

}  // namespace tarsier
