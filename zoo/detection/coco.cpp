// Boxes in COCO's JSON. Source: https://cocodataset.org/#format-data
#include <array>
#include <filesystem>
#include <map>

#include "autograd/io/json.h"
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
Box box_of(const Json& annotation, const std::string& place) {
  const Json* numbers = annotation.find("bbox");
  check(numbers != nullptr && numbers->is_array() && numbers->as_array().size() == 4, "data", place,
        " has no \"bbox\" of four numbers: x, y, width and height");
  std::array<double, 4> v{};
  for (size_t i = 0; i < 4; ++i) v[i] = numbers->as_array()[i].as_double();
  return {v[0], v[1], v[0] + v[2], v[1] + v[3]};
}

/// The names of the categories, and by id.
struct Categories {
  std::vector<std::string> names;
  std::map<int64_t, std::string> by_id;

  explicit Categories(const Json& json) {
    for (const Json& one : json["categories"].as_array()) {
      names.push_back(one["name"].as_string());
      by_id[one["id"].as_int()] = names.back();
    }
  }
};

std::vector<AnnotatedPicture> pictures_of(const Json& json, const std::string& path) {
  const Categories categories(json);
  const std::string folder = fs::path(path).parent_path().string(), source = concat("'", path, "'");
  std::vector<AnnotatedPicture> out;
  std::map<int64_t, size_t> index;
  for (const Json& one : json["images"].as_array()) {
    const int64_t id = one["id"].as_int();
    check(index.emplace(id, out.size()).second, "data", source, ": two images have the id ", id);
    out.push_back(
        {picture_file(folder, one["file_name"].as_string(), concat(source, ", image ", id)), {}});
  }
  int64_t number = 0;
  for (const Json& one : json["annotations"].as_array()) {
    const Json* id = one.find("id");
    const std::string place =
        concat(source, ", annotation ", id != nullptr ? id->dump() : concat("number ", number + 1));
    ++number;
    const int64_t image = one["image_id"].as_int(), category = one["category_id"].as_int();
    check(index.contains(image), "data", place, " is of image ", image,
          ", which is not in \"images\"");
    check(categories.by_id.contains(category), "data", place, " is of category ", category,
          ", which is not in \"categories\"");
    const Json* crowd = one.find("iscrowd");
    const bool is_crowd = crowd != nullptr && crowd->dump() != "0" && crowd->dump() != "false";
    out[index[image]].objects.push_back(
        {categories.by_id.at(category), box_of(one, place), false, is_crowd, place});
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
    out.names = Categories(json).names;
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
      if (i == 0) out.names = Categories(json).names;
      break;
    }
  if (!sources[0].empty()) out.format = "COCO";
  return out;
}

}  // namespace tarsier::zoo::detection
