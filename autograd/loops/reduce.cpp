// From a tensor and a set of dimensions to rows and columns for the kernels.
#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <utility>

#include "autograd/base/parallel.h"
#include "autograd/loops/copy.h"
#include "autograd/loops/reduce.h"
#include "autograd/loops/reduce.kernel.h"
#include "autograd/loops/strided.h"
#include "autograd/simd/dispatch.h"
#include "autograd/tensor/compute.h"

namespace tarsier::detail {

using kernels::Reduce;

ReducedDims reduced_dims(const Tensor& x, const Axes& dims, bool keepdim, const char* op) {
  ReducedDims out;
  if (dims.empty()) out.reduced.fill(true);
  for (int64_t dim : dims) {
    bool& reduced = out.reduced[static_cast<size_t>(wrap_dim(dim, x.dim(), op))];
    check(!reduced, op, "dimension ", dim, " is named twice in ", static_cast<const Shape&>(dims),
          " for a tensor of shape ", x.shape());
    reduced = true;
  }
  for (int d = 0; d < x.dim(); ++d) {
    const bool reduced = out.reduced[static_cast<size_t>(d)];
    out.kept.push_back(reduced ? 1 : x.shape()[d]);
    if (reduced) out.count *= x.shape()[d];
    if (!reduced || keepdim) out.result.push_back(out.kept[d]);
  }
  return out;
}

Matrices as_matrices(const Tensor& x, const ReducedDims& dims) {
  Matrices m{.x = x};
  if (x.numel() == 1) return m;
  // The result is stepped through with a stride of 0 where dimensions are reduced.
  const Strides in_result = broadcast_strides(dims.kept, contiguous_strides(dims.kept), x.shape());
  const Loop loop = merged(x.shape(), {x.strides(), in_result});
  const Shape& size = loop.shape;
  const Strides& step = loop.strides[0];
  const auto pattern = [&](std::initializer_list<bool> reduced) {
    return std::equal(loop.strides[1].begin(), loop.strides[1].end(), reduced.begin(),
                      reduced.end(), [](int64_t stride, bool r) { return (stride == 0) == r; });
  };
  if (step.back() == 1) {
    const int64_t last = size.back();
    if (pattern({false})) return {.x = x, .inner = last};
    if (pattern({true})) return {.x = x, .n = last};
    if (pattern({false, true})) return {.x = x, .outer = size[0], .outer_step = step[0], .n = last};
    if (pattern({true, false})) return {.x = x, .n = size[0], .step = step[0], .inner = last};
    if (pattern({false, true, false}))
      return {.x = x,
              .outer = size[0],
              .outer_step = step[0],
              .n = size[1],
              .step = step[1],
              .inner = last};
  } else if (step[0] == 1) {  // transposed: the rows of one view are the columns of the other
    if (pattern({false, true})) return {.x = x, .n = size[1], .step = step[1], .inner = size[0]};
    if (pattern({true, false}))
      return {.x = x, .outer = size[1], .outer_step = step[1], .n = size[0]};
  }
  m.x = as_rows(x, dims);
  m.n = dims.count;
  m.outer = dims.kept.numel();
  m.outer_step = m.n;
  return m;
}

Tensor as_rows(const Tensor& x, const ReducedDims& dims) {
  Shape shape;
  Strides strides;
  for (bool reduced : {false, true})
    for (int d = 0; d < x.dim(); ++d)
      if (dims.reduced[static_cast<size_t>(d)] == reduced) {
        shape.push_back(x.shape()[d]);
        strides.push_back(x.strides()[d]);
      }
  return contiguous_elements(x.view_as(shape, strides, x.offset()));
}

namespace {

/// The reduction that combines partial results: squares are squared already.
Reduce combining(Reduce op) { return op == Reduce::sum_squares ? Reduce::sum : op; }

template <class T>
void reduce_rows(Reduce op, const Matrices& m, T* y) {
  const auto& kernels = kernels::active<kernels::ReduceKernels<T>>();
  const auto reduce = kernels.reduce_rows[static_cast<int>(op)];
  const T* x = m.x.data<T>();
  const int64_t pieces = (m.n + kReduceChunk - 1) / kReduceChunk;
  if (pieces <= 1) {
    parallel_for(m.outer, rows_per_chunk(m.n, kReduceChunk), [&](int64_t begin, int64_t end) {
      reduce(end - begin, m.n, x + begin * m.outer_step, m.outer_step, y + begin);
    });
    return;
  }
  const Tensor partial = Tensor::empty({m.outer, pieces}, dtype_of<T>);
  T* p = partial.data<T>();
  parallel_for(m.outer * pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i % pieces * kReduceChunk;
      reduce(1, std::min(kReduceChunk, m.n - first), x + i / pieces * m.outer_step + first, 0,
             p + i);
    }
  });
  kernels.reduce_rows[static_cast<int>(combining(op))](m.outer, pieces, p, pieces, y);
}

