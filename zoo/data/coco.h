#pragma once
// What all of COCO's JSON files have in common: images with ids, and annotations that name them.
//
//   {"images": [{"id": 1, "file_name": "a.jpg"}, …], "annotations": [{"image_id": 1, …}, …]}
//
// Source: https://cocodataset.org/#format-data

#include <map>
#include <string>
#include <vector>

#include "../../autograd/io/json.h"

namespace tarsier::zoo {

/// An object of such a file. Its members are read by name; Error("data") names `place` where one is
/// missing or of another kind. It refers to the file's Json.
struct CocoObject {
  const Json* json;
  std::string place;  ///< "'train.json', image with the id 7"

  int64_t whole(const char* name) const;
  double number(const char* name) const;
  const std::string& text(const char* name) const;
  const Json::Array& list(const char* name) const;

  /// The objects of the list `name`, each called `what` in errors.
  std::vector<CocoObject> objects(const char* name, const char* what) const;
};

/// The images of a file in their order, each with a different id.
struct CocoImages {
  std::vector<CocoObject> objects;
  std::map<int64_t, size_t> index;  ///< by id

  /// Throws Error("data") for two images with one id.
  explicit CocoImages(const CocoObject& file);

  const std::string& file_name(size_t image) const { return objects[image].text("file_name"); }

  /// The number of the image that an annotation is of. Throws Error("data") if there is none.
  size_t of(const CocoObject& annotation) const;
};

}  // namespace tarsier::zoo
