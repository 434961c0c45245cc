#include "zoo/data/learned_pictures.h"

#include <algorithm>

#include "zoo/base/format.h"
#include "zoo/data/rows.h"

namespace tarsier::zoo {

void LearnedPictures::name_source(const std::string& path) {
  source = path.empty() ? "scenes drawn by the program" : "'" + path + "'";
}

int64_t LearnedPictures::number_of(const std::string& name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  check(found != names.end(), "data", source, ": training has never seen the class '", name,
        "'; it knows ", quoted_list(names));
  return found - names.begin();
}

Json::Object LearnedPictures::known() const {
  return {{"height", height},
          {"width", width},
          {"names", Json::Array(names.begin(), names.end())},
          {"scale", scale.to_json()}};
}

void LearnedPictures::restore(const Json& data) {
  height = data["height"].as_int();
  width = data["width"].as_int();
  names.clear();
  for (const Json& name : data["names"].as_array()) names.push_back(name.as_string());
  scale = PixelScale::from_json(data["scale"]);
}

std::string LearnedPictures::facts(const std::string& format, int64_t train, int64_t val) const {
  const std::string form = format.empty() ? "" : concat(" (", format, ")");
  return concat(source, form, ": ", with_commas(train), " images of ", height, " × ", width,
                " to train on, ", with_commas(val), " to validate, ", names.size(), " classes");
}

}  // namespace tarsier::zoo
