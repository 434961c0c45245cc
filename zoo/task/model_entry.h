#pragma once
// An entry of `tarsier list`: a model with one of its presets, and how its task is made.

#include <memory>
#include <string>

#include "task.h"

namespace tarsier::zoo {

struct ModelEntry {
  std::string name;     ///< for `tarsier train`: "gpt", "gpt-baby"
  std::string family;   ///< the model: "gpt"
  std::string preset;   ///< the preset of that model: "cpu", "baby"
  std::string learns;   ///< what it learns
  std::string data;     ///< the built-in data, and the data that --data accepts
  std::string reaches;  ///< how well, on which data
  std::string takes;    ///< how long, on what
  std::unique_ptr<Task> (*create)(const std::string& name);

  std::unique_ptr<Task> make() const { return create(name); }
};

/// For ModelEntry::create: the task T(name), or T(name, preset).
template <class T, auto... preset>
std::unique_ptr<Task> make_task_of(const std::string& name) {
  return std::make_unique<T>(name, preset...);
}

}  // namespace tarsier::zoo
