#pragma once
// Models as Hugging Face's transformers library saves them: a folder with config.json (sizes and
// options) and the weights (weight_files.h). The part that all loaders share; the file of each model
// knows the names.
// Source: https://huggingface.co/docs/transformers/main/en/main_classes/model

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../../autograd/io/json.h"
#include "../../nn/init.h"
#include "../../nn/layers/activation.h"
#include "../../nn/module.h"
#include "weight_files.h"

namespace tarsier::zoo {

/// A saved model before it becomes a module. The values of config.json are read by type; a key that
/// is missing or null gives `otherwise`, and without that throws Error("pretrained") with the
/// file's name, as does a value of another type.
struct Pretrained {
  std::string config_path;   ///< …/config.json
  std::string weights_path;  ///< …/model.safetensors, or the index of several files
  Json config;

  /// Whether the key exists and is not null.
  bool has(std::string_view key) const;
  /// A whole number, 1 or more.
  int64_t size(std::string_view key, std::optional<int64_t> otherwise = {}) const;
  double number(std::string_view key, std::optional<double> otherwise = {}) const;
  bool flag(std::string_view key, std::optional<bool> otherwise = {}) const;
  std::string text(std::string_view key, std::optional<std::string> otherwise = {}) const;

  /// The weights by name, without what wrappers add (nn/unwrap.h; "model." before all names) and
  /// without the prefix of the base model. They are mapped, not read.
  struct Weight {
    const WeightFile* file;  ///< one of `files`
    const WeightFile::Stored* stored;
    bool is_outside;  ///< lacks the prefix of the base model, which others have: part of a head
  };
  std::map<std::string, Weight, std::less<>> weights;
  std::vector<std::shared_ptr<const WeightFile>> files;
  /// What was understood although it is not as save_pretrained leaves it; also in errors.
  std::vector<std::string> notes;

  bool contains(std::string_view name) const { return weights.contains(name); }
  /// Throws Error if its dtype cannot be read.
  Tensor read(std::string_view name) const;
  /// Whether both exist and have the same dtype, shape and elements, bit by bit.
  bool are_same(std::string_view one, std::string_view other) const;
  /// Whether `own` and `base` are one matrix (an output layer and the embedding): if the config
  /// says so, unless the file has both and they differ. The file wins, as in transformers.
  bool is_tied(std::string_view own, std::string_view base) const;

  /// Throws Error("pretrained") with both shapes unless there is a weight of that name and shape.
  /// For a few weights whose shapes tell whether config.json and weights belong together, before a
  /// module of those sizes is made.
  void require(std::string_view name, const Shape& shape) const;
};

/// Another name of a key in config.json.
struct KeyAlias {
  std::string_view alias, key;
};

/// Opens a saved model: `path` is its folder, or the file or the index of the weights in it
/// (WeightFiles::open). `prefix` is what the names of the base model begin with if it was saved
/// inside another ("transformer.", "bert."); it is removed, so that both kinds of file look alike.
/// A value that config.json has under an alias is moved to its key.
/// Throws Error("pretrained") if a file is missing, config.json has another model_type, or a value
/// differs under two names; Error("json"), Error("safetensors") and Error("file") for damaged
/// files. All errors name the file.
Pretrained open_pretrained(const std::string& path, std::string_view model_type,
                           std::string_view prefix, const std::vector<KeyAlias>& aliases = {});
/// The same for one of several types.
Pretrained open_pretrained(const std::string& path,
                           const std::vector<std::string_view>& model_types,
                           std::string_view prefix, const std::vector<KeyAlias>& aliases = {});

/// Throws Error("pretrained") that names the option `key` unless it is supported.
void require_option(bool supported, const Pretrained& file, std::string_view key);

/// The activation that `key` names in transformers: gelu, gelu_new, relu, silu and all others
/// without parameters of their own, under all of their names. Throws Error("pretrained") for
/// others.
nn::Activation activation_of(const Pretrained& file, std::string_view key,
                             const std::string& otherwise = "gelu");
/// The reverse: transformers' name. Throws Error("pretrained") if it has none.
std::string name_of(const nn::Activation& activation);

/// The model M(args…) with the file's sizes; its weights are not loaded yet.
/// Throws Error("pretrained") with the file's name if the sizes do not fit together.
template <class M, class... Args>
std::unique_ptr<M> make_empty(const Pretrained& file, const Args&... args) {
  const nn::NoInit guard;
  try {
    return std::make_unique<M>(args...);
  } catch (const Error& error) {
    fail("pretrained", file.config_path, ": ", error.what());
  }
}

/// Where a tensor of a module comes from.
struct Source {
  /// The names in the file: one; or several, stacked along the first dimension of the module's
  /// tensor (query, key, value); or none, if nothing is to be loaded, as for a tied weight.
  std::vector<std::string> names;
  /// Whether the file has the matrix as (in, out), not as Linear's (out, in): GPT-2's Conv1D.
  bool transposed = false;
};

/// Weights that the file may have although no tensor of the module takes them.
struct Leftovers {
  /// Heads for other tasks, by the beginnings of their names. If the base model has its prefix in
  /// the file, everything without the prefix is a head.
  std::vector<std::string_view> heads;
  /// What is not a weight: masks, position numbers.
  std::function<bool(std::string_view name)> constants = [](std::string_view) { return false; };
};

/// Copies weights from `file` into every tensor of `module`'s state dict, from where
/// source_of(tensor name) says, converting to the tensor's dtype. Weights of the file that no
/// tensor takes must be among the `leftovers`, or integers or bool. Returns the names of those that
/// belong to heads.
/// Throws Error("pretrained") with the file's name that lists missing and unexpected names, and
/// wrong shapes and dtypes next to the right ones, the first ten of each; then nothing is changed.
std::vector<std::string> load_weights(
    nn::Module& module, const Pretrained& file,
    const std::function<Source(const std::string& name)>& source_of, const Leftovers& leftovers);

}  // namespace tarsier::zoo
