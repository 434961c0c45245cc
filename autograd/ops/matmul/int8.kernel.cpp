// Products with int8 weights.
//
// One row of X reads every weight once, at the speed of memory: a quarter of the bytes of f32. Of
// many rows, a tile takes as many as registers hold. A way of computing the sums of a tile is a class
// with
//   kRows, kLongVectors               the rows of its tiles; the vectors of a tile of one row
//   sums(row, rows, words, to)        the sums of a tile: in f32 (int8_f32.h) or, where the
//                                     processor multiplies bytes, in integers (int8_vnni.h)
#include "autograd/ops/matmul/int8.kernel.h"

#include "autograd/base/parallel.h"
#include "autograd/ops/matmul/int8_f32.h"
#include "autograd/ops/matmul/int8_vnni.h"
#include "autograd/simd/dispatch.h"
#include "autograd/simd/simd.h"
#include "autograd/simd/units.h"

namespace tarsier::kernels::TARSIER_ISA {
namespace {

/// Tiles of rows that use the weights of a panel while these are in the cache.
constexpr int64_t kStripTiles = 8;
/// Multiply-adds that are worth waking a thread for: a few microseconds.
constexpr int64_t kInt8Grain = int64_t(1) << 17;

/// Columns of Y: those that the rows `begin` … `end` − 1 of W give.
struct Columns {
  int64_t begin, end;
};

/// Finishes `rows` rows of Y from their sums, which start at row `panel_row` of W.
void finish(const Int8Linear& g, int64_t row, int64_t rows, int64_t panel_row, Columns columns,
            const float* sums) {
  for (int64_t i = 0; i < rows; ++i) {
    const float* const from = sums + i * kInt8Panel + (columns.begin - panel_row);
    const int64_t j = columns.begin - g.first, count = columns.end - columns.begin;
    const float* const scales = g.scales + j;
    float* const to = g.y + (row + i) * g.y_row + j;
    if (g.bias != nullptr) {
      const float* const bias = g.bias + j;
      for (int64_t l = 0; l < count; ++l) to[l] = from[l] * scales[l] + bias[l];
    } else {
      for (int64_t l = 0; l < count; ++l) to[l] = from[l] * scales[l];
    }
  }
}

/// Columns of Y, all of one panel, for the rows `begin` … `end` − 1 of X.
template <class Way>
void panel_product(const Int8Linear& g, const Way& way, Columns columns, int64_t begin,
                   int64_t end) {
  constexpr int W = Simd<float>::width;
  const int64_t panel_row = columns.begin / kInt8Panel * kInt8Panel;
  const int32_t* const words = g.words + int8_place(panel_row, 0, g.k);
  alignas(64) float sums[Way::kRows * kInt8Panel];
  for (int64_t row = begin; row < end; row += Way::kRows) {
    const int64_t rows = least(Way::kRows, end - row);
    const int64_t lanes = (rows == 1 ? Way::kLongVectors : 2) * W;
    for (int64_t lane = 0; lane < kInt8Panel; lane += lanes) {
      const bool used = panel_row + lane < columns.end && panel_row + lane + lanes > columns.begin;
      if (used) way.sums(row, rows, words + lane, sums + lane);
    }
    finish(g, row, rows, panel_row, columns, sums);
  }
}

template <class Way>
void multiply(const Int8Linear& g, const Way& way) {
  const int64_t first = g.first / kInt8Panel, last = (g.first + g.n - 1) / kInt8Panel;
  const int64_t panels = last - first + 1, height = kStripTiles * Way::kRows;
  const int64_t strips = ceil_div(g.m, height);
  const int64_t work = least(g.m, height) * kInt8Panel * (g.k + 1);
  parallel_for(strips * panels, 1 + kInt8Grain / work, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t panel = first + i % panels, strip = i / panels;
      const Columns columns{most(g.first, panel * kInt8Panel),
                            least(g.first + g.n, (panel + 1) * kInt8Panel)};
      panel_product(g, way, columns, strip * height, least(g.m, (strip + 1) * height));
    }
  });
}

void linear_in_f32(const Int8Linear& g) { multiply(g, Int8InF32(g)); }

template <Isa isa>
void linear(const Int8Linear& g) {
  if constexpr (isa == Isa::avx512) {
    if (has_vnni() && g.k <= kMostVnni) {
      const Int8InIntegers<isa> way(g, digit_scratch());
      multiply(g, way);
      for (int64_t row = 0; row < g.m; ++row) {
        if (!way.skips(row)) continue;
        Int8Linear one = g;
        one.m = 1;
        one.x += row * g.x_row;
        one.y += row * g.y_row;
        linear_in_f32(one);
      }
      return;
    }
  }
  linear_in_f32(g);
}

}  // namespace
}  // namespace tarsier::kernels::TARSIER_ISA

namespace tarsier::kernels {

template <>
Int8Kernels kernels_of<kIsa>() {
  return {.linear = TARSIER_ISA::linear<kIsa>, .linear_in_f32 = TARSIER_ISA::linear_in_f32};
}

}  // namespace tarsier::kernels
