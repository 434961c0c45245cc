#pragma once
// Pictures of any size as images of one size.

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "images.h"

namespace tarsier::zoo {

/// The images that a model reads; 0: what suits the pictures.
struct ImageForm {
  int64_t channels = 0, height = 0, width = 0;
  int64_t multiple = 8;  ///< of which sides that suit the pictures are whole multiples
};

/// Collects pictures, and fits each into one size (fitted(): with its proportions, as large as fits,
/// centred, the rest filled with its mean colour). Where the size is not given, it is that of the
/// pictures, rounded up to whole multiples, if all have the same and no side is above 64; otherwise
/// 48 × 48, also rounded up. Where the channels are not given, there is 1 if all pictures are grey,
/// also those stored in colours, and 3 otherwise.
class FittedPictures {
 public:
  explicit FittedPictures(const ImageForm& form) : form_(form) {}

  void add(Picture picture, int64_t label);
  /// All of them, which are at least one, and how many had another size. Ends the collection.
  std::pair<Images, int64_t> all();

 private:
  void fit();

  ImageForm form_;
  std::vector<Picture> waiting_;  // added before the size was known
  std::vector<int64_t> waiting_labels_;
  Images images_;
  int64_t resized_ = 0;
  bool coloured_ = false;
};

/// The least height and width, whole multiples of `multiple`, that hold the picture of each example.
template <class Example>
std::pair<int64_t, int64_t> sides_for(const std::vector<Example>& examples, int64_t multiple) {
  int64_t height = 0, width = 0;
  for (const Example& example : examples) {
    height = std::max(height, example.picture.height);
    width = std::max(width, example.picture.width);
  }
  const auto whole = [&](int64_t side) { return (side + multiple - 1) / multiple * multiple; };
  return {whole(height), whole(width)};
}

/// "'x.png' has 640 × 480 pixels: it is read as 48 × 36" and a line end; "" for a picture of the size
/// that the model reads.
std::string size_remark(const std::string& path, const Picture& picture, int64_t height,
                        int64_t width);

}  // namespace tarsier::zoo
