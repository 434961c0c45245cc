#include "zoo/image_gpt/grid.h"

#include <cmath>
#include <cstdlib>
#include <vector>

namespace tarsier::zoo::image_gpt {

namespace {

/// The angles of T blocks that begin with `first`: (T, pairs) f64.
Tensor angles(int64_t T, int64_t first, int64_t columns, int64_t pairs) {
  const int64_t half = pairs / 2;
  std::vector<double> all;
  for (int64_t t = first; t < first + T; ++t)
    for (int64_t i = 0; i < pairs; ++i) {
      const int64_t place = i < half ? t / columns : t % columns;
      const double slower = static_cast<double>(i % half) / static_cast<double>(half);
      all.push_back(static_cast<double>(place) * std::pow(100.0, -slower));
    }
  return from_vector(all, {T, pairs});
}

}  // namespace

Grid::Grid(int64_t rows, int64_t columns, int64_t window, int64_t pairs, int64_t near)
    : rows_(rows),
      columns_(columns),
      window_(window),
      near_(near),
      cos_([=](int64_t T, int64_t first) { return cos(angles(T, first, columns, pairs)); }),
      sin_([=](int64_t T, int64_t first) { return sin(angles(T, first, columns, pairs)); }) {
  std::vector<float> inside;
  for (int64_t up = near; up >= 0; --up)
    for (int64_t aside = -near; aside <= (up > 0 ? near : 0); ++aside) {
      if (std::abs(aside) >= columns) continue;  // there is no such column
      nearby_.push_back(up * columns - aside);
      for (int64_t t = 0; t < size(); ++t) {
        const int64_t column = t % columns + aside;
        inside.push_back(column >= 0 && column < columns ? 1.0f : 0.0f);
      }
    }
  inside_ = from_vector(inside, {neighbours(), size(), 1});
  if (window == 0) return;
  seen_ = Tensor::empty({size(), size()}, boolean);
  bool* seen = seen_.data<bool>();
  for (int64_t t = 0; t < size(); ++t)
    for (int64_t s = 0; s < size(); ++s) *seen++ = sees(t, s);
}

bool Grid::sees(int64_t t, int64_t s) const {
  if (s > t) return false;
  const int64_t up = t / columns_ - s / columns_, aside = std::abs(t % columns_ - s % columns_);
  return window_ == 0 || (up <= window_ && aside <= window_);
}

Tensor Grid::attend(const Tensor& q, const Tensor& k, const Tensor& v, int64_t first,
                    double dropout) const {
  const int64_t end = first + q.size(2);
  AttentionWindow window{.right = 0, .offset = first};
  if (window_ == 0) return local_attention(q, k, v, window, {}, dropout);
  window.left = window_ * columns_ + window_;  // what is farther takes no time
  const Tensor seen = slice(slice(seen_, 0, first, end), 1, 0, end);
  return local_attention(q, k, v, window, seen, dropout);
}

Tensor Grid::nearby(const Arg& x, const Tensor& weights, const Tensor& before,
                    int64_t first) const {
  const int64_t T = x.size(1), last = neighbours() - 1;
  const Tensor all = cat({before, x}, 1);
  const Tensor inside = tarsier::to(slice(inside_, 1, first, first + T), x.dtype());
  Tensor y = x * select(weights, 0, last);
  for (int64_t i = 0; i < last; ++i) {
    const int64_t start = kept() - nearby_[static_cast<size_t>(i)];
    y = y + slice(all, 1, start, start + T) * (select(inside, 0, i) * select(weights, 0, i));
  }
  return y;
}

Tensor Grid::rotated(const Tensor& x, int64_t first) {
  return rotary_embedding(x, cos_.rows(x.size(2), x.dtype(), first),
                          sin_.rows(x.size(2), x.dtype(), first));
}

}  // namespace tarsier::zoo::image_gpt
