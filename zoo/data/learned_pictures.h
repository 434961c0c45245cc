#pragma once
// The part of a task that is the same for models of pictures with objects or masks: what the model
// knows of them, and what is said of them. (Of images that have one class each: learned_images.h.)

#include <cstdint>
#include <string>
#include <vector>

#include "../../autograd/io/json.h"
#include "images.h"

namespace tarsier::zoo {

struct LearnedPictures {
  // What the model knows once it has learned.
  int64_t height = 0, width = 0;   ///< the size that pictures are fitted into
  std::vector<std::string> names;  ///< of the classes
  PixelScale scale;
  // What it is used with, for what is said of it.
  std::string source;

  /// Sets the source: the data at `path`, or the scenes of the program for "".
  void name_source(const std::string& path);
  /// The number of a class in `names`. Throws Error("data") for one that is not there.
  int64_t number_of(const std::string& name) const;

  Json::Object known() const;
  void restore(const Json& data);
  /// "'cells' (COCO): 288 images of 72 × 96 to train on, 76 to validate, 3 classes"; without a
  /// format "" in brackets.
  std::string facts(const std::string& format, int64_t train, int64_t val) const;
};

}  // namespace tarsier::zoo
