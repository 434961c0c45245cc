#include "zoo/picture/picture.h"

#include <algorithm>
#include <cmath>

#include "autograd/base/error.h"

namespace tarsier::zoo {

Picture with_channels(const Picture& picture, int64_t channels) {
  check(channels == 1 || channels == 3, "data", "a picture has 1 or 3 channels, not ", channels);
  if (picture.channels == channels) return picture;
  Picture out{channels, picture.height, picture.width, {}};
  out.pixels.resize(static_cast<size_t>(out.numel()));
  for (int64_t y = 0; y < out.height; ++y)
    for (int64_t x = 0; x < out.width; ++x) {
      if (channels == 3) {
        for (int64_t c = 0; c < 3; ++c) out.at(c, y, x) = picture.at(0, y, x);
      } else {
        out.at(0, y, x) =
            static_cast<uint8_t>((299 * picture.at(0, y, x) + 587 * picture.at(1, y, x) +
                                  114 * picture.at(2, y, x) + 500) /
                                 1000);
      }
    }
  return out;
}

namespace {

/// The weights of the old pixels in a new one, along one axis.
struct Weights {
  int64_t first = 0;
  std::vector<double> of;  // from `first` on; their sum is 1
};

std::vector<Weights> resize_weights(int64_t from, int64_t to) {
  std::vector<Weights> out(static_cast<size_t>(to));
  const double step = static_cast<double>(from) / static_cast<double>(to);
  for (int64_t i = 0; i < to; ++i) {
    Weights& weights = out[static_cast<size_t>(i)];
    if (step > 1) {  // smaller: the share of each old pixel in the area of the new one
      const double begin = static_cast<double>(i) * step;
      const double end = std::min(begin + step, static_cast<double>(from));
      weights.first = static_cast<int64_t>(begin);
      for (int64_t p = weights.first; static_cast<double>(p) < end; ++p)
        weights.of.push_back(
            (std::min(end, static_cast<double>(p + 1)) - std::max(begin, static_cast<double>(p))) /
            (end - begin));
    } else {  // larger: between the two old pixels around the middle of the new one
      const double middle = std::clamp((static_cast<double>(i) + 0.5) * step - 0.5, 0.0,
                                       static_cast<double>(from - 1));
      weights.first = static_cast<int64_t>(middle);
      const double second = middle - static_cast<double>(weights.first);
      weights.of = {1 - second};
      if (second > 0) weights.of.push_back(second);
    }
  }
  return out;
}

}  // namespace

Picture resized(const Picture& picture, int64_t height, int64_t width) {
  const std::vector<Weights> rows = resize_weights(picture.height, height);
  const std::vector<Weights> columns = resize_weights(picture.width, width);
  Picture out{picture.channels, height, width, {}};
  out.pixels.resize(static_cast<size_t>(out.numel()));
  for (int64_t c = 0; c < out.channels; ++c)
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x) {
        const Weights &row = rows[static_cast<size_t>(y)],
                      &column = columns[static_cast<size_t>(x)];
        double sum = 0;
        for (size_t j = 0; j < row.of.size(); ++j)
          for (size_t i = 0; i < column.of.size(); ++i)
            sum += row.of[j] * column.of[i] *
                   picture.at(c, row.first + static_cast<int64_t>(j),
                              column.first + static_cast<int64_t>(i));
        out.at(c, y, x) = static_cast<uint8_t>(std::lround(sum));
      }
  return out;
}

namespace {

/// Copies `picture` to (top, left) of `onto`; parts outside are cut off.
void paste(const Picture& picture, int64_t top, int64_t left, Picture& onto) {
  for (int64_t c = 0; c < picture.channels; ++c)
    for (int64_t y = std::max<int64_t>(0, -top); y < std::min(picture.height, onto.height - top);
         ++y)
      for (int64_t x = std::max<int64_t>(0, -left); x < std::min(picture.width, onto.width - left);
           ++x)
        onto.at(c, top + y, left + x) = picture.at(c, y, x);
}

/// The picture scaled to fit into height × width, keeping its proportions.
Picture shrunk_into(const Picture& picture, int64_t height, int64_t width) {
  const PictureFit fit = fit_of(picture.height, picture.width, height, width);
  return resized(picture, fit.height, fit.width);
}

}  // namespace

PictureFit fit_of(int64_t from_height, int64_t from_width, int64_t height, int64_t width) {
  const double factor = std::min(static_cast<double>(height) / static_cast<double>(from_height),
                                 static_cast<double>(width) / static_cast<double>(from_width));
  const auto scaled = [&](int64_t size, int64_t most) {
    return std::clamp<int64_t>(std::llround(static_cast<double>(size) * factor), 1, most);
  };
  const int64_t h = scaled(from_height, height), w = scaled(from_width, width);
  return {(height - h) / 2, (width - w) / 2, h, w};
}

