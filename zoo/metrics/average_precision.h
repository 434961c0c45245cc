#pragma once
// Average precision of object detection, as COCO measures it: the numbers of pycocotools 2.0.11.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "../boxes/box.h"

namespace tarsier::zoo {

/// An object of a picture, as it is.
struct TrueObject {
  Box box;
  int64_t label = 0;
  /// A group of objects in one box: detections inside it, as many as there are, count neither for
  /// nor against.
  bool crowd = false;
  /// Decides between small, medium and large; the box's area if not given.
  std::optional<double> area = {};
};

/// An object that a model found.
struct Detection {
  Box box;
  int64_t label = 0;
  double score = 0;
};

/// By the area of objects: all; up to 32²; from there to 96²; above (bounds belong to both).
enum class ObjectSize { all, small, medium, large };

/// Collects the objects of pictures and what was found in them.
///
/// Of one class and one threshold of IoU: in every picture the detections, by falling score, each
/// take the free object with the largest IoU of at least the threshold; without one they are false.
/// Over all pictures, sorted by score, precision is the share of right ones among the detections so
/// far, and recall the share of the objects found. Average precision (AP) is the mean, over the
/// recalls 0, 0.01 … 1, of the best precision at that recall or a higher one; 0 where no recall
/// is as high.
/// Equal scores keep the order in which they were added. At most 100 detections of a class in a
/// picture count, the best ones.
/// Source: https://cocodataset.org/#detection-eval
class AveragePrecision {
 public:
  explicit AveragePrecision(int64_t classes);

  /// Adds a picture. Throws Error("metric") for labels out of range and scores that are NaN.
  void add(std::vector<TrueObject> truth, std::vector<Detection> found);

  /// 0.5, 0.55 … 0.95.
  static const std::array<double, 10>& thresholds();

  /// The AP of `label` at thresholds()[threshold]; none if no picture has an object of the class and
  /// size.
  std::optional<double> ap(int64_t label, size_t threshold,
                           ObjectSize size = ObjectSize::all) const;
  /// The mean over all thresholds, or at one, over the classes that occur; none if there are none.
  std::optional<double> mean_ap(std::optional<size_t> threshold = {},
                                ObjectSize size = ObjectSize::all) const;
  /// The mean, over thresholds and classes that occur, of the share of objects that are found among
  /// the `most` (up to 100) best detections of each picture and class (AR).
  std::optional<double> mean_recall(int64_t most = 100, ObjectSize size = ObjectSize::all) const;

 private:
  struct Scene {
    std::vector<TrueObject> truth;
    std::vector<Detection> found;
  };
  struct Curve;
  /// Of one class at one threshold, over all pictures; none if it has no objects.
  std::optional<Curve> curve(int64_t label, double threshold, ObjectSize size, int64_t most) const;

  std::vector<std::vector<Scene>> scenes_;  // of each class, of pictures that have or found it
};

}  // namespace tarsier::zoo
