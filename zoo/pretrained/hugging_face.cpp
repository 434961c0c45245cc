#include "zoo/pretrained/hugging_face.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "nn/file.h"
#include "nn/names.h"

namespace tarsier::zoo {

namespace {

namespace fs = std::filesystem;
using nn::Json;

constexpr const char* kName = "pretrained";
constexpr const char* kConfig = "config.json";
constexpr const char* kWeights = "model.safetensors";

/// The value of a key as `read` gives it, where `fits`; or `otherwise`.
template <class T, class Fits, class Read>
T read_value(const Pretrained& model, std::string_view key, const std::optional<T>& otherwise,
             const char* expected, const Fits& fits, const Read& read) {
  if (!model.has(key)) {
    check(otherwise.has_value(), kName, model.config_path, ": the key '", key,
          "' is missing: ", expected, " was expected");
    return *otherwise;
  }
  const Json& value = model.config[key];
  check(fits(value), kName, model.config_path, ": '", key, "' is ", value.dump(), ", where ",
        expected, " was expected");
  return read(value);
}

/// As fs::exists, but a path that cannot be looked at is no exception.
bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

void require_file(const fs::path& path) {
  if (is_there(path)) return;
  std::string mend;
  if (is_there(path.parent_path() / (std::string(kWeights) + ".index.json")))
    mend = concat(": the weights are split into several files; save them with a larger ",
                  "max_shard_size, as one ", kWeights);
  else if (is_there(path.parent_path() / "pytorch_model.bin"))
    mend = concat(": the weights are in pytorch_model.bin; load and save them with transformers, ",
                  "which writes ", kWeights);
  fail(kName, path.string(), " does not exist", mend);
}

Json read_config(const std::string& path, std::string_view model_type) {
  Json config = Json::parse(nn::read_file(path), path);
  check(config.is_object(), kName, path, ": an object {…} was expected");
  const Json* type = config.find("model_type");
  check(type != nullptr && type->is_string(), kName, path,
        ": the key 'model_type' is missing: is it the config.json of a transformers model?");
  check(type->as_string() == model_type, kName, path, " is of a model of type '", type->as_string(),
        "', and '", model_type, "' was expected");
  return config;
}

/// All names without `prefix`.
TensorDict without_prefix(const TensorDict& weights, std::string_view prefix,
                          const std::string& path) {
  TensorDict out;
  for (const auto& [name, tensor] : weights) {
    const std::string shorter = name.starts_with(prefix) ? name.substr(prefix.size()) : name;
    check(!out.contains(shorter), kName, path, ": '", shorter, "' is there twice, with and ",
          "without '", prefix, "'");
    out.add(shorter, tensor);
  }
  return out;
}

}  // namespace

// ------------------------------------------------------------------------------------ config.json

bool Pretrained::has(std::string_view key) const {
  const Json* value = config.find(key);
  return value != nullptr && !value->is_null();
}

int64_t Pretrained::size(std::string_view key, std::optional<int64_t> otherwise) const {
  return read_value(
      *this, key, otherwise, "a whole number, 1 or more",
      [](const Json& value) { return value.is_int() && value.as_int() >= 1; },
      [](const Json& value) { return value.as_int(); });
}

double Pretrained::number(std::string_view key, std::optional<double> otherwise) const {
  return read_value(
      *this, key, otherwise, "a number", [](const Json& value) { return value.is_number(); },
      [](const Json& value) { return value.as_double(); });
}

bool Pretrained::flag(std::string_view key, std::optional<bool> otherwise) const {
  return read_value(
      *this, key, otherwise, "true or false", [](const Json& value) { return value.is_bool(); },
      [](const Json& value) { return value.as_bool(); });
}

std::string Pretrained::text(std::string_view key, std::optional<std::string> otherwise) const {
  return read_value(
      *this, key, otherwise, "a string", [](const Json& value) { return value.is_string(); },
      [](const Json& value) { return value.as_string(); });
}

void Pretrained::require(std::string_view name, const Shape& shape) const {
  const Tensor* weight = weights.find(name);
  check(weight != nullptr, kName, weights_path, " has no weight '", name, "', which ", config_path,
        " asks for, of shape ", shape);
  check(weight->shape() == shape, kName, weights_path, ": '", name, "' is ", weight->shape(),
        ", where ", config_path, " asks for ", shape);
}

Pretrained open_pretrained(const std::string& path, std::string_view model_type,
                           std::string_view prefix) {
  check(is_there(path), kName, path, " does not exist: give the folder with ", kConfig, " and ",
        kWeights);
  std::error_code ignored;
  const bool is_folder = fs::is_directory(path, ignored);
  const fs::path folder = is_folder ? fs::path(path) : fs::path(path).parent_path();
  const fs::path weights = is_folder ? folder / kWeights : fs::path(path);
  require_file(folder / kConfig);
  Pretrained model;
  model.config_path = (folder / kConfig).string();
  model.config = read_config(model.config_path, model_type);
  require_file(weights);
  model.weights_path = weights.string();
  model.weights =
      without_prefix(nn::load_safetensors(model.weights_path), prefix, model.weights_path);
  return model;
}

void require_option(bool supported, const Pretrained& file, std::string_view key) {
  if (supported) return;
  fail(kName, file.config_path, ": '", key, "' is ",
       file.has(key) ? file.config[key].dump() : "missing", ", which is not supported");
}

namespace {

/// An activation as transformers and as nn::Activation call it. Of two names, the first is written.
constexpr std::pair<std::string_view, std::string_view> kActivations[] = {
    {"gelu", "gelu"}, {"gelu_new", "gelu_tanh"}, {"gelu_pytorch_tanh", "gelu_tanh"},
    {"relu", "relu"}, {"silu", "silu"},          {"tanh", "tanh"}};

}  // namespace

nn::Activation activation_of(const Pretrained& file, std::string_view key,
                             const std::string& otherwise) {
  const std::string name = file.text(key, otherwise);
  std::string known;
  for (const auto& [theirs, ours] : kActivations) {
    if (theirs == name) return ours;
    known += concat(known.empty() ? "" : ", ", theirs);
  }
  fail(kName, file.config_path, ": ", key, " '", name, "' is not supported: expected ", known);
}

std::string name_of(const nn::Activation& activation) {
  for (const auto& [theirs, ours] : kActivations)
    if (ours == activation.name()) return std::string(theirs);
  fail(kName, "the activation '", activation.name(), "' has no name in transformers");
}

// ---------------------------------------------------------------------------------------- weights

namespace {

/// The differences between a file and a module, for the message.
struct Differences {
  std::vector<std::string> wrong, missing, unexpected;

