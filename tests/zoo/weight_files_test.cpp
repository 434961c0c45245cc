// Weights that are split into several files, by transformers (tests/golden/
// make_hugging_face_files.py) and in hostile ways; buffers and prefixes that nobody needs.
#include <doctest/doctest.h>

#include <filesystem>
#include <map>

#include "tests/error_of.h"
#include "tests/nn/golden.h"
#include "tests/zoo/pretrained.h"
#include "zoo/pretrained/gpt2.h"
#include "zoo/pretrained/hugging_face.h"
#include "zoo/pretrained/weight_files.h"

namespace tarsier::zoo {
namespace {

constexpr const char* kIndex = "model.safetensors.index.json";
constexpr const char* kSplit = "hugging-face/gpt2-split";

/// A copy of a split model to damage.
struct SplitCopy {
  Scratch folder;
  Json index;

  SplitCopy() {
    for (const auto& file : std::filesystem::directory_iterator(saved_model(kSplit)))
      folder.write(file.path().filename().string(), read_file(file.path().string()));
    index = Json::parse(folder.read(kIndex));
  }
  /// The error with `map` as the index's weight_map.
  std::string error_with(const Json& map) {
    index.set("weight_map", map);
    folder.write(kIndex, index.dump());
    return error();
  }
  std::string error() const {
    return error_of([&] { load_gpt2(folder.path("")); });
  }
  /// The index's weight_map with another file for `weight`.
  Json with(const std::string& weight, const Json& file) const {
    Json map = index["weight_map"];
    map.set(weight, file);
    return map;
  }
};

bool contains(const std::string& text, const std::string& part) {
  CAPTURE(text);
  CAPTURE(part);
  const bool found = text.find(part) != text.npos;
  CHECK(found);
  return found;
}

/// Whether the model at `path` gives the logits of the golden model `name`.
void check_logits(const std::string& path, const std::string& name) {
  CAPTURE(path);
  const TensorDict numbers = expected_of(name);
  CHECK(relative_error((*load_gpt2(path))(numbers["input_ids"]), numbers["logits"]) < 1e-5);
}

TEST_CASE("a split model gives transformers' logits, from its folder or its index") {
  const std::string folder = saved_model(kSplit);
  const WeightFiles files = WeightFiles::open(folder);
  CHECK(files.path == folder + "/" + kIndex);
  CHECK(files.files.size() > 2);
  check_logits(folder, kSplit);
  check_logits(folder + "/" + kIndex, kSplit);
}

TEST_CASE("a split variant loads if there is nothing else") {
  const std::string folder = saved_model("hugging-face/gpt2-split-fp16");
  CHECK(WeightFiles::open(folder).path == folder + "/model.safetensors.index.fp16.json");
  check_logits(folder, "hugging-face/gpt2-split-fp16");
}

TEST_CASE("an index that leads elsewhere, or lists what is not there, is refused by name") {
  SplitCopy copy;
  CHECK(copy.error() == "no error");
  const Json good = copy.index["weight_map"];
  const std::string weight = "transformer.wte.weight";
  const std::string shard = good[weight].as_string();
  for (const char* elsewhere :
       {"../model.safetensors", "/etc/passwd", "a/b", "a\\b", ".", "..", "", "x\\u0000y"}) {
    const std::string file = concat('"', elsewhere, '"');
    const Json name = std::string_view(elsewhere).find("u0000") == std::string::npos
                          ? Json(elsewhere)
                          : Json::parse(file);
    const std::string error = copy.error_with(copy.with(weight, name));
    contains(error, concat(kIndex, ": the weight '", weight, "' is said to be in "));
  }
  contains(copy.error_with(copy.with(weight, 3)), "is said to be in 3, where the name of a file");
  contains(copy.error_with(copy.with(weight, "model-9.safetensors")),
           concat("model-9.safetensors does not exist, where ", copy.folder.path(kIndex),
                  " says that the weight '", weight, "' is"));
  contains(copy.error_with(Json::Object{}), "expected an index of split weights");
  contains(copy.error_with(3), "expected an index of split weights");
  copy.folder.write(kIndex, "[]");
  contains(copy.error(), "expected an index of split weights");

  copy.index.set("weight_map", good);
  std::string other;
  for (const auto& [name, file] : good.as_object())
    if (file.as_string() != shard) other = file.as_string();
  contains(copy.error_with(copy.with(weight, other)),
           concat(kIndex, ": the weight '", weight, "' should be in ", other, ", and is not"));
  copy.index.set("weight_map", good);
  contains(copy.error_with(copy.with("x.weight", shard)),
           concat("the weight 'x.weight' should be in ", shard, ", and is not"));
}

TEST_CASE("a shard that is missing, damaged or has a weight of another is refused by name") {
  SplitCopy copy;
  const Json& map = copy.index["weight_map"];
  const std::string weight = map.as_object()[0].first,
                    shard = map.as_object()[0].second.as_string();
  std::string other;
  for (const auto& [name, file] : map.as_object())
    if (file.as_string() != shard) other = file.as_string();
  const std::string bytes = copy.folder.read(shard);
  copy.folder.write(shard, bytes.substr(0, bytes.size() - 1));
  contains(copy.error(), shard + ": tensor ");
  std::filesystem::remove(copy.folder.path(shard));
  contains(copy.error(), copy.folder.path(shard) + " does not exist");

  copy.folder.write(shard, bytes);
  TensorDict both = load_safetensors(copy.folder.path(other));
  both.add(weight, load_safetensors(copy.folder.path(shard))[weight]);
  save_safetensors(copy.folder.path(other), both);
  const std::string error = copy.error();
  contains(error, concat("two files have the weight '", weight, "': "));
  contains(error, shard);
  contains(error, other);
}

TEST_CASE("a split model and a variant together: the usual name wins; two variants do not") {
  const Scratch folder;
  folder.write("config.json", read_file(saved_model(kSplit) + "/config.json"));
  folder.write("model.fp16.safetensors", "");
  folder.write("model.safetensors.index.bf16.json", "");
  folder.write("model.fp16-00001-of-00002.safetensors", "");
  contains(error_of([&] { WeightFiles::open(folder.path("")); }),
           "several variants\n  there are: model.fp16.safetensors, "
           "model.safetensors.index.bf16.json\n");
  folder.write(kIndex, "{}");
  contains(error_of([&] { WeightFiles::open(folder.path("")); }), "expected an index");
}

// ---- what is understood ----

TEST_CASE("integers and bools that no layer takes are skipped, floats are not") {
  ModelCopy copy(kSplit, WeightFiles::open(saved_model(kSplit)));
  const Scratch folder;
  const auto error = [&] {
    copy.write(folder.path(""));
    return error_of([&] { load_gpt2(folder.path("")); });
  };
  copy.weights.add("transformer.position_ids", arange(6));
  copy.weights.add("transformer.h.0.seen", full({2}, 1, boolean));
  CHECK(error() == "no error");
  check_logits(folder.path(""), kSplit);
  copy.weights.add("transformer.extra", ones({2}));
  contains(error(), "unexpected: extra");
  CHECK(error().find("position_ids") == std::string::npos);
}

TEST_CASE("a model inside another class: 'model.' before every name is cut off, and said") {
  const auto renamed = [](const std::string& part) {
    ModelCopy copy(kSplit, WeightFiles::open(saved_model(kSplit)));
    copy.rename([&](const std::string& name) { return part + name; });
    return copy;
  };
  for (const char* part : {"model.", "module.model.", "model._orig_mod.", "_orig_mod.model."}) {
    const Scratch folder;
    ModelCopy copy = renamed(part);
    copy.write(folder.path(""));
    check_logits(folder.path(""), kSplit);
    const Pretrained file = open_pretrained(folder.path(""), "gpt2", "transformer.");
    REQUIRE(file.notes.size() == 1);
    contains(file.notes[0], concat("'", part, "transformer."));
    copy.weights.add(concat(part, "transformer.extra"), ones({2}));
    copy.write(folder.path(""));
    contains(error_of([&] { load_gpt2(folder.path("")); }), "note: names are read without what");
  }
  CHECK(open_pretrained(saved_model(kSplit), "gpt2", "transformer.").notes.empty());
}

}  // namespace
}  // namespace tarsier::zoo
