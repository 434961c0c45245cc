// MNIST's files: the first byte is the number of bytes of the labels; labels and images follow.
#include <algorithm>

#include "tests/fuzz/fuzz.h"
#include "zoo/data/images.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const size_t labels = std::min<size_t>(take_byte(bytes), bytes.size());
  const zoo::Images images = zoo::read_idx(folder().write("images", bytes.substr(labels)),
                                           folder().write("labels", bytes.substr(0, labels)));
  promise(static_cast<int64_t>(images.pixels.size()) == images.size() * images.image_size(),
          "images have their pixels");
  const zoo::PixelScale scale = zoo::PixelScale::of(images);
  zoo::PixelScale::from_json(scale.to_json());
}
