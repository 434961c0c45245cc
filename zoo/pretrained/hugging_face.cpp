#include "zoo/pretrained/hugging_face.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <set>
#include <utility>

#include "autograd/io/file.h"
#include "autograd/io/json.h"
#include "autograd/ops.h"
#include "nn/names.h"
#include "nn/unwrap.h"

namespace tarsier::zoo {

namespace {

namespace fs = std::filesystem;

constexpr const char* kName = "pretrained";
constexpr const char* kConfig = "config.json";
constexpr std::string_view kModelPart = "model.";

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

Json read_config(const std::string& path, const std::vector<std::string_view>& model_types) {
  Json config = Json::parse(read_file(path), path);
  check(config.is_object(), kName, path, ": expected an object {…}");
  const Json* type = config.find("model_type");
  check(type != nullptr && type->is_string(), kName, path,
        ": the key 'model_type' is missing: is it the config.json of a transformers model?");
  std::string expected;
  for (const std::string_view known : model_types)
    expected += concat(expected.empty() ? "'" : ", '", known, "'");
  check(std::ranges::count(model_types, type->as_string()) > 0, kName, path,
        " is of a model of type '", type->as_string(), "', and ", expected, " was expected");
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

/// Removes `part` if all names begin with it.
void remove_from_all(std::vector<std::string>& names, std::string_view part) {
  const auto has_part = [&](const std::string& name) { return name.starts_with(part); };
  if (!std::ranges::all_of(names, has_part)) return;
  for (std::string& name : names) name.erase(0, part.size());
}

/// The names of the weights without what wrappers add: PyTorch's (nn/unwrap.h), and a class of the
/// user's own with the model as its part `model`. Notes an example.
std::vector<std::string> names_of(Pretrained& model, std::string_view prefix) {
  std::vector<std::string> stored;
  for (const auto& file : model.files)
    for (const WeightFile::Stored& weight : file->tensors()) stored.push_back(weight.name);
  std::vector<std::string> names = nn::unwrapped(stored);
  if (prefix != kModelPart) remove_from_all(names, kModelPart);
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] != stored[i]) {
      model.notes.push_back(concat("names are read without what wrappers add to them: '", stored[i],
                                   "' is '", names[i], "'"));
      break;
    }
  return names;
}

/// Lists the weights by their names without the prefix.
void list_weights(Pretrained& model, std::string_view prefix) {
  const std::vector<std::string> names = names_of(model, prefix);
  const bool has_prefix =
      std::ranges::any_of(names, [&](const std::string& name) { return name.starts_with(prefix); });
  size_t i = 0;
  for (const auto& file : model.files)
    for (const WeightFile::Stored& stored : file->tensors()) {
      const bool inside = names[i].starts_with(prefix);
      const std::string name = inside ? names[i].substr(prefix.size()) : names[i];
      const Pretrained::Weight weight{file.get(), &stored, has_prefix && !inside};
      check(model.weights.emplace(name, weight).second, kName, model.weights_path, ": '", name,
            "' is there twice, with and without '", prefix, "'");
      ++i;
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
  return found->second.file->read(found->second.stored->name);
}

bool Pretrained::are_same(std::string_view one, std::string_view other) const {
  if (!contains(one) || !contains(other)) return false;
  const auto &a = *weights.find(one)->second.stored, &b = *weights.find(other)->second.stored;
  if (a.dtype != b.dtype || a.shape != b.shape || !a.becomes) return false;
  const Tensor x = contiguous(read(one)), y = contiguous(read(other));
  bool same = false;
  dispatch_all(x.dtype(), [&]<class T>() {
    const auto bytes = static_cast<size_t>(x.numel()) * sizeof(T);
    same = bytes == 0 || std::memcmp(x.data<T>(), y.data<T>(), bytes) == 0;
  });
  return same;
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
  return open_pretrained(path, std::vector<std::string_view>{model_type}, prefix, aliases);
}

Pretrained open_pretrained(const std::string& path,
                           const std::vector<std::string_view>& model_types,
                           std::string_view prefix, const std::vector<KeyAlias>& aliases) {
  std::error_code ignored;
  check(fs::exists(path, ignored), kName, path, " does not exist: give the folder with ", kConfig,
        " and model.safetensors");
  const bool is_folder = fs::is_directory(path, ignored);
  const fs::path config = (is_folder ? fs::path(path) : fs::path(path).parent_path()) / kConfig;
  check(fs::exists(config, ignored), kName, config.string(), " does not exist");
  Pretrained model;
  model.config_path = config.string();
  model.config = read_config(model.config_path, model_types);
  resolve(model, aliases);
  WeightFiles opened = WeightFiles::open(path);
  model.weights_path = std::move(opened.path);
  model.files = std::move(opened.files);
  for (const auto& file : model.files)
    if (const std::string note = file->note(); !note.empty()) model.notes.push_back(note);
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
         nn::list_line("of another head, and not used", heads), nn::list_line("note", file.notes));
  }
};

/// One copy: a tensor of the file as the module sees it, and its destination. (Writing in order and
/// reading across is faster than the reverse.)
struct Copy {
  Tensor to;
  std::string from;  // its name in the file
  bool transposed;
};

bool is_floating(const WeightFile::Stored& stored) {
  return stored.becomes.has_value() && tarsier::is_floating(*stored.becomes);
}

/// Integers or bool: positions, masks, counts of batches, which layers here compute themselves.
bool is_buffer(const WeightFile::Stored& stored) {
  return stored.becomes.has_value() && !tarsier::is_floating(*stored.becomes);
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
    if (is_head)
      differences.heads.push_back(name);
    else if (!is_buffer(*weight.stored))
      differences.unexpected.push_back(name);
  }
  differences.check_empty(file, module);
  for (const Copy& copy : copies) {
    const Tensor from = file.read(copy.from);
    copy_(copy.to, copy.transposed ? transpose(from, 0, 1) : from);
  }
  return differences.heads;
}

}  // namespace tarsier::zoo
