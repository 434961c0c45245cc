#pragma once
// Pictures with their objects, as the model learns from them.

#include <cstdint>
#include <string>
#include <vector>

#include "../metrics/average_precision.h"
#include "../picture/picture.h"
#include "annotations.h"

namespace tarsier::zoo::detection {

/// A picture and its objects.
struct Example {
  std::string name;                 ///< the file's name
  int64_t height = 0, width = 0;    ///< in pixels of the file
  Picture picture;                  ///< in colours; may be smaller than the file's
  std::vector<TrueObject> objects;  ///< boxes in pixels of the file
};

/// What was changed or left out of what the files say.
struct Repairs {
  int64_t clipped = 0, dropped = 0, unlabelled = 0;
  std::string first_clipped = "", first_dropped = "";  ///< "'train.tsv', line 3"
  std::string first_unlabelled = "";                   ///< a file

  /// "2 boxes cut at the picture's edge (the first: 'a.tsv', line 3)" and so on, comma between; ""
  /// if there was nothing.
  std::string text() const;
};

/// What a detector learns from.
struct DetectionData {
  Parts<Example> parts;
  std::vector<std::string> names;  ///< of the classes; a label is an index of it
  Repairs repairs;
  std::string format = "";  ///< as in Annotations
};

/// Reads the pictures. Those whose longer side has more than `longest` pixels are scaled down to
/// that. Boxes are cut at the edges of their picture; those without an area are dropped. Classes are
/// in the order of the files, or sorted by name. Throws Error("data") for pictures that cannot be
/// read, objects of classes that the files do not list, and data without a single object.
DetectionData load_pictures(const Annotations& annotations, int64_t longest);

/// Scenes that the program draws (data/scenes.h): 2,000 to train, 200 to validate, 400 to test;
/// always the same.
DetectionData scene_pictures();

}  // namespace tarsier::zoo::detection
