#include "zoo/data/images.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numbers>
#include <string_view>

#include "autograd/base/error.h"
#include "autograd/io/file.h"
#include "autograd/io/json.h"

namespace tarsier::zoo {

void Images::append(const Picture& picture, int64_t label) {
  if (labels.empty()) channels = picture.channels, height = picture.height, width = picture.width;
  check(picture.channels == channels && picture.height == height && picture.width == width, "data",
        "an image of ", picture.channels, " × ", picture.height, " × ", picture.width,
        " does not fit the others, which are ", channels, " × ", height, " × ", width);
  pixels.insert(pixels.end(), picture.pixels.begin(), picture.pixels.end());
  labels.push_back(label);
}

// ------------------------------------------------------------------------------------------- files

namespace {

uint8_t byte_at(std::string_view bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }

/// The four bytes at `at` as a number, the highest first.
uint32_t big_endian(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = at; i < at + 4; ++i) value = value << 8 | byte_at(bytes, i);
  return value;
}

std::string hexadecimal(uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08X", value);
  return text;
}

/// The sizes of an IDX file of bytes with `dimensions` dimensions, its length checked.
std::vector<int64_t> idx_sizes(std::string_view bytes, const std::string& path, size_t dimensions) {
  const auto expected = static_cast<uint32_t>(0x800 + dimensions);
  const size_t header = 4 + 4 * dimensions;
  check(bytes.size() >= 4, "data", "'", path, "' has ", bytes.size(),
        " bytes, too few for the header of an IDX file");
  const uint32_t magic = big_endian(bytes, 0);
  check(magic >> 16 != 0x1F8B, "data", "'", path, "' is compressed: unpack it with gunzip first");
  check(magic == expected, "data", "'", path, "' begins with the bytes ", hexadecimal(magic),
        " where an IDX file of ", dimensions == 1 ? "labels" : "images", " has ",
        hexadecimal(expected));
  check(bytes.size() >= header, "data", "'", path, "' ends at byte ", bytes.size(),
        ", inside its header of ", header, " bytes");
  std::vector<int64_t> sizes;
  double content = 1;  // as double: a damaged header may give any size
  for (size_t d = 0; d < dimensions; ++d) {
    sizes.push_back(big_endian(bytes, 4 + 4 * d));
    content *= static_cast<double>(sizes.back());
  }
  const auto have = static_cast<double>(bytes.size() - header);
  check(content == have, "data", "'", path, "' has ", bytes.size() - header, " bytes after its ",
        "header where ", static_cast<uint64_t>(std::min(content, 1e18)), " were expected",
        have < content ? ": the file is cut off" : "");
  return sizes;
}

}  // namespace

Images read_idx_images(const std::string& images_file) {
  const std::string bytes = read_file(images_file);
  const std::vector<int64_t> sizes = idx_sizes(bytes, images_file, 3);
  check(sizes[0] > 0 && sizes[1] > 0 && sizes[2] > 0, "data", "'", images_file, "' has ", sizes[0],
        " images of ", sizes[1], " × ", sizes[2], " pixels: nothing to learn from");
  Images out;
  out.height = sizes[1];
  out.width = sizes[2];
  out.pixels.assign(bytes.begin() + 16, bytes.end());
  out.labels.assign(static_cast<size_t>(sizes[0]), 0);
  return out;
}

Images read_idx(const std::string& images_file, const std::string& labels_file) {
  Images out = read_idx_images(images_file);
  const std::string bytes = read_file(labels_file);
  const int64_t count = idx_sizes(bytes, labels_file, 1)[0];
  check(out.size() == count, "data", "'", images_file, "' has ", out.size(), " images and '",
        labels_file, "' has ", count, " labels");
  for (int64_t i = 0; i < count; ++i)
    out.labels[static_cast<size_t>(i)] = byte_at(bytes, static_cast<size_t>(8 + i));
  return out;
}

Images read_cifar10(const std::vector<std::string>& files) {
  Images out;
  out.channels = 3;
  out.height = out.width = 32;
  const auto record = static_cast<size_t>(1 + out.image_size());
  for (const std::string& path : files) {
    const std::string bytes = read_file(path);
    check(!bytes.empty() && bytes.size() % record == 0, "data", "'", path, "' has ", bytes.size(),
          " bytes, not a whole number of CIFAR-10's records of ", record);
    for (size_t at = 0; at < bytes.size(); at += record) {
      const int label = byte_at(bytes, at);
      check(label <= 9, "data", "'", path, "', byte ", at, ": label ", label,
            " where CIFAR-10 has 0 to 9");
      out.labels.push_back(label);
      const auto image = bytes.begin() + static_cast<int64_t>(at) + 1;
      out.pixels.insert(out.pixels.end(), image, image + out.image_size());
    }
  }
  return out;
}

