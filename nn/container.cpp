#include "nn/container.h"

namespace tarsier::nn {

// ---- Sequential

std::string Sequential::next_name() const { return std::to_string(layers_.size()); }

void Sequential::append(std::string name, std::unique_ptr<Module> layer) {
  register_module(std::move(name), *layer);
  layers_.push_back(std::move(layer));
}

void Sequential::put(int64_t i, std::unique_ptr<Module> layer) {
  std::shared_ptr<Module>& old = layers_[static_cast<size_t>(i)];
  replace_module(old->name(), *layer);
  old = std::move(layer);
}

int64_t Sequential::index_of(std::string_view name) const {
  std::string names;
  for (int64_t i = 0; i < size(); ++i) {
    if ((*this)[i].name() == name) return i;
    names += " " + (*this)[i].name();
  }
  fail("sequential", "no layer '", name, "' among:", names);
}

int64_t Sequential::size() const { return static_cast<int64_t>(layers_.size()); }

Module& Sequential::operator[](int64_t i) const {
  check(i >= 0 && i < size(), "sequential", "no layer ", i, " among ", size());
  return *layers_[static_cast<size_t>(i)];
}

Tensor Sequential::forward(const Arg& x) {
  const CallScope here(x.at);
  Tensor y = x;
  for (size_t i = 0; i < layers_.size(); ++i) {
    const std::shared_ptr<Module> layer = layers_[i];  // a hook may replace it while it runs
    y = layer->call(y);
  }
  return y;
}

// ---- ModuleDict

void ModuleDict::append(std::string name, std::unique_ptr<Module> module) {
  register_module(name, *module);
  modules_.emplace_back(std::move(name), std::move(module));
}

int64_t ModuleDict::size() const { return static_cast<int64_t>(modules_.size()); }

Module* ModuleDict::find(std::string_view name) const {
  for (const auto& [key, module] : modules_)
    if (key == name) return module.get();
  return nullptr;
}

Module& ModuleDict::operator[](std::string_view name) const {
  Module* module = find(name);
  if (module != nullptr) return *module;
  std::string names;
  for (const auto& entry : modules_) names += " " + entry.first;
  fail("module_dict", "no module '", name, "' among:", names);
}

std::string ModuleDict::type_name() const { return "ModuleDict"; }

}  // namespace tarsier::nn
