#include "zoo/pretrained/weight_files.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "autograd/io/file.h"
#include "autograd/io/json.h"
#include "autograd/io/safetensors_file.h"
#include "nn/names.h"
#include "zoo/pretrained/torch_file.h"

namespace tarsier::zoo {

namespace {

namespace fs = std::filesystem;

constexpr const char* kName = "pretrained";
/// How the names of PyTorch's files end.
constexpr std::string_view kTorchEnds[] = {".bin", ".pt", ".pth", ".ckpt"};

class SafetensorsWeights : public WeightFile {
 public:
  explicit SafetensorsWeights(const std::string& path) : file_(path) {
    for (const SafetensorsFile::Stored& stored : file_.tensors())
      tensors_.push_back(
          {stored.name, stored.dtype, stored.shape, SafetensorsFile::dtype_of(stored)});
  }

  const std::string& path() const override { return file_.path(); }
  const std::vector<Stored>& tensors() const override { return tensors_; }
  Tensor read(std::string_view name) const override { return file_.read(name); }

 private:
  SafetensorsFile file_;
  std::vector<Stored> tensors_;
};

/// Like fs::exists, but does not throw for a path that cannot be accessed.
bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// What the names of weights begin and end with, safetensors before PyTorch's own files.
struct Format {
  std::string_view stem, extension;

  std::string usual() const { return concat(stem, extension); }
  std::string index() const { return concat(stem, extension, ".index.json"); }
  /// Whether a name is that of a variant, or of its index.
  bool is_variant(std::string_view name) const {
    const bool is_part = name.find("-of-") != name.npos;
    return (name.starts_with(concat(stem, ".")) && name.ends_with(extension) && !is_part) ||
           (name.starts_with(concat(stem, extension, ".index.")) && name.ends_with(".json"));
  }
};
constexpr Format kFormats[] = {{"model", ".safetensors"}, {"pytorch_model", ".bin"}};

/// The weights in a folder, or their index: under their usual names, or the only variant, as
/// save_pretrained(…, variant="fp16") writes it.
fs::path weights_in(const fs::path& folder) {
  for (const Format& format : kFormats)
    for (const std::string& name : {format.usual(), format.index()})
      if (is_there(folder / name)) return folder / name;
  std::vector<std::string> variants;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (std::ranges::any_of(kFormats, [&](const Format& f) { return f.is_variant(name); }))
      variants.push_back(name);
  }
  std::ranges::sort(variants);
  const std::string usual = kFormats[0].usual();
  check(variants.size() < 2, kName, folder.string(), " has no ", usual, ", and several variants",
        nn::list_line("there are", variants), "\n  give the path of one of these files");
  return folder / (variants.empty() ? usual : variants[0]);
}

/// Opens a file of either format, told by its first bytes and its name.
std::shared_ptr<const WeightFile> open_file(const std::string& path) {
  const auto has_end = [&](std::string_view end) { return path.ends_with(end); };
  const bool is_torch =
      std::ranges::any_of(kTorchEnds, has_end) || MappedFile(path).text().starts_with("PK\3\4");
  if (is_torch) return std::make_shared<TorchFile>(path);
  return std::make_shared<SafetensorsWeights>(path);
}

/// A name of a file in the index's own folder: nothing that leads elsewhere.
bool is_plain(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == name.npos;
}

/// The file of each weight, as an index has it.
using WeightMap = std::map<std::string, std::string>;

WeightMap read_index(const std::string& path) {
  const Json index = Json::parse(read_file(path), path);
  const Json* map = index.is_object() ? index.find("weight_map") : nullptr;
  check(map != nullptr && map->is_object() && !map->as_object().empty(), kName, path,
        ": expected an index of split weights, {\"weight_map\": {\"weight\": \"file\", …}}");
  WeightMap files;
  for (const auto& [weight, file] : map->as_object()) {
    check(file.is_string() && is_plain(file.as_string()), kName, path, ": the weight '", weight,
          "' is said to be in ", file.dump(), ", where the name of a file of the same folder was ",
          "expected");
    files.emplace(weight, file.as_string());
  }
  return files;
}

/// Throws if two files have one weight, or one is not in the file that the index names.
void check_index(const std::string& path, const WeightMap& listed,
                 const std::map<std::string, std::shared_ptr<const WeightFile>>& shards) {
  std::map<std::string_view, const std::string*> found;  // the shard of each weight
  for (const auto& [shard, file] : shards)
    for (const WeightFile::Stored& stored : file->tensors()) {
      const auto [other, is_new] = found.emplace(stored.name, &shard);
      check(is_new, kName, path, ": two files have the weight '", stored.name,
            "': ", *other->second, " and ", shard);
    }
  for (const auto& [weight, shard] : listed) {
    const auto where = found.find(weight);
    const std::string hint = where == found.end() ? "" : concat("; ", *where->second, " has it");
    check(where != found.end() && *where->second == shard, kName, path, ": the weight '", weight,
          "' should be in ", shard, ", and is not", hint);
  }
}

WeightFiles open_index(const std::string& path) {
  const WeightMap listed = read_index(path);
  std::map<std::string, std::shared_ptr<const WeightFile>> shards;  // by name
  for (const auto& [weight, shard] : listed) {
    if (shards.contains(shard)) continue;
    const fs::path file = fs::path(path).parent_path() / shard;
    check(is_there(file), kName, file.string(), " does not exist, where ", path,
          " says that the weight '", weight, "' is: is the download complete?");
    shards.emplace(shard, open_file(file.string()));
  }
  check_index(path, listed, shards);
  WeightFiles opened{path, {}};
  for (const auto& [shard, file] : shards) opened.files.push_back(file);
  return opened;
}

}  // namespace

WeightFiles WeightFiles::open(const std::string& path) {
  std::error_code ignored;
  const fs::path file = fs::is_directory(path, ignored) ? weights_in(path) : fs::path(path);
  check(is_there(file), kName, file.string(), " does not exist");
  const std::string name = file.string();
  if (name.ends_with(".json") && name.find(".index.") != name.npos) return open_index(name);
  return {name, {open_file(name)}};
}

}  // namespace tarsier::zoo
