#pragma once
// What an image classifier learns from: pictures with classes, MNIST's files, CIFAR-10's.

#include <cstdint>
#include <string>
#include <vector>

#include "classed_pictures.h"
#include "fitted_pictures.h"
#include "images.h"

namespace tarsier::zoo {

struct ImageFolder {
  Images train, val, test;         ///< of one form; val and test may be empty
  std::vector<std::string> names;  ///< of the classes
  /// Whether the images are single signs, bright on black and centred as MNIST's are; pictures that
  /// are read later must be made like that (fitted_sign()).
  bool signs = false;
  int64_t resized = 0;    ///< images that had another size
  std::string remark{};   ///< on pictures that were left out; "" if none were
  std::string columns{};  ///< the names of the columns in a table's header, if any
};

/// Reads what is at `path`:
///   - a folder with CIFAR-10's files (data_batch_1.bin … 5, test_batch.bin, and batches.meta.txt for
///     the names, if it exists);
///   - a folder with MNIST's four files (train-images-idx3-ubyte, …; Fashion-MNIST and others use the
///     same names; classes are called 0, 1, …);
///   - pictures in folders of classes, or in tables (data/classed_pictures.h).
/// Pictures are fitted into one form (data/fitted_pictures.h), which those of training determine where
/// it is open; each is read once and kept as it is fitted. Throws Error("data") for anything else, for pictures that cannot be read (with their
/// file, and line of a table), and if test images have classes or a size that the training images
/// lack.
ImageFolder read_image_folder(const std::string& path, const ImageForm& form = {},
                              const ClassColumns& columns = {});

/// Fits images of another size into `form` as well, if it has a size.
void fit_images(ImageFolder& data, const ImageForm& form);

/// The same with a tenth of the training images for validation, if there are none for it. Always the
/// same ones.
ImageFolder with_validation(ImageFolder data);

/// Gives the images of `data`, which `source` holds, the numbers that their classes have in `names`.
/// Classes that are only numbered are taken as they are, if there are as many. Throws Error("data")
/// for a class that is not in `names`.
void renumber_classes(ImageFolder& data, const std::vector<std::string>& names,
                      const std::string& source);

}  // namespace tarsier::zoo
