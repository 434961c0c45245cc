// Strided copies.
#include "autograd/loops/copy.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "autograd/base/parallel.h"
#include "autograd/loops/grain.h"
#include "autograd/loops/strided.h"
#include "autograd/loops/transpose.kernel.h"
#include "autograd/simd/dispatch.h"
#include "autograd/tensor/compute.h"

namespace tarsier {
namespace {

/// The loop of a copy: operand 0 is read, operand 1 is written.
using detail::Loop;
enum { kFrom, kTo };

template <class To, class From>
To convert(From x) {
  if constexpr (std::is_same_v<To, bool>) {
    return x != From(0);
  } else if constexpr (std::is_floating_point_v<From> && std::is_same_v<To, int64_t>) {
    // A plain cast of a value that does not fit is undefined. 2⁶³ is exact in both floating types.
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
/// and many short ones are divided evenly.
template <class From, class To>
void copy_runs(const Loop& loop, const From* from, To* to) {
  detail::run_loop(loop, detail::kMiddleGrain, [&](const detail::Run& run) {
    copy_run(from + run.from[kFrom], loop.step(kFrom), to + run.from[kTo], loop.step(kTo), run.n);
  });
}

/// Copies if `to` runs along the last dimension and `from` along dimension `row`: transposes a
/// matrix in tiles, so that a cache line is used completely once it is loaded. Floating-point
/// numbers are transposed in registers, others through a buffer. Blocks are wide because the
/// processor prefetches along a long row of tiles, but no wider, because each of their columns is
/// another page of memory.
template <class From, class To>
void copy_tiles(Loop loop, int row, const From* from, To* to) {
  constexpr int64_t kTile = 32, kBlockRows = 64, kBlockColumns = 512;
  const int last = loop.shape.size() - 1;
  const int64_t rows = loop.shape[row], columns = loop.shape[last];
  const int64_t from_step = loop.step(kFrom), to_step = loop.strides[kTo][row];
  for (Shape* s : {&loop.shape, &loop.strides[kFrom], &loop.strides[kTo]}) {
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
  const int64_t grain = std::max<int64_t>(1, detail::kMiddleGrain / block_size);
  parallel_for(loop.shape.numel() * blocks, grain, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const From* f = from + detail::offset_of(block / blocks, loop.shape, loop.strides[kFrom]);
      To* t = to + detail::offset_of(block / blocks, loop.shape, loop.strides[kTo]);
      const int64_t r = block % blocks / across * kBlockRows, c = block % across * kBlockColumns;
      copy_block(f + c * from_step + r, t + r * to_step + c, std::min(kBlockRows, rows - r),
                 std::min(kBlockColumns, columns - c));
    }
  });
}

template <class From, class To>
void copy_loop(const Loop& loop, const From* from, To* to) {
  if (loop.step(kTo) == 1 && loop.step(kFrom) != 1)
    for (int d = 0; d < loop.shape.size() - 1; ++d)
      if (loop.strides[kFrom][d] == 1) return copy_tiles(loop, d, from, to);
  copy_runs(loop, from, to);
}

}  // namespace

void copy_elements(const Tensor& from, const Tensor& to) {
  check(from.shape() == to.shape(), "copy", "shapes ", from.shape(), " and ", to.shape(),
        " differ");
  if (to.numel() == 0) return;
  detail::compute("copy", [=] {
    const Loop loop = detail::merged(to.shape(), {from.strides(), to.strides()});
    dispatch_all(from.dtype(), [&]<class From>() {
      dispatch_all(to.dtype(),
                   [&]<class To>() { copy_loop(loop, from.data<From>(), to.data<To>()); });
    });
  });
}

void fill_elements(const Tensor& to, double value) {
  if (to.numel() == 0) return;
  detail::compute("fill", [=] {
    // A fill is a copy of one element with stride 0.
    const Loop loop = detail::merged(to.shape(), {Shape::filled(to.dim(), 0), to.strides()});
    dispatch_all(to.dtype(), [&]<class To>() {
      const To converted = convert<To>(value);
      copy_runs(loop, &converted, to.data<To>());
    });
  });
}

Tensor contiguous_copy(const Tensor& x) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  copy_elements(x, y);
  return y;
}

Tensor contiguous_elements(const Tensor& x) { return x.is_contiguous() ? x : contiguous_copy(x); }

}  // namespace tarsier
