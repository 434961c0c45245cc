#include "zoo/data/learned_images.h"

#include <utility>

#include "zoo/base/format.h"
#include "zoo/data/digits.h"
#include "zoo/data/fingerprint.h"

namespace tarsier::zoo {

void LearnedImages::add_settings(Settings& settings) {
  settings.add("image_size", image_size_, "pixels of a side; 0: as the pictures, or 48", 0, 1024);
}

ImageFolder LearnedImages::read(const std::string& path, int64_t multiple) {
  source_ = path.empty() ? "digits drawn by the program" : "'" + path + "'";
  ImageForm form{.height = image_size_, .width = image_size_, .multiple = multiple};
  if (!names.empty()) form = {channels, height, width, multiple};
  ImageFolder data = path.empty() ? digits_folder() : read_image_folder(path, form, columns_);
  fit_images(data, form);
  return with_validation(std::move(data));
}

void LearnedImages::learn(const ImageFolder& data) {
  names = data.names;
  signs = data.signs;
  channels = data.train.channels;
  height = data.train.height;
  width = data.train.width;
}

void LearnedImages::use(ImageFolder data) {
  renumber_classes(data, names, source_);
  if (!data.columns.empty()) source_ += ", columns " + data.columns;
  resized_ = data.resized;
  remark_ = data.remark;
  train = std::move(data.train);
  val = std::move(data.val);
  test = std::move(data.test);
}

Json::Object LearnedImages::known() const {
  return {{"channels", channels},
          {"height", height},
          {"width", width},
          {"names", Json::Array(names.begin(), names.end())}};
}

void LearnedImages::restore(const Json& data) {
  channels = data["channels"].as_int();
  height = data["height"].as_int();
  width = data["width"].as_int();
  names.clear();
  for (const Json& name : data["names"].as_array()) names.push_back(name.as_string());
}

Json::Object LearnedImages::mark() const {
  Fingerprint fingerprint;
  for (const Images* images : {&train, &val}) fingerprint.add(images->pixels).add(images->labels);
  return {{"images", train.size() + val.size()}, {"fingerprint", fingerprint.text()}};
}

std::string LearnedImages::facts() const {
  return concat(
      source_, ": ", with_commas(train.size()), " images of ", height, " × ", width,
      " to train on, ", with_commas(val.size()), " to validate, ", names.size(), " classes",
      resized_ == 0
          ? ""
          : concat("; ", with_commas(resized_), " had another size and are fitted into it"));
}

}  // namespace tarsier::zoo
