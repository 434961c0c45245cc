#pragma once
// Pictures with captions.

#include <cstdint>
#include <string>
#include <vector>

#include "../picture/picture.h"
#include "caption_files.h"
#include "images.h"

namespace tarsier::zoo {

/// The pictures of a part and what is said about them; a picture may have several captions.
struct CaptionPart {
  struct Caption {
    int64_t image = 0;  ///< of `images`
    std::string text;
  };
  Images images;                   ///< 3 channels; the labels mean nothing
  std::vector<std::string> files;  ///< of each image
  std::vector<Caption> captions;
  int64_t resized = 0;  ///< pictures that had another size

  int64_t size() const { return static_cast<int64_t>(captions.size()); }
  /// The captions of each image.
  std::vector<std::vector<std::string>> by_image() const;
};

/// What a model of pictures and texts learns from.
struct CaptionData {
  CaptionPart train, val, test;  ///< test may be empty
  std::string columns = "";      ///< the names of the columns in the header, if any
};

/// Height and width of the pictures as a model reads them; 0: to be decided.
struct PictureSize {
  int64_t height = 0, width = 0;
};

/// Reads pictures (picture/read.h) and captions, in one of these forms:
///   - a folder with train.tsv and val.tsv (or .csv), and optionally test.tsv: tables of two columns
///     (data/table.h), a picture's file and its caption; a picture may occur in several lines;
///   - the same with COCO's captions: train.json and val.json, or captions_train2017.json and so on,
///     also in the folder annotations;
///   - a folder with a single table or JSON file of another name, or the path of one: it is split by
///     pictures, in an order drawn from a fixed key: of ten 8 train, 1 validates, 1 tests.
/// val may be called valid, validation or dev. Pictures are relative to the folder, or to its
/// subfolders images, train, val, test, train2017, val2017, test2017, train2014, val2014.
///
/// All pictures get one size, with 3 channels: those of another one are fitted() into it, with their
/// proportions. It is `size`, if given; otherwise that of the training pictures, rounded up to whole
/// multiples of 8, if all have the same and no side is above 64; otherwise 48 × 48.
///
/// Throws Error("data") with file and line (of JSON: the number of the annotation) for a picture
/// that is missing or cannot be read, and a blank caption; for no captions, and for fewer than 10
/// pictures in a file that is split.
CaptionData read_captions(const std::string& path, const CaptionColumns& columns, PictureSize size);

/// How many scenes are drawn, and with how many things at most.
struct SceneCounts {
  int64_t train = 4000, val = 400, test = 400;
  int64_t max_objects = 3;
};

/// Generated scenes with their captions (data/scenes.h), 48 × 48 pixels if `size` is 0; always the
/// same.
CaptionData scene_captions(PictureSize size, SceneCounts counts = {});

}  // namespace tarsier::zoo
