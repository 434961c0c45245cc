#pragma once
// Small saved models of the transformers library, and damaged copies of them.

#include <functional>
#include <string>

#include "autograd/io/file.h"
#include "autograd/io/json.h"
#include "autograd/io/safetensors.h"
#include "tests/data.h"
#include "tests/zoo/scratch.h"
#include "zoo/pretrained/weight_files.h"

namespace tarsier::zoo {

/// The folder of a model of tests/golden.
inline std::string saved_model(const std::string& name) {
  return source_file("tests/golden/" + name).string();
}

/// The inputs of the model, and transformers' outputs.
inline TensorDict expected_of(const std::string& name) {
  return load_safetensors(saved_model(name) + "/expected.safetensors");
}

/// A copy of a model with other settings or weights.
struct ModelCopy {
  Json config;
  TensorDict weights;

  explicit ModelCopy(const std::string& name)
      : config(Json::parse(read_file(saved_model(name) + "/config.json"))),
        weights(load_safetensors(saved_model(name) + "/model.safetensors")) {}

  /// The same of a model that is split into several files.
  ModelCopy(const std::string& name, const WeightFiles& split)
      : config(Json::parse(read_file(saved_model(name) + "/config.json"))) {
    for (const auto& file : split.files)
      for (const WeightFile::Stored& stored : file->tensors())
        weights.add(stored.name, file->read(stored.name));
  }

  /// The same with other names; a weight renamed to "" is left out.
  void rename(const std::function<std::string(const std::string&)>& new_name) {
    TensorDict renamed;
    for (const auto& [name, tensor] : weights)
      if (const std::string other = new_name(name); !other.empty()) renamed.add(other, tensor);
    weights = renamed;
  }

  void write(const std::string& folder) const {
    write_file_atomically(folder + "/config.json", config.dump());
    save_safetensors(folder + "/model.safetensors", weights);
  }
};

}  // namespace tarsier::zoo
