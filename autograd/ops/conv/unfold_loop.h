#pragma once
// The loops of unfold and fold over one channel of one image, also for the convolutions.

#include <algorithm>

#include "window.h"

namespace tarsier::detail {

/// The windows [begin, end) whose element at `place` of the kernel lies inside the image.
struct Inside {
  int64_t begin, end;
  Inside(const Windows& windows, int64_t place) {
    const int64_t shift = windows.padding - place * windows.dilation;  // i · stride ≥ shift
    const auto first_from = [&](int64_t x) {  // the first window at or after element x
      return std::clamp<int64_t>((std::max<int64_t>(x, 0) + windows.stride - 1) / windows.stride, 0,
                                 windows.out);
    };
    begin = first_from(shift);
    end = std::max(begin, first_from(shift + windows.in));
  }
};

/// Calls row(image offset, column offset, count) for the parts of the columns of one channel that
/// are inside the image, by kernel element: `count` windows, whose elements are stride.w
/// apart in the image and adjacent in the columns.
template <class Row>
void for_each_row(const Windows2d& at, const Row& row) {
  for (int64_t p = 0; p < at.h.kernel; ++p)
    for (int64_t q = 0; q < at.w.kernel; ++q) {
      const Inside rows(at.h, p), columns(at.w, q);
      if (columns.begin == columns.end) continue;
      const int64_t x = at.w.first(columns.begin) + q * at.w.dilation;
      const int64_t base = (p * at.w.kernel + q) * at.h.out * at.w.out;
      for (int64_t i = rows.begin; i < rows.end; ++i)
        row((at.h.first(i) + p * at.h.dilation) * at.w.in + x, base + i * at.w.out + columns.begin,
            columns.end - columns.begin);
    }
}

/// The windows of a channel as columns: (H, W) → (kh·kw, out_h·out_w), 0 outside the image.
template <class T>
void unfold_channel(const Windows2d& at, const T* image, T* columns) {
  if (!at.h.all_inside() || !at.w.all_inside())
    std::fill_n(columns, at.h.kernel * at.w.kernel * at.h.out * at.w.out, T(0));
  for_each_row(at, [&, stride = at.w.stride](int64_t x, int64_t column, int64_t count) {
    if (stride == 1) {
      std::copy_n(image + x, count, columns + column);
    } else {
      for (int64_t k = 0; k < count; ++k) columns[column + k] = image[x + k * stride];
    }
  });
}

/// Columns added to a channel: (kh·kw, out_h·out_w) → (H, W).
template <class T>
void fold_channel(const Windows2d& at, const T* columns, T* image) {
  for_each_row(at, [&, stride = at.w.stride](int64_t x, int64_t column, int64_t count) {
    if (stride == 1) {
      for (int64_t k = 0; k < count; ++k) image[x + k] += columns[column + k];
    } else {
      for (int64_t k = 0; k < count; ++k) image[x + k * stride] += columns[column + k];
    }
  });
}

}  // namespace tarsier::detail
