#include "zoo/data/fitted_pictures.h"

#include <algorithm>

#include "autograd/base/error.h"

namespace tarsier::zoo {

namespace {

constexpr int64_t kLargest = 64, kUsual = 48;

int64_t whole(int64_t side, int64_t multiple) {
  return (side + multiple - 1) / multiple * multiple;
}

bool is_coloured(const Picture& picture) {
  if (picture.channels == 1) return false;
  const auto area = static_cast<std::ptrdiff_t>(picture.height * picture.width);
  const auto red = picture.pixels.begin(), green = red + area, blue = green + area;
  return !std::equal(red, green, green) || !std::equal(green, blue, blue);
}

}  // namespace

void FittedPictures::add(Picture picture, int64_t label) {
  if (form_.channels == 0) coloured_ = coloured_ || is_coloured(picture);
  waiting_.push_back(std::move(picture));
  waiting_labels_.push_back(label);
  const Picture &first = waiting_.front(), &last = waiting_.back();
  const bool same = last.height == first.height && last.width == first.width;
  if (form_.height == 0 && (!same || std::max(last.height, last.width) > kLargest))
    form_.height = form_.width = whole(kUsual, form_.multiple);
  if (form_.height > 0) fit();
}

std::pair<Images, int64_t> FittedPictures::all() {
  if (form_.height == 0 && !waiting_.empty()) {
    form_.height = whole(waiting_.front().height, form_.multiple);
    form_.width = whole(waiting_.front().width, form_.multiple);
    fit();
  }
  if (form_.channels == 0 && !coloured_) {
    Images grey;
    for (int64_t i = 0; i < images_.size(); ++i)
      grey.append(with_channels(images_.picture(i), 1), images_.labels[static_cast<size_t>(i)]);
    images_ = std::move(grey);
  }
  return {std::move(images_), resized_};
}

void FittedPictures::fit() {
  for (size_t i = 0; i < waiting_.size(); ++i) {
    const Picture& picture = waiting_[i];
    resized_ += picture.height != form_.height || picture.width != form_.width;
    images_.append(
        fitted(picture, form_.channels == 0 ? 3 : form_.channels, form_.height, form_.width),
        waiting_labels_[i]);
  }
  waiting_.clear();
  waiting_labels_.clear();
}

std::string size_remark(const std::string& path, const Picture& picture, int64_t height,
                        int64_t width) {
  if (picture.height == height && picture.width == width) return "";
  const PictureFit fit = fit_of(picture.height, picture.width, height, width);
  return concat("'", path, "' has ", picture.width, " × ", picture.height,
                " pixels: it is read as ", fit.width, " × ", fit.height, "\n");
}

}  // namespace tarsier::zoo