double sample_at(const uint8_t* channel, int64_t height, int64_t width, double y, double x) {
  const double from_y = std::clamp(y, 0.0, static_cast<double>(height - 1)),
               from_x = std::clamp(x, 0.0, static_cast<double>(width - 1));
  const auto x0 = static_cast<int64_t>(from_x), y0 = static_cast<int64_t>(from_y);
  const int64_t x1 = std::min(x0 + 1, width - 1), y1 = std::min(y0 + 1, height - 1);
  const double wx = from_x - static_cast<double>(x0), wy = from_y - static_cast<double>(y0);
  const double above = channel[y0 * width + x0] * (1 - wx) + channel[y0 * width + x1] * wx;
  const double below = channel[y1 * width + x0] * (1 - wx) + channel[y1 * width + x1] * wx;
  return above * (1 - wy) + below * wy;
}

Picture fitted(const Picture& picture, int64_t channels, int64_t height, int64_t width) {
  const Picture small = shrunk_into(with_channels(picture, channels), height, width);
  Picture out{channels, height, width, {}};
  const int64_t area = small.height * small.width;
  for (int64_t c = 0; c < channels; ++c) {
    const auto plane = small.pixels.begin() + c * area;
    int64_t sum = 0;
    for (auto p = plane; p != plane + area; ++p) sum += *p;
    out.pixels.insert(out.pixels.end(), static_cast<size_t>(height * width),
                      static_cast<uint8_t>((sum + area / 2) / area));
  }
  const PictureFit fit = fit_of(picture.height, picture.width, height, width);
  paste(small, fit.top, fit.left, out);
  return out;
}

Picture fitted_sign(const Picture& picture, int64_t height, int64_t width) {
  Picture grey = with_channels(picture, 1);
  // The median of the edge is the colour of the background.
  std::vector<uint8_t> edge;
  for (int64_t x = 0; x < grey.width; ++x)
    edge.push_back(grey.at(0, 0, x)), edge.push_back(grey.at(0, grey.height - 1, x));
  for (int64_t y = 0; y < grey.height; ++y)
    edge.push_back(grey.at(0, y, 0)), edge.push_back(grey.at(0, y, grey.width - 1));
  std::nth_element(edge.begin(), edge.begin() + static_cast<int64_t>(edge.size()) / 2, edge.end());
  const int paper = edge[edge.size() / 2];
  int strongest = 0;
  for (uint8_t& p : grey.pixels) {
    const int ink = std::max(0, paper > 127 ? paper - p : p - paper);
    p = static_cast<uint8_t>(ink);
    strongest = std::max(strongest, ink);
  }

  Picture out{1, height, width, {}};
  out.pixels.assign(static_cast<size_t>(height * width), 0);
  if (strongest == 0) return out;
  // The sign: all pixels above a quarter of the strongest ink. Backgrounds are never quite even.
  int64_t top = grey.height, bottom = 0, left = grey.width, right = 0;
  for (int64_t y = 0; y < grey.height; ++y)
    for (int64_t x = 0; x < grey.width; ++x) {
      uint8_t& p = grey.at(0, y, x);
      if (4 * p < strongest) continue;
      top = std::min(top, y), bottom = std::max(bottom, y + 1);
      left = std::min(left, x), right = std::max(right, x + 1);
    }
  Picture sign{1, bottom - top, right - left, {}};
  sign.pixels.resize(static_cast<size_t>(sign.numel()));
  for (int64_t y = 0; y < sign.height; ++y)
    for (int64_t x = 0; x < sign.width; ++x)
      sign.at(0, y, x) = static_cast<uint8_t>(grey.at(0, top + y, left + x) * 255 / strongest);
  sign = shrunk_into(sign, std::max<int64_t>(1, height * 20 / 28),
                     std::max<int64_t>(1, width * 20 / 28));
  double mass = 0, mass_y = 0, mass_x = 0;
  for (int64_t y = 0; y < sign.height; ++y)
    for (int64_t x = 0; x < sign.width; ++x) {
      const double p = sign.at(0, y, x);
      mass += p;
      mass_y += p * (static_cast<double>(y) + 0.5);
      mass_x += p * (static_cast<double>(x) + 0.5);
    }
  // Thin strokes may fade to nothing when they are scaled down.
  const auto corner = [&](double moment, int64_t inner, int64_t outer) {
    const double middle = mass > 0 ? moment / mass : static_cast<double>(inner) / 2;
    return std::llround(static_cast<double>(outer) / 2 - middle);
  };
  paste(sign, corner(mass_y, sign.height, height), corner(mass_x, sign.width, width), out);
  return out;
}

}  // namespace tarsier::zoo
