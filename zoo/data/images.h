#pragma once
// Labelled images of one size: MNIST's IDX files, CIFAR-10's binary files, and batches.

#include <cstdint>
#include <string>
#include <vector>

#include "../../autograd/base/random.h"
#include "../../autograd/io/json.h"
#include "../../autograd/tensor/tensor.h"
#include "../picture/picture.h"

namespace tarsier::zoo {

/// Images of one size, and their classes.
struct Images {
  int64_t channels = 1, height = 0, width = 0;
  std::vector<uint8_t> pixels;  ///< image after image, each as in Picture
  std::vector<int64_t> labels;

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
  int64_t image_size() const { return channels * height * width; }
  const uint8_t* image(int64_t i) const { return pixels.data() + i * image_size(); }
  Picture picture(int64_t i) const {
    return {channels, height, width, {image(i), image(i) + image_size()}};
  }
  /// Adds an image; the first one sets the size. Throws Error("data") for another size.
  void append(const Picture& picture, int64_t label);
};

/// MNIST's format: images in an IDX file of unsigned bytes with 3 dimensions (magic number
/// 0x00000803), labels in one with 1 dimension (0x00000801). Throws Error("data") with file and
/// byte if the magic number is wrong, the size does not match the header, the counts differ
/// (naming both), or there are no images.
/// Source: https://yann.lecun.com/exdb/mnist
Images read_idx(const std::string& images_file, const std::string& labels_file);
/// The file of images alone: all labels are 0. The errors are the same.
Images read_idx_images(const std::string& images_file);

/// CIFAR-10's binary format: files of records of 1 label and 3 · 32 · 32 bytes. Throws
/// Error("data") if a file is not a whole number of records, or a label is above 9. Source:
Images read_cifar10(const std::vector<std::string>& files);

/// Images order[begin], …, order[end − 1] of `images`.
Images select(const Images& images, const std::vector<int64_t>& order, int64_t begin, int64_t end);

/// Mean and standard deviation of the pixels of each channel, as numbers from 0 to 1.
struct PixelScale {
  std::vector<double> mean, std;

  static PixelScale of(const Images& images);
  /// (v / 255 − mean) / std for every value of an image, in place; a channel has `area` of them.
  void apply(float* image, int64_t area) const;
  static PixelScale from_json(const Json& json);  ///< Throws Error("json") or Error("data").
  Json to_json() const;
};

/// Random changes of training images. Each number is drawn for each image, uniformly from
/// [−limit, limit].
struct Augmentation {
  double shift = 0;   ///< pixels, to each side
  double rotate = 0;  ///< degrees
  double scale = 0;   ///< 0.1: by a factor between 1 / 1.1 and 1.1
  bool flip = false;  ///< mirror half of the images, left to right

  bool any() const { return shift > 0 || rotate > 0 || scale > 0 || flip; }
};

/// One image, changed by random numbers from `key`; `out` has the same size. Each output pixel is
/// interpolated between the four input pixels around its source position; beyond the edge the
/// nearest pixel is taken.
void augment(const uint8_t* image, int64_t channels, int64_t height, int64_t width,
             const Augmentation& limits, RandomKey key, uint64_t index, float* out);

/// (B, C, H, W) f32: images `indices`, every pixel as (v / 255 − mean) / std. With augmentation the
/// numbers come from the stream key.stream + step and the image's index, so that a batch depends
/// only on (seed, step, indices). Throws Error("data") for an index out of range.
Tensor image_batch(const Images& images, const std::vector<int64_t>& indices,
                   const PixelScale& scale, const Augmentation& limits = {}, RandomKey key = {},
                   int64_t step = 0);

}  // namespace tarsier::zoo
