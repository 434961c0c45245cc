// Pictures: PNG, JPEG, BMP, PGM and PPM, how predict prepares them, and that they are written.
#include "zoo/picture/read.h"

#include "tests/fuzz/fuzz.h"
#include "zoo/picture/write.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const zoo::Picture picture = zoo::read_picture(folder().write("input", bytes));
  promise(picture.height > 0 && picture.width > 0 &&
              static_cast<int64_t>(picture.pixels.size()) == picture.numel(),
          "a picture has its pixels");
  // Of PNG a byte holds at most 1,032 others, and each of them 8 pixels.
  promise(picture.height * picture.width <= 8 * 1032 * static_cast<int64_t>(bytes.size()),
          "a file holds no more pixels than it can");
  if (picture.numel() < 100'000) {
    const zoo::Picture again = zoo::read_picture(folder().write("again", zoo::png_of(picture)));
    promise(again.pixels == picture.pixels, "a picture that is written is read again");
  }
  zoo::fitted(picture, 3, 4, 6);
  zoo::fitted_sign(picture, 8, 8);
}