Images select(const Images& images, const std::vector<int64_t>& order, int64_t begin, int64_t end) {
  Images out;
  out.channels = images.channels, out.height = images.height, out.width = images.width;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t image = order.at(static_cast<size_t>(i));
    out.labels.push_back(images.labels.at(static_cast<size_t>(image)));
    const uint8_t* pixels = images.image(image);
    out.pixels.insert(out.pixels.end(), pixels, pixels + images.image_size());
  }
  return out;
}

// ----------------------------------------------------------------------------------------- batches

PixelScale PixelScale::of(const Images& images) {
  check(images.size() > 0, "data", "there are no images to measure");
  PixelScale out;
  const int64_t area = images.height * images.width;
  for (int64_t c = 0; c < images.channels; ++c) {
    int64_t sum = 0, squares = 0;  // exact
    for (int64_t i = 0; i < images.size(); ++i) {
      const uint8_t* plane = images.image(i) + c * area;
      for (int64_t p = 0; p < area; ++p) sum += plane[p], squares += plane[p] * plane[p];
    }
    const double count = static_cast<double>(images.size() * area);
    const double mean = static_cast<double>(sum) / count;
    const double variance = static_cast<double>(squares) / count - mean * mean;
    out.mean.push_back(mean / 255);
    // Images of a single colour have nothing to scale.
    out.std.push_back(variance > 1e-6 ? std::sqrt(variance) / 255 : 1);
  }
  return out;
}

PixelScale PixelScale::from_json(const Json& json) {
  PixelScale out;
  for (const Json& value : json["mean"].as_array()) out.mean.push_back(value.as_double());
  for (const Json& value : json["std"].as_array()) out.std.push_back(value.as_double());
  check(out.mean.size() == out.std.size(), "data", "the scale of pixels has ", out.mean.size(),
        " means and ", out.std.size(), " deviations");
  for (double value : out.std)
    check(value > 0, "data", "the scale of pixels has a deviation of ", value);
  return out;
}

Json PixelScale::to_json() const {
  return Json::Object{{"mean", Json::Array(mean.begin(), mean.end())},
                      {"std", Json::Array(std.begin(), std.end())}};
}

void augment(const uint8_t* image, int64_t channels, int64_t height, int64_t width,
             const Augmentation& limits, RandomKey key, uint64_t index, float* out) {
  const auto draw = [&](uint64_t number) {  // from [−1, 1)
    return 2 * uniform<double>(key, 5 * index + number) - 1;
  };
  const double dx = limits.shift * draw(0), dy = limits.shift * draw(1);
  const double angle = limits.rotate * draw(2) * std::numbers::pi / 180;
  const double larger = std::pow(1 + limits.scale, draw(3));
  const bool mirrored = limits.flip && draw(4) < 0;
  const double cosine = std::cos(angle) / larger, sine = std::sin(angle) / larger;
  const double middle_x = static_cast<double>(width - 1) / 2,
               middle_y = static_cast<double>(height - 1) / 2;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x, ++out) {
      // The image was flipped, rotated and scaled around its centre, then shifted: invert that.
      const double u = static_cast<double>(x) - middle_x - dx;
      const double v = static_cast<double>(y) - middle_y - dy;
      const double turned = cosine * u + sine * v;
      const double from_x = middle_x + (mirrored ? -turned : turned);
      const double from_y = middle_y - sine * u + cosine * v;
      for (int64_t c = 0; c < channels; ++c)
        out[c * height * width] = static_cast<float>(
            sample_at(image + c * height * width, height, width, from_y, from_x));
    }
  }
}

void PixelScale::apply(float* image, int64_t area) const {
  for (size_t c = 0; c < mean.size(); ++c) {
    const auto factor = static_cast<float>(1 / (255 * std[c]));
    const auto offset = static_cast<float>(mean[c] / std[c]);
    for (int64_t p = 0; p < area; ++p, ++image) *image = *image * factor - offset;
  }
}

Tensor image_batch(const Images& images, const std::vector<int64_t>& indices,
                   const PixelScale& scale, const Augmentation& limits, RandomKey key,
                   int64_t step) {
  check(static_cast<int64_t>(scale.mean.size()) == images.channels, "data", "images of ",
        images.channels, " channels cannot be scaled as ", scale.mean.size(), " channels");
  const auto count = static_cast<int64_t>(indices.size());
  Tensor out = Tensor::empty({count, images.channels, images.height, images.width}, f32);
  const RandomKey step_key{key.seed, key.stream + static_cast<uint64_t>(step)};
  const int64_t area = images.height * images.width;
  float* place = out.data<float>();
  for (int64_t index : indices) {
    check(index >= 0 && index < images.size(), "data", "there is no image ", index, " among ",
          images.size());
    const uint8_t* image = images.image(index);
    if (limits.any()) {
      augment(image, images.channels, images.height, images.width, limits, step_key,
              static_cast<uint64_t>(index), place);
    } else {
      std::copy(image, image + images.image_size(), place);
    }
    scale.apply(place, area);
    place += images.image_size();
  }
  return out;
}

}  // namespace tarsier::zoo
