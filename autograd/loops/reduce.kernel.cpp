// Rows are reduced along the register (rows.h). Columns are reduced downwards, several registers at
// once.
#include "autograd/loops/reduce.kernel.h"

#include "autograd/simd/dispatch.h"
#include "autograd/simd/rows.h"

namespace tarsier::kernels::TARSIER_ISA {
namespace {

template <class Op, class T>
void reduce_rows(int64_t rows, int64_t n, const T* x, int64_t row_stride, T* y) {
  for (int64_t i = 0; i < rows; ++i, x += row_stride)
    y[i] = reduce<Op, T>(n, [x](int64_t j, int64_t lanes) { return Op::map(load(x + j, lanes)); });
}

/// Adjacent columns, one register per `width` of them.
template <class T, int registers>
struct Columns {
  Simd<T> v[registers];
};

/// Reduces `rows` rows of registers·width columns, of which the last register has `lanes`.
template <class Op, class T, int registers>
Columns<T, registers> reduce_strip(int64_t rows, const T* x, int64_t row_stride, int64_t lanes) {
  // Rows added one after another, then pairwise as in rows.h. Few, since a tall matrix comes in
  // chunks, and of their sums there are often fewer than 100.
  constexpr int64_t block = 16;
  Columns<T, registers> y;
  if (rows > block) {
    const int64_t half = (rows / 2 + block - 1) / block * block;
    y = reduce_strip<Op, T, registers>(half, x, row_stride, lanes);
    const auto below =
        reduce_strip<Op, T, registers>(rows - half, x + half * row_stride, row_stride, lanes);
    for (int r = 0; r < registers; ++r) y.v[r] = Op::combine(y.v[r], below.v[r]);
    return y;
  }
  for (int r = 0; r < registers; ++r) y.v[r] = Simd<T>(Op::identity);
  for (int64_t i = 0; i < rows; ++i, x += row_stride)
    for (int r = 0; r < registers; ++r)
      y.v[r] = Op::combine(y.v[r], Op::map(load(x + r * Simd<T>::width, lanes)));
  return y;
}

template <class Op, class T>
void reduce_columns(int64_t rows, int64_t n, const T* x, int64_t row_stride, T* y) {
  constexpr int64_t width = Simd<T>::width;
  constexpr int registers = 8;
  int64_t j = 0;
  for (; j + registers * width <= n; j += registers * width) {
    const auto sums = reduce_strip<Op, T, registers>(rows, x + j, row_stride, width);
    for (int r = 0; r < registers; ++r) sums.v[r].store(y + j + r * width);
  }
  for (; j + width <= n; j += width)
    reduce_strip<Op, T, 1>(rows, x + j, row_stride, width).v[0].store(y + j);
  if (j < n) reduce_strip<Op, T, 1>(rows, x + j, row_stride, n - j).v[0].store(y + j, n - j);
}

/// The operation (rows.h) of every Reduce.
template <Reduce, class T>
struct OpOf;
template <class T>
struct OpOf<Reduce::sum, T> : SumOp<T> {};
template <class T>
struct OpOf<Reduce::prod, T> : ProdOp<T> {};
template <class T>
struct OpOf<Reduce::max, T> : MaxOp<T> {};
template <class T>
struct OpOf<Reduce::min, T> : MinOp<T> {};
template <class T>
struct OpOf<Reduce::sum_squares, T> : SumSquaresOp<T> {};

template <class T, int... f>
ReduceKernels<T> reduce_kernels(Lanes<f...>) {
  return {{reduce_rows<OpOf<static_cast<Reduce>(f), T>, T>...},
          {reduce_columns<OpOf<static_cast<Reduce>(f), T>, T>...}};
}

}  // namespace

template <class T>
ReduceKernels<T> reduce_kernels() {
  return reduce_kernels<T>(MakeLanes<static_cast<int>(Reduce::count)>::Type());
}

}  // namespace tarsier::kernels::TARSIER_ISA

namespace tarsier::kernels {

template <>
ReduceKernels<float> kernels_of<kIsa>() {
  return TARSIER_ISA::reduce_kernels<float>();
}
template <>
ReduceKernels<double> kernels_of<kIsa>() {
  return TARSIER_ISA::reduce_kernels<double>();
}

}  // namespace tarsier::kernels
