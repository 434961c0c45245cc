#include <algorithm>
#include <vector>

#include "zoo/picture/jpeg.h"

namespace tarsier::zoo::jpeg {

namespace {

/// The samples of one component, as many as it has or as the picture has.
struct Plane {
  int64_t height = 0, width = 0;
  std::vector<uint8_t> samples;

  Plane(int64_t rows, int64_t columns)
      : height(rows), width(columns), samples(static_cast<size_t>(rows * columns)) {}
  uint8_t* row(int64_t y) { return samples.data() + y * width; }
  const uint8_t* row(int64_t y) const { return samples.data() + y * width; }
};

uint8_t clamped(int value) { return static_cast<uint8_t>(std::clamp(value, 0, 255)); }

// ---------------------------------------------------------------------------- the cosine transform

constexpr int kBits = 13;  // after the point of the constants

constexpr int fixed_point(double value) {
  return static_cast<int>(value * (1 << kBits) + (value > 0 ? 0.5 : -0.5));
}

/// out[n] = Σₖ c(k) in[k] cos((2n + 1) kπ / 16) · √8 · 2^(kBits − shift), rounded, for eight numbers
/// `step` apart. The flow of 11 multiplications is Loeffler, Ligtenberg and Moschytz (1989), in whole
/// numbers and with the one more that libjpeg's "slow" transform has, whose bits these are.
void inverse_cosine(const int* in, int* out, int64_t step, int shift) {
  const auto at = [&](int64_t k) { return in[k * step]; };
  // Even frequencies: a butterfly of 0 and 4, and 2 and 6 turned by 3π/8.
  const int turn = (at(2) + at(6)) * fixed_point(0.541196100);
  const int low = turn + at(2) * fixed_point(0.765366865);
  const int high = turn - at(6) * fixed_point(1.847759065);
  const int sum = (at(0) + at(4)) * (1 << kBits), difference = (at(0) - at(4)) * (1 << kBits);
  const int even[4] = {sum + low, difference + high, difference - high, sum - low};

  // Odd frequencies.
  const int a = at(7), b = at(5), c = at(3), d = at(1);
  const int both = (a + c + b + d) * fixed_point(1.175875602);
  const int ac = both - (a + c) * fixed_point(1.961570560);
  const int bd = both - (b + d) * fixed_point(0.390180644);
  const int ad = -(a + d) * fixed_point(0.899976223), bc = -(b + c) * fixed_point(2.562915447);
  const int odd[4] = {
      d * fixed_point(1.501321110) + ad + bd, c * fixed_point(3.072711026) + bc + ac,
      b * fixed_point(2.053119869) + bc + bd, a * fixed_point(0.298631336) + ad + ac};

  const int half = 1 << (shift - 1);
  for (int64_t n = 0; n < 4; ++n) {
    out[n * step] = (even[n] + odd[n] + half) >> shift;
    out[(7 - n) * step] = (even[n] - odd[n] + half) >> shift;
  }
}

/// The samples of a component, from its coefficients.
Plane samples_of(const Component& component, const std::array<uint16_t, 64>& quantiser) {
  Plane plane(component.height, component.width);
  for (int64_t by = 0; 8 * by < plane.height; ++by)
    for (int64_t bx = 0; 8 * bx < plane.width; ++bx) {
      const Block& block = component.block(by, bx);
      int frequencies[64], columns[64], levels[64];
      // Numbers beyond these limits come from no picture, and must not overflow.
      for (size_t i = 0; i < 64; ++i)
        frequencies[i] = std::clamp(block[i] * quantiser[i], -(1 << 13), 1 << 13);
      for (int64_t x = 0; x < 8; ++x)
        inverse_cosine(frequencies + x, columns + x, 8, kBits - 2);  // with two bits more
      for (int& value : columns) value = std::clamp(value, -(1 << 15), 1 << 15);
      for (int64_t y = 0; y < 8; ++y)
        inverse_cosine(columns + 8 * y, levels + 8 * y, 1, kBits + 2 + 3);
      for (int64_t y = 0; y < std::min<int64_t>(8, plane.height - 8 * by); ++y)
        for (int64_t x = 0; x < std::min<int64_t>(8, plane.width - 8 * bx); ++x)
          plane.row(8 * by + y)[8 * bx + x] = clamped(levels[8 * y + x] + 128);
    }
  return plane;
}

// ---------------------------------------------------------------------------- colours of fewer pixels

/// Row `y` of a plane that is twice as high: ¾ of the nearer row and ¼ of the other one, times 4.
std::vector<int> between_rows(const Plane& plane, int64_t y) {
  const int64_t near = y / 2;
  const int64_t far = std::clamp<int64_t>(y % 2 == 0 ? near - 1 : near + 1, 0, plane.height - 1);
  std::vector<int> sums(static_cast<size_t>(plane.width));
  for (size_t x = 0; x < sums.size(); ++x) sums[x] = 3 * plane.row(near)[x] + plane.row(far)[x];
  return sums;
}

/// Twice as wide: ¾ of the nearer and ¼ of the other neighbour. `in` has values times `scale`;
/// rounding alternates, so that on average it is fair.
void widen(const std::vector<int>& in, int scale, uint8_t* out, int64_t width) {
  const int even = scale == 1 ? 1 : 8, odd = scale == 1 ? 2 : 7;
  const auto last = static_cast<int64_t>(in.size()) - 1;
  for (int64_t x = 0; x < width; ++x) {
    const int64_t near = x / 2, far = x % 2 == 0 ? near - 1 : near + 1;
    const bool edge = far < 0 || far > last;
    const int this_one = in[static_cast<size_t>(near)];
    const int other = edge ? this_one : in[static_cast<size_t>(far)];
    out[x] = static_cast<uint8_t>((3 * this_one + other + (x % 2 == 0 ? even : odd)) / (4 * scale));
  }
}

/// The plane with as many samples as the picture: as libjpeg interpolates by default, and where it
/// does not (other ratios than 1 : 2, or at most 2 pixels), each sample several times.
Plane enlarged(const Plane& plane, int64_t height, int64_t width, int across, int down) {
  Plane out(height, width);
  const bool wide = across == 2 && plane.width > 2;
  for (int64_t y = 0; y < height; ++y) {
    if (wide && down == 2) {
      widen(between_rows(plane, y), 4, out.row(y), width);
    } else if (wide && down == 1) {
      widen({plane.row(y), plane.row(y) + plane.width}, 1, out.row(y), width);
    } else if (across == 1 && down == 2) {
      const std::vector<int> sums = between_rows(plane, y);
      for (size_t x = 0; x < sums.size(); ++x)
        out.row(y)[x] = static_cast<uint8_t>((sums[x] + 1 + y % 2) >> 2);
    } else {
      for (int64_t x = 0; x < width; ++x) out.row(y)[x] = plane.row(y / down)[x / across];
    }
  }
  return out;
}

/// From brightness and differences of colour to red, green and blue (JFIF 1.02), in 16 bits after
/// the point:  r = Y + 1.402 Cr,  g = Y − 0.34414 Cb − 0.71414 Cr,  b = Y + 1.772 Cb.
void put_colour(int y, int cb, int cr, uint8_t& red, uint8_t& green, uint8_t& blue) {
  const auto fixed = [](double value) { return static_cast<int>(value * 65536 + 0.5); };
  constexpr int kHalf = 32768;
  cb -= 128, cr -= 128;
  red = clamped(y + ((fixed(1.402) * cr + kHalf) >> 16));
  green = clamped(y + ((-fixed(0.34414) * cb - fixed(0.71414) * cr + kHalf) >> 16));
  blue = clamped(y + ((fixed(1.772) * cb + kHalf) >> 16));
}

}  // namespace

Picture pixels_of(const Frame& frame) {
  std::vector<Plane> planes;
  for (const Component& c : frame.components)
    planes.push_back(enlarged(samples_of(c, frame.quantisers[static_cast<size_t>(c.quantiser)]),
                              frame.height, frame.width, frame.most_across / c.across,
                              frame.most_down / c.down));
  Picture out{static_cast<int64_t>(planes.size()), frame.height, frame.width, {}};
  for (const Plane& plane : planes)
    out.pixels.insert(out.pixels.end(), plane.samples.begin(), plane.samples.end());
  if (planes.size() == 3 && !frame.in_rgb)
    for (size_t i = 0; i < planes[0].samples.size(); ++i) {
      uint8_t* const pixel = out.pixels.data() + i;
      const size_t area = planes[0].samples.size();
      put_colour(planes[0].samples[i], planes[1].samples[i], planes[2].samples[i], pixel[0],
                 pixel[area], pixel[2 * area]);
    }
  return out;
}

}  // namespace tarsier::zoo::jpeg
