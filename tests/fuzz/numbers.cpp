// Pictures whose numbers are classes: PNG, and PGM.
#include "tests/fuzz/fuzz.h"
#include "zoo/picture/read.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const zoo::Picture mask = zoo::read_numbers(folder().write("input", bytes));
  promise(mask.channels == 1 && mask.height > 0 && mask.width > 0, "a pixel has one number");
  promise(static_cast<int64_t>(mask.pixels.size()) == mask.numel(), "a mask has its pixels");
}
