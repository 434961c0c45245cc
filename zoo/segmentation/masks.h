#pragma once
// Pictures and their masks in folders: which file belongs to which.

#include <string>
#include <vector>

#include "../data/splits.h"

namespace tarsier::zoo::segmentation {

/// A picture and the mask that says what its pixels show.
struct MaskedFile {
  std::string picture, mask;  ///< paths
};

struct MaskedFiles {
  Parts<MaskedFile> parts;         ///< train and val are not empty; test may be
  std::vector<std::string> names;  ///< of the classes, from classes.txt, if there is one
  std::string format;              ///< "folders of images and masks"
};

/// Finds the files in the folder `path`. Parts are folders called train, val (valid, validation,
/// dev) and test; without them 8 of 10 pictures train, 1 validates, 1 tests. In each:
///   - masks next to their pictures: `NAME.jpg` and `NAME-label.png` (or -mask, _label, _mask, _L);
///   - or in two folders, with the same names: `images` (imgs, image, JPEGImages) and `masks` (mask,
///     labels, label, annotations, SegmentationClass), in which the parts may also be folders;
///   - or `train` and `trainannot` (as SegNet's CamVid).
/// Pascal VOC: JPEGImages and SegmentationClass, with the parts that ImageSets/Segmentation lists;
/// pictures that it does not list do not count.
/// `classes.txt` in `path` has the name of a class in each line, 0 first.
/// Throws Error("data") for a picture without a mask, a mask without a picture, folders without
/// pictures, and anything else.
MaskedFiles find_masks(const std::string& path);

}  // namespace tarsier::zoo::segmentation
