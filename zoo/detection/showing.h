#pragma once
// What the detector found, for people: as a line, drawn on the picture, and on the page of a run.

#include <string>
#include <vector>

#include "../report/page.h"
#include "pictures.h"

namespace tarsier::zoo::detection {

/// "2 objects: WBC 97 % (10.2, 47.3, 42.9, 72.0), …", by falling score; boxes as x1, y1, x2, y2.
std::string listed(const std::vector<Detection>& found, const std::vector<std::string>& names);

/// The detections with a score of at least `threshold`, without those that lie on a better one of
/// their class with an IoU above `overlap` (boxes/suppression.h): two queries may find one object.
/// By falling score, as they were.
std::vector<Detection> worth_showing(const std::vector<Detection>& found, double threshold,
                                     double overlap);

/// The picture with a frame around each object, in the colour of its class; enlarged if it is small.
/// `names` are written at them, with the score, unless empty. Boxes are in pixels of a picture of
/// height × width, of which `picture` may be a smaller version.
Picture with_boxes(const Picture& picture, int64_t height, int64_t width,
                   const std::vector<Detection>& found, const std::vector<std::string>& names);

/// What is wrong in a picture: objects that no detection of their class has found with an IoU of at
/// least 0.5, and detections of at least `threshold` that are of no object.
struct Faults {
  int64_t missed = 0, wrong = 0;

  int64_t all() const { return missed + wrong; }
};
Faults faults_of(const std::vector<TrueObject>& truth, const std::vector<Detection>& found,
                 double threshold);

/// An example with what was found in it.
struct Found {
  const Example* example;
  std::vector<Detection> detections;
};

/// Adds to a page: a table of AP by class, and pictures with truth and detections side by side, most
/// faults first.
void add_detections(Page& page, const std::vector<Found>& all,
                    const std::vector<std::string>& names, double threshold);

/// Adds to a page: where the queries of the first detections of a picture look. `weights[i]` has the
/// attention of detection i to the patches of the fitted picture, in `rows` rows.
void add_query_attention(Page& page, const Found& found, const Picture& fitted,
                         const std::vector<std::vector<double>>& weights, int64_t rows,
                         const std::vector<std::string>& names);

}  // namespace tarsier::zoo::detection
