#include "zoo/pretrained/hugging_face.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "autograd/io/file.h"
#include "autograd/io/json.h"
#include "nn/names.h"
#include "nn/unwrap.h"

namespace tarsier::zoo {

namespace {

namespace fs = std::filesystem;

constexpr const char* kName = "pretrained";
constexpr const char* kConfig = "config.json";
constexpr const char* kWeights = "model.safetensors";

/// The value of a key as `read` gives it, if it `fits`; or `otherwise`.
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

/// Like fs::exists, but does not throw for a path that cannot be accessed.
bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

void require_file(const fs::path& path) {
  if (is_there(path)) return;
  std::string fix;
  if (is_there(path.parent_path() / (std::string(kWeights) + ".index.json")))
    fix = concat(": the weights are split into several files; save them with a larger ",
                 "max_shard_size, as one ", kWeights);
  else if (is_there(path.parent_path() / "pytorch_model.bin"))
    fix = concat(": the weights are in pytorch_model.bin; load and save them with transformers, ",
                 "which writes ", kWeights);
  fail(kName, path.string(), " does not exist", fix);
}

/// The weights in a folder: model.safetensors, or its only variant, as
/// save_pretrained(…, variant="fp16") writes it: model.fp16.safetensors.
fs::path weights_in(const fs::path& folder) {
  if (is_there(folder / kWeights)) return folder / kWeights;
  std::vector<std::string> variants;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const bool is_part = name.find("-of-") != name.npos;  // of split weights
    if (name.starts_with("model.") && name.ends_with(".safetensors") && !is_part)
      variants.push_back(name);
  }
  std::ranges::sort(variants);
  check(variants.size() < 2, kName, folder.string(), " has no ", kWeights, ", and several variants",
        nn::list_line("there are", variants), "\n  give the path of one of these files");
  return folder / (variants.empty() ? kWeights : variants[0]);
}

Json read_config(const std::string& path, std::string_view model_type) {
  Json config = Json::parse(read_file(path), path);
  check(config.is_object(), kName, path, ": expected an object {…}");
  const Json* type = config.find("model_type");
  check(type != nullptr && type->is_string(), kName, path,
        ": the key 'model_type' is missing: is it the config.json of a transformers model?");
  check(type->as_string() == model_type, kName, path, " is of a model of type '", type->as_string(),
        "', and '", model_type, "' was expected");
  return config;
}

/// Moves values from an alias to its key.
void resolve(Pretrained& model, const std::vector<KeyAlias>& aliases) {
  for (const auto& [alias, key] : aliases) {
    if (!model.has(alias)) continue;
    check(!model.has(key) || model.config[key] == model.config[alias], kName, model.config_path,
          ": '", key, "' is ", model.has(key) ? model.config[key].dump() : "", " and '", alias,
          "', another name of it, is ", model.config[alias].dump(), ": leave one of them");
    model.config.set(key, model.config[alias]);
  }
}

/// Lists the weights by their names without the prefix.
void list_weights(Pretrained& model, std::string_view prefix) {
  std::vector<std::string> names;
  for (const auto& stored : model.file->tensors()) names.push_back(stored.name);
  names = nn::unwrapped(std::move(names));
  const bool has_prefix =
      std::ranges::any_of(names, [&](const std::string& name) { return name.starts_with(prefix); });
  for (size_t i = 0; i < names.size(); ++i) {
    const bool inside = names[i].starts_with(prefix);
    const std::string name = inside ? names[i].substr(prefix.size()) : names[i];
    const bool is_new =
        model.weights
            .emplace(name, Pretrained::Weight{&model.file->tensors()[i], has_prefix && !inside})
            .second;
    check(is_new, kName, model.weights_path, ": '", name, "' is there twice, with and without '",
          prefix, "'");
  }
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

Tensor Pretrained::read(std::string_view name) const {
  const auto found = weights.find(name);
  check(found != weights.end(), kName, weights_path, " has no weight '", name, "'");
  return file->read(found->second.stored->name);
}

bool Pretrained::are_same(std::string_view one, std::string_view other) const {
  if (!contains(one) || !contains(other)) return false;
  const auto &a = *weights.find(one)->second.stored, &b = *weights.find(other)->second.stored;
  return a.dtype == b.dtype && a.shape == b.shape && file->bytes(a) == file->bytes(b);
}

bool Pretrained::is_tied(std::string_view own, std::string_view base) const {
  const bool has_both = contains(own) && contains(base);
  return flag("tie_word_embeddings", true) && (!has_both || are_same(own, base));
}

namespace {

/// Whether a weight of the file has this shape.
bool has_shape(const Pretrained::Weight& weight, const Shape& shape) {
  return std::ranges::equal(weight.stored->shape, shape);
}

/// The shape in the usual notation.
std::string shape_text(const Pretrained::Weight& weight) {
  const std::vector<int64_t>& sizes = weight.stored->shape;
  if (sizes.size() > kMaxDims) return concat("of ", sizes.size(), " dimensions");
  return concat(Shape(sizes));
}

}  // namespace

void Pretrained::require(std::string_view name, const Shape& shape) const {
  const auto found = weights.find(name);
  check(found != weights.end(), kName, weights_path, " has no weight '", name, "', which ",
        config_path, " asks for, of shape ", shape);
  check(has_shape(found->second, shape), kName, weights_path, ": '", name, "' is ",
        shape_text(found->second), ", where ", config_path, " asks for ", shape);
}

Pretrained open_pretrained(const std::string& path, std::string_view model_type,
                           std::string_view prefix, const std::vector<KeyAlias>& aliases) {
  check(is_there(path), kName, path, " does not exist: give the folder with ", kConfig, " and ",
        kWeights);
  std::error_code ignored;
  const bool is_folder = fs::is_directory(path, ignored);
  const fs::path folder = is_folder ? fs::path(path) : fs::path(path).parent_path();
  require_file(folder / kConfig);
  Pretrained model;
  model.config_path = (folder / kConfig).string();
  model.config = read_config(model.config_path, model_type);
  resolve(model, aliases);
  const fs::path weights = is_folder ? weights_in(folder) : fs::path(path);
  require_file(weights);
  model.weights_path = weights.string();
  model.file = std::make_shared<const SafetensorsFile>(model.weights_path);
  list_weights(model, prefix);
  return model;
}

void require_option(bool supported, const Pretrained& file, std::string_view key) {
  if (supported) return;
  fail(kName, file.config_path, ": '", key, "' is ",
       file.has(key) ? file.config[key].dump() : "missing", ", which is not supported");
}

// ---------------------------------------------------------------------------------------- weights

namespace {

/// The differences between a file and a module, for the message.
struct Differences {
  std::vector<std::string> wrong, missing, unexpected, heads;

  void check_empty(const Pretrained& file, const nn::Module& module) const {
    if (wrong.empty() && missing.empty() && unexpected.empty()) return;
    fail(kName, file.weights_path, " does not fit a ", module.type_name(), " of the sizes in ",
         file.config_path, ":", nn::list_line("wrong", wrong), nn::list_line("missing", missing),
         nn::list_line("unexpected", unexpected),
         nn::list_line("of another head, and not used", heads));
  }
};

/// One copy: a tensor of the file as the module sees it, and its destination. (Writing in order and
/// reading across is faster than the reverse.)
struct Copy {
  Tensor to;
  std::string from;  // its name in the file
  bool transposed;
};

bool is_floating(const SafetensorsFile::Stored& stored) {
  const std::optional<DType> dtype = SafetensorsFile::dtype_of(stored);
  return dtype.has_value() && tarsier::is_floating(*dtype);
}

/// The likely reason for another dtype.
constexpr const char* kQuantised =
    " (quantised weights? dequantise the model in transformers, and save it again)";

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
    const auto found = file.weights.find(name);
    if (found == file.weights.end()) {
      differences.missing.push_back(name);
    } else if (const auto& stored = *found->second.stored; !is_floating(stored)) {
      differences.wrong.push_back(
          concat(name, " is ", stored.dtype, " where ", part.dtype(), " belongs", kQuantised));
    } else if (!has_shape(found->second, expected)) {
      differences.wrong.push_back(
          concat(name, " is ", shape_text(found->second), " where ", expected, " belongs"));
    } else {
      copies.push_back({part, name, source.transposed});
    }
  }
}

}  // namespace

std::vector<std::string> load_weights(
    nn::Module& module, const Pretrained& file,
    const std::function<Source(const std::string& name)>& source_of, const Leftovers& leftovers) {
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
  for (const auto& [name, weight] : file.weights) {
    if (taken.contains(name) || leftovers.constants(name)) continue;
    const bool is_head = weight.is_outside || std::ranges::any_of(leftovers.heads, [&](auto head) {
                           return name.starts_with(head);
                         });
    (is_head ? differences.heads : differences.unexpected).push_back(name);
  }
  differences.check_empty(file, module);
  for (const Copy& copy : copies) {
    const Tensor from = file.read(copy.from);
    copy_(copy.to, copy.transposed ? transpose(from, 0, 1) : from);
  }
  return differences.heads;
}

}  // namespace tarsier::zoo
