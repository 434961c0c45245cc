// Strided copies.
#include "autograd/loops/copy.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "autograd/base/parallel.h"
#include "autograd/loops/transpose.kernel.h"
#include "autograd/simd/dispatch.h"

namespace tarsier {
namespace {

/// Elements worth waking a thread for.
constexpr int64_t kGrain = 16384;

/// The elements of a copy: a shape, and for each side where the elements lie.
struct Layout {
  Shape shape;
  Strides from, to;
};

/// The same elements in as few dimensions as possible, and at least one. Size 1 does not count, and
/// two dimensions that both sides step through evenly are one. So a copy of (B, T, H, D) into
/// (B, H, T, D) becomes a few loops around long runs.
Layout merged(const Shape& shape, const Strides& from, const Strides& to) {
  Layout out;
  for (int d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1) continue;
    const int last = out.shape.size() - 1;
    if (last >= 0 && out.from[last] == from[d] * shape[d] && out.to[last] == to[d] * shape[d]) {
      out.shape[last] *= shape[d];
      out.from[last] = from[d];
      out.to[last] = to[d];
    } else {
      out.shape.push_back(shape[d]);
      out.from.push_back(from[d]);
      out.to.push_back(to[d]);
    }
  }
  if (out.shape.empty()) out = {{1}, {1}, {1}};
  return out;
}

template <class To, class From>
To convert(From x) {
  if constexpr (std::is_same_v<To, bool>) {
    return x != From(0);
  } else if constexpr (std::is_floating_point_v<From> && std::is_same_v<To, int64_t>) {
    // A plain cast of what does not fit is undefined. 2⁶³ is exact in both floating types.
    constexpr From kLimit = From(9223372036854775808.0);
    if (x >= kLimit) return std::numeric_limits<int64_t>::max();
    if (x < -kLimit) return std::numeric_limits<int64_t>::min();
    return x != x ? 0 : static_cast<int64_t>(x);
  } else {
    return static_cast<To>(x);
  }
}

/// One run of `n` elements.
template <class From, class To>
void copy_run(const From* from, int64_t from_step, To* to, int64_t to_step, int64_t n) {
  if (to_step == 1 && from_step == 1) {
    if constexpr (std::is_same_v<From, To>)
      std::copy_n(from, n, to);
    else
      for (int64_t i = 0; i < n; ++i) to[i] = convert<To>(from[i]);
  } else if (to_step == 1 && from_step == 0) {
    std::fill_n(to, n, convert<To>(*from));
  } else {
    for (int64_t i = 0; i < n; ++i) to[i * to_step] = convert<To>(from[i * from_step]);
  }
}

/// Copies run by run along the last dimension. A chunk is a range of elements, so that one long run
/// and many short ones are shared out alike.
template <class From, class To>
void copy_runs(const Layout& layout, const From* from, To* to) {
  const int last = layout.shape.size() - 1;
  const int64_t n = layout.shape[last];
  const int64_t from_step = layout.from[last], to_step = layout.to[last];
  Shape outer = layout.shape;
  outer.erase(last);
  parallel_for(layout.shape.numel(), kGrain, [&](int64_t begin, int64_t end) {
    // The coordinates of the run that `begin` lies in; then from run to run as an odometer.
    Shape at = Shape::filled(last, 0);
    int64_t row = begin / n, f = 0, t = 0;
    for (int d = last - 1; d >= 0; --d) {
      at[d] = row % outer[d];
      row /= outer[d];
      f += at[d] * layout.from[d];
      t += at[d] * layout.to[d];
    }
    for (int64_t i = begin, first = begin % n; i < end; first = 0) {
      const int64_t count = std::min(n - first, end - i);
      copy_run(from + f + first * from_step, from_step, to + t + first * to_step, to_step, count);
      i += count;
      for (int d = last - 1; d >= 0; --d) {
        f += layout.from[d];
        t += layout.to[d];
        if (++at[d] < outer[d]) break;
        at[d] = 0;
        f -= outer[d] * layout.from[d];
        t -= outer[d] * layout.to[d];
      }
    }
  });
}

/// Copies where `to` runs along the last dimension and `from` along dimension `row`: a matrix is
/// transposed, in tiles, so that a cache line once touched is used whole. Floating-point numbers
/// are turned round in registers, others through a buffer. Blocks are wide because the processor
/// fetches ahead along a long row of tiles, but no wider, because each of their columns is another
/// page of memory.
template <class From, class To>
void copy_tiles(Layout layout, int row, const From* from, To* to) {
  constexpr int64_t kTile = 32, kBlockRows = 64, kBlockColumns = 512;
  const int last = layout.shape.size() - 1;
  const int64_t rows = layout.shape[row], columns = layout.shape[last];
  const int64_t from_step = layout.from[last], to_step = layout.to[row];
  for (Shape* s : {&layout.shape, &layout.from, &layout.to}) {
    s->erase(last);
    s->erase(row);
  }
  const auto copy_tile = [=](const From* f, To* t, int64_t height, int64_t width) {
    To buffer[kTile][kTile];
    for (int64_t c = 0; c < width; ++c)
      for (int64_t r = 0; r < height; ++r) buffer[r][c] = convert<To>(f[c * from_step + r]);
    for (int64_t r = 0; r < height; ++r) std::copy_n(buffer[r], width, t + r * to_step);
  };
  const auto copy_block = [=](const From* f, To* t, int64_t height, int64_t width) {
    if constexpr (std::is_same_v<From, To> && std::is_floating_point_v<To>)
      kernels::active<kernels::TransposeKernels<To>>().transpose(height, width, f, from_step, t,
                                                                 to_step);
    else
      for (int64_t r = 0; r < height; r += kTile)
        for (int64_t c = 0; c < width; c += kTile)
          copy_tile(f + c * from_step + r, t + r * to_step + c, std::min(kTile, height - r),
                    std::min(kTile, width - c));
  };
  const int64_t across = (columns + kBlockColumns - 1) / kBlockColumns;
  const int64_t blocks = (rows + kBlockRows - 1) / kBlockRows * across;
  const int64_t block_size = std::min(rows, kBlockRows) * std::min(columns, kBlockColumns);
  const int64_t grain = std::max<int64_t>(1, kGrain / block_size);
  parallel_for(layout.shape.numel() * blocks, grain, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const From* f = from + offset_of(block / blocks, layout.shape, layout.from);
      To* t = to + offset_of(block / blocks, layout.shape, layout.to);
      const int64_t r = block % blocks / across * kBlockRows, c = block % across * kBlockColumns;
      copy_block(f + c * from_step + r, t + r * to_step + c, std::min(kBlockRows, rows - r),
                 std::min(kBlockColumns, columns - c));
    }
  });
}