  void check_empty(const Pretrained& file, const nn::Module& module) const {
    if (wrong.empty() && missing.empty() && unexpected.empty()) return;
    fail(kName, file.weights_path, " does not fit a ", module.type_name(), " of the sizes in ",
         file.config_path, ":", nn::list_line("wrong", wrong), nn::list_line("missing", missing),
         nn::list_line("unexpected", unexpected));
  }
};

/// One copy: a tensor of the file, seen as the module has it, and its place in there. (Not the
/// other way round: it is quicker to write in order and to read across.)
struct Copy {
  Tensor to, from;
};

/// Plans the copies into one tensor of the module.
void plan_copies(const Pretrained& file, const Source& source, const std::string& own_name,
                 const Tensor& place, std::vector<Copy>& copies, Differences& differences) {
  const auto parts = static_cast<int64_t>(source.names.size());
  check(place.dim() == (source.transposed ? 2 : std::max(place.dim(), 1)) &&
            place.size(0) % parts == 0,
        kName, own_name, " of shape ", place.shape(), " cannot be made of ", parts,
        source.transposed ? " transposed matrices" : " tensors");
  const int64_t rows = place.size(0) / parts;
  for (int64_t i = 0; i < parts; ++i) {
    const std::string& name = source.names[static_cast<size_t>(i)];
    const Tensor part = slice(place, 0, i * rows, (i + 1) * rows);
    const Shape expected = source.transposed ? Shape{part.size(1), rows} : part.shape();
    const Tensor* given = file.weights.find(name);
    if (given == nullptr) {
      differences.missing.push_back(name);
    } else if (!(given->shape() == expected)) {
      differences.wrong.push_back(
          concat(name, " is ", given->shape(), " where ", expected, " belongs"));
    } else if (!is_floating(given->dtype())) {
      differences.wrong.push_back(
          concat(name, " is ", given->dtype(), " where ", part.dtype(), " belongs"));
    } else {
      copies.push_back({part, source.transposed ? transpose(*given, 0, 1) : *given});
    }
  }
}

}  // namespace

void load_weights(nn::Module& module, const Pretrained& file,
                  const std::function<Source(const std::string& name)>& source_of,
                  const std::function<bool(std::string_view name)>& ignored) {
  const NoGrad guard;
  Differences differences;
  std::vector<Copy> copies;
  std::set<std::string> taken;
  for (const auto& [name, tensor] : module.state_dict()) {
    const Source source = source_of(name);
    if (source.names.empty()) continue;
    plan_copies(file, source, name, tensor, copies, differences);
    taken.insert(source.names.begin(), source.names.end());
  }
  for (const auto& [name, tensor] : file.weights)
    if (!taken.contains(name) && !ignored(name)) differences.unexpected.push_back(name);
  differences.check_empty(file, module);
  for (const Copy& copy : copies) copy_(copy.to, copy.from);
}

}  // namespace tarsier::zoo