/// Every task is a range of rows and of columns of one matrix.
template <class T>
void reduce_columns(Reduce op, const Matrices& m, T* y) {
  constexpr int64_t kColumns = 1024;
  const auto& kernels = kernels::active<kernels::ReduceKernels<T>>();
  const T* x = m.x.data<T>();
  const int64_t width = std::min(m.inner, kColumns), height = rows_per_chunk(width, kReduceChunk);
  const int64_t across = (m.inner + kColumns - 1) / kColumns, down = (m.n + height - 1) / height;
  const Tensor partial = down > 1 ? Tensor::empty({m.outer, down, m.inner}, dtype_of<T>) : Tensor();
  T* p = down > 1 ? partial.data<T>() : y;
  const int64_t grain = rows_per_chunk(std::min(m.n, height) * width, kReduceChunk);
  parallel_for(m.outer * down * across, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t column = i % across * kColumns, strip = i / across;
      const int64_t matrix = strip / down, row = strip % down * height;
      kernels.reduce_columns[static_cast<int>(op)](
          std::min(height, m.n - row), std::min(width, m.inner - column),
          x + matrix * m.outer_step + row * m.step + column, m.step, p + strip * m.inner + column);
    }
  });
  if (down > 1)
    for (int64_t i = 0; i < m.outer; ++i)
      kernels.reduce_columns[static_cast<int>(combining(op))](down, m.inner, p + i * down * m.inner,
                                                              m.inner, y + i * m.inner);
}

double identity_of(Reduce op) {
  if (op == Reduce::max) return -INFINITY;
  if (op == Reduce::min) return INFINITY;
  return op == Reduce::prod ? 1 : 0;
}

/// The reduced dimensions at the end of x, if others are reduced as well, kept ones lie between, and
/// their elements are many and adjacent: (N, C, H, W) over {0, 2, 3} has {2, 3}. Otherwise none.
Axes separate_rows(const Tensor& x, const ReducedDims& dims) {
  constexpr int64_t kLeast = 16;  // of shorter rows a copy costs less
  const auto reduced = [&](int d) { return dims.reduced[static_cast<size_t>(d)]; };
  int first = x.dim();
  int64_t row = 1;
  for (; first > 0 && reduced(first - 1); --first) row *= x.shape()[first - 1];
  bool others = false;
  for (int d = 0; d < first; ++d) others = others || (reduced(d) && x.shape()[d] > 1);
  Axes rows;
  if (others && row >= kLeast && x.is_contiguous())
    for (int d = first; d < x.dim(); ++d) rows.push_back(d);
  return rows;
}

}  // namespace

Tensor reduce(Reduce op, const Tensor& x, const ReducedDims& dims) {
  if (x.numel() == 0) {
    const Tensor y = Tensor::empty(dims.result, x.dtype());
    fill_elements(y, identity_of(op));
    return y;
  }
  if (const Axes rows = separate_rows(x, dims); !rows.empty()) {
    const Tensor sums = reduce(op, x, reduced_dims(x, rows, true, "reduce"));
    ReducedDims rest = dims;
    rest.count /= x.numel() / sums.numel();
    return reduce(combining(op), sums, rest);
  }
  const Matrices m = as_matrices(x, dims);
  Tensor y = Tensor::empty(dims.result, x.dtype());
  compute("reduce", [=] {
    dispatch_floating(m.x.dtype(), "reduce", [&]<class T>() {
      if (m.inner == 1 && m.step == 1)
        reduce_rows<T>(op, m, y.data<T>());
      else
        reduce_columns<T>(op, m, y.data<T>());
    });
  });
  return y;
}

namespace {

/// A view of x with dimensions `dim` and −1 exchanged.
Tensor exchanged(const Tensor& x, int dim) {
  Shape shape = x.shape();
  Strides strides = x.strides();
  std::swap(shape[dim], shape[x.dim() - 1]);
  std::swap(strides[dim], strides[x.dim() - 1]);
  return x.view_as(shape, strides, x.offset());
}

}  // namespace

Tensor rows_along(const Tensor& x, int dim) {
  return dim >= x.dim() - 1 ? contiguous_elements(x) : contiguous_copy(exchanged(x, dim));
}

Tensor rows_back(const Tensor& rows, int dim) {
  return dim >= rows.dim() - 1 ? rows : contiguous_copy(exchanged(rows, dim));
}

}  // namespace tarsier::detail