template <class From, class To>
void copy_layout(const Layout& layout, const From* from, To* to) {
  const int last = layout.shape.size() - 1;
  if (layout.to[last] == 1 && layout.from[last] != 1)
    for (int d = 0; d < last; ++d)
      if (layout.from[d] == 1) return copy_tiles(layout, d, from, to);
  copy_runs(layout, from, to);
}

}  // namespace

int64_t offset_of(int64_t position, const Shape& shape, const Strides& strides) {
  int64_t offset = 0;
  for (int d = shape.size() - 1; d >= 0; --d) {
    offset += position % shape[d] * strides[d];
    position /= shape[d];
  }
  return offset;
}

void copy_elements(const Tensor& from, const Tensor& to) {
  check(from.shape() == to.shape(), "copy", "shapes ", from.shape(), " and ", to.shape(),
        " differ");
  if (to.numel() == 0) return;
  const Layout layout = merged(to.shape(), from.strides(), to.strides());
  dispatch_all(from.dtype(), [&]<class From>() {
    dispatch_all(to.dtype(),
                 [&]<class To>() { copy_layout(layout, from.data<From>(), to.data<To>()); });
  });
}

void fill_elements(const Tensor& to, double value) {
  if (to.numel() == 0) return;
  // A fill is a copy of one element that is repeated everywhere.
  const Layout layout = merged(to.shape(), Shape::filled(to.dim(), 0), to.strides());
  dispatch_all(to.dtype(), [&]<class To>() {
    const To converted = convert<To>(value);
    copy_runs(layout, &converted, to.data<To>());
  });
}

Tensor contiguous_copy(const Tensor& x) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  copy_elements(x, y);
  return y;
}

Tensor contiguous_elements(const Tensor& x) { return x.is_contiguous() ? x : contiguous_copy(x); }

}  // namespace tarsier
