// CIFAR-10's files.
#include "tests/fuzz/fuzz.h"
#include "zoo/data/images.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const zoo::Images images = zoo::read_cifar10({folder().write("input", bytes)});
  promise(static_cast<int64_t>(images.pixels.size()) == images.size() * images.image_size(),
          "images have their pixels");
}
