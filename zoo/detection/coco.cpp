// Boxes in COCO's JSON. Source: https://cocodataset.org/#format-data
#include <array>
#include <filesystem>
#include <map>

#include "zoo/data/coco.h"
#include "zoo/data/lines.h"
#include "zoo/data/text.h"
#include "zoo/data/words.h"
#include "zoo/detection/annotations.h"

namespace tarsier::zoo::detection {

namespace fs = std::filesystem;

namespace {

bool is_coco(const Json& json) {
  if (!json.is_object()) return false;
  for (const char* key : {"images", "annotations", "categories"})
    if (const Json* member = json.find(key); member == nullptr || !member->is_array()) return false;
  return true;
}

/// [x, y, width, height]
Box box_of(const CocoObject& annotation) {
  const Json::Array& numbers = annotation.list("bbox");
  bool right = numbers.size() == 4;
  for (const Json& number : numbers) right = right && number.is_number();
  check(right, "data", annotation.place,
        ": its \"bbox\" is not four numbers: x, y, width and height");
  const auto v = [&](size_t i) { return numbers[i].as_double(); };
  return {v(0), v(1), v(0) + v(2), v(1) + v(3)};
}

/// The names of the categories, and by id.
struct Categories {
  std::vector<std::string> names;
  std::map<int64_t, std::string> by_id;

  explicit Categories(const CocoObject& file) {
    for (const CocoObject& one : file.objects("categories", "category")) {
      names.push_back(one.text("name"));
      by_id[one.whole("id")] = names.back();
    }
  }
};

std::vector<AnnotatedPicture> pictures_of(const Json& json, const std::string& path) {
  const CocoObject file{&json, concat("'", path, "'")};
  const Categories categories(file);
  const CocoImages images(file);
  const std::string folder = fs::path(path).parent_path().string();
  std::vector<AnnotatedPicture> out;
  for (size_t i = 0; i < images.objects.size(); ++i)
    out.push_back({picture_file(folder, images.file_name(i), images.objects[i].place), {}});
  for (const CocoObject& one : file.objects("annotations", "annotation")) {
    const int64_t category = one.whole("category_id");
    check(categories.by_id.contains(category), "data", one.place, " is of category ", category,
          ", which is not in \"categories\"");
    const Json* crowd = one.json->find("iscrowd");
    const bool is_crowd = crowd != nullptr && crowd->dump() != "0" && crowd->dump() != "false";
    out[images.of(one)].objects.push_back(
        {categories.by_id.at(category), box_of(one), false, is_crowd, one.place});
  }
  return out;
}

Json parsed(const std::string& path) { return Json::parse(read_text_file(path), path); }

/// The JSON files in `folder`, in its folder annotations, and in folders named after the parts.
std::vector<std::string> json_files(const std::string& folder) {
  std::vector<std::string> out;
  std::vector<std::string> below{"", "annotations"};
  for (const auto* names : {&train_names(), &validation_names(), &test_names()})
    below.insert(below.end(), names->begin(), names->end());
  std::error_code ignored;
  for (const std::string& inside : below) {
    const fs::path place = inside.empty() ? fs::path(folder) : fs::path(folder) / inside;
    if (!fs::is_directory(place, ignored)) continue;
    for (const std::string& name : names_in(place.string()))
      if (to_lower(fs::path(name).extension().string()) == ".json")
        out.push_back((place / name).string());
  }
  return out;
}

/// Whether the file, or else its folder, is named after a part: "instances_train2017.json".
bool belongs_to(const std::string& path, const std::string& root,
                const std::vector<std::string>& names) {
  const fs::path file(path);
  const std::string folder =
      file.parent_path() == fs::path(root) ? "" : file.parent_path().filename().string();
  for (const std::string& name : names)
    if (to_lower(file.stem().string()).find(name) != std::string::npos || to_lower(folder) == name)
      return true;
  return false;
}

}  // namespace

Annotations read_coco(const std::string& path) {
  Annotations out;
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    if (to_lower(fs::path(path).extension().string()) != ".json") return out;
    const Json json = parsed(path);
    check(is_coco(json), "data", "'", path, "' is not in COCO's format: expected an object with ",
          "\"images\", \"annotations\" and \"categories\"");
    out.names = Categories({&json, concat("'", path, "'")}).names;
    out.parts = split_pictures(pictures_of(json, path), concat("'", path, "'"));
    out.format = "COCO";
    return out;
  }
  std::array<std::string, 3> sources;
  const std::array parts{std::pair{&train_names(), &out.parts.train},
                         std::pair{&validation_names(), &out.parts.val},
                         std::pair{&test_names(), &out.parts.test}};
  for (const std::string& file : json_files(path))
    for (size_t i = 0; i < parts.size(); ++i) {
      const auto& [names, part] = parts[i];
      if (!belongs_to(file, path, *names)) continue;
      const Json json = parsed(file);
      if (!is_coco(json)) break;  // captions, for example
      check(sources[i].empty(), "data", "'", sources[i], "' and '", file, "' are both the part ",
            names->front(), ": leave one of them");
      sources[i] = file;
      *part = pictures_of(json, file);
      if (i == 0) out.names = Categories({&json, concat("'", file, "'")}).names;
      break;
    }
  if (!sources[0].empty()) out.format = "COCO";
  return out;
}

}  // namespace tarsier::zoo::detection
