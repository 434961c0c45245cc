// Selecting elements by index, and the transposes: sums into the selected positions.
#include <algorithm>
#include <type_traits>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/loops/copy.h"
#include "autograd/loops/grain.h"
#include "autograd/loops/strided.h"
#include "autograd/ops.h"
#include "autograd/ops/record.h"
#include "autograd/tensor/compute.h"

namespace tarsier {
namespace {

/// `index`, contiguous. Checks that every entry is an index into dimension `dim` of `shape`.
Tensor checked_index(const Tensor& index, const Shape& shape, int dim, const char* op) {
  check(index.dtype() == i64, op, "the index is ", index.dtype(), ": indices are i64");
  const Tensor out = contiguous_elements(index);
  detail::compute(op, [=] {
    const int64_t* entries = out.data<int64_t>();
    const int64_t size = shape[dim], n = out.numel();
    uint64_t wrong = 0;  // without a branch, so that the usual case is quick
    for (int64_t i = 0; i < n; ++i) {
      const auto entry = static_cast<uint64_t>(entries[i]);
      wrong |= entry | (static_cast<uint64_t>(size) - 1 - entry);  // the highest bit is the sign
    }
    if (wrong >> 63 == 0) return;
    for (int64_t i = 0; i < n; ++i) {
      if (entries[i] >= 0 && entries[i] < size) continue;
      Shape position;
      for (int64_t stride : contiguous_strides(out.shape()))
        position.push_back(i / stride % out.shape()[position.size()]);
      fail(op, "index ", entries[i], " at position ", position, " is out of range: dimension ", dim,
           " of shape ", shape, " has ", size, " entries, counted from 0");
    }
  });
  return out;
}

/// A tensor as slabs of rows: (outer, n, inner), where n is the size of one dimension.
struct Slabs {
  int64_t outer = 1, inner = 1;
  Slabs(const Shape& shape, int dim) {
    for (int d = 0; d < shape.size(); ++d)
      if (d != dim) (d < dim ? outer : inner) *= shape[d];
  }
};

/// y[o, i, :] = x[o, index[i], :], in slabs of rows around `dim`. `index` is a checked one.
Tensor take_rows(const Tensor& x, int dim, const Tensor& index, const Shape& out_shape) {
  const auto [outer, inner] = Slabs(x.shape(), dim);
  const int64_t n = x.shape()[dim], m = index.numel();
  const Tensor from = contiguous_elements(x);
  Tensor y = Tensor::empty(out_shape, x.dtype());
  if (y.numel() == 0) return y;
  detail::compute("index_select", [=, outer = outer, inner = inner] {
    const int64_t* entries = index.data<int64_t>();
    dispatch_all(y.dtype(), [&]<class T>() {
      const T* in = from.data<T>();
      T* out = y.data<T>();
      parallel_for(outer * m, std::max<int64_t>(1, detail::kMiddleGrain / inner),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t row = begin; row < end; ++row) {
                       const int64_t source = row / m * n + entries[row % m];
                       std::copy_n(in + source * inner, inner, out + row * inner);
                     }
                   });
    });
  });
  return y;
}

/// y = 0; y[…, index[i], …] += dy[…, i, …] along `dim`, which gets `size` entries: the transpose of
/// index_select, therefore its backward; and index_select is the backward of this.
Tensor index_sum(const Arg& dy, int dim, const Tensor& index, int64_t size) {
  const auto [outer, inner] = Slabs(dy.shape(), dim);
  const int64_t m = index.numel();
  const Tensor source = contiguous_elements(dy), entries = contiguous_elements(index);
  Shape shape = dy.shape();
  shape[dim] = size;
  Tensor y = Tensor::empty(shape, dy.dtype());
  fill_elements(y, 0);
  // Divided by columns, never by indices: the thread that sums a column visits all indices in
  // order, so repeated ones are summed in that order at any number of threads.
  constexpr int64_t kColumns = 32;
  const int64_t strips = (inner + kColumns - 1) / kColumns;
  const int64_t work = std::max<int64_t>(1, m * std::min(inner, kColumns));
  detail::compute("index_sum", [=, outer = outer, inner = inner] {
    dispatch_all(y.dtype(), [&]<class T>() {
      const int64_t* at = entries.data<int64_t>();
      parallel_for(outer * strips, std::max<int64_t>(1, detail::kMiddleGrain / work),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t task = begin; task < end; ++task) {
                       const int64_t column = task % strips * kColumns;
                       const int64_t count = std::min(kColumns, inner - column);
                       const T* from = source.data<T>() + task / strips * m * inner + column;
                       T* to = y.data<T>() + task / strips * size * inner + column;
                       for (int64_t i = 0; i < m; ++i) {
                         const T* a = from + i * inner;
                         T* b = to + at[i] * inner;
                         for (int64_t c = 0; c < count; ++c) b[c] = static_cast<T>(b[c] + a[c]);
                       }
                     }
                   });
    });
  });
  return detail::record_floating("index_sum", {dy}, y, Save{index},
                                 [dim](const Saved& saved, const Tensor& ddy) -> Grads {
                                   return {index_select(ddy, dim, saved[0])};
                                 });
}

/// Calls body(p, offset) for every element of `index` (contiguous): p is its position in row-major
/// order, `offset` the element of x that it names along `dim`. Threads divide the positions by the
/// other dimensions, which name different elements; along `dim` they come in order.
template <class Body>
void for_each_indexed(const Tensor& index, int dim, const Tensor& x, Body body) {
  if (index.numel() == 0) return;
  const Shape& shape = index.shape();
  const Strides& strides = x.strides();
  const auto before = [dim](const Shape& s) { return Shape(s.begin(), s.begin() + dim); };
  const auto after = [dim](const Shape& s) { return Shape(s.begin() + dim + 1, s.end()); };
  const auto outer = detail::all_offsets(before(shape), before(strides));
  const auto inner = detail::all_offsets(after(shape), after(strides));
  const int64_t columns = static_cast<int64_t>(inner.size()), n = shape[dim];
  const int64_t stride = strides[dim];
  constexpr int64_t kColumns = 64;
  const int64_t strips = (columns + kColumns - 1) / kColumns;
  const int64_t grain =
      std::max<int64_t>(1, detail::kMiddleGrain / (n * std::min(columns, kColumns)));
  const int64_t* entries = index.data<int64_t>();
  parallel_for(static_cast<int64_t>(outer.size()) * strips, grain, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      if (columns == 1) {  // along the last dimension
        const int64_t row = outer[static_cast<size_t>(task)];
        for (int64_t p = task * n; p < (task + 1) * n; ++p) body(p, row + entries[p] * stride);
        continue;
      }
      const int64_t o = task / strips, first = task % strips * kColumns;
      const int64_t last = std::min(first + kColumns, columns);
      for (int64_t i = 0; i < n; ++i)
        for (int64_t c = first; c < last; ++c) {
          const int64_t p = (o * n + i) * columns + c;
          body(p,
               outer[static_cast<size_t>(o)] + inner[static_cast<size_t>(c)] + entries[p] * stride);
        }
    }
  });
}

/// Throws unless an index of this shape fits x: no larger in any dimension but `dim`.
void check_index_shape(const Tensor& x, int dim, const Tensor& index, const char* op) {
  check(index.dim() == x.dim(), op, "index of shape ", index.shape(), " for a tensor of shape ",
        x.shape(), ": both need the same number of dimensions");
  for (int d = 0; d < x.dim(); ++d)
    check(d == dim || index.shape()[d] <= x.shape()[d], op, "index of shape ", index.shape(),
          " is larger than ", x.shape(), " in dimension ", d, ": only dimension ", dim, " may be");
}

/// A copy of x on which put(element, value) was called at every entry of the index, with the value
/// of `source` there.
template <class Put>
Tensor put_at(const char* op, const Tensor& x, int dim, const Tensor& index, const Tensor& source,
              const Put& put) {
  check_index_shape(x, dim, index, op);
  check(source.shape() == index.shape(), op, "source of shape ", source.shape(),
        " with an index of shape ", index.shape(), ": they must be equal");
  check(source.dtype() == x.dtype(), op, "source is ", source.dtype(), ", x is ", x.dtype(),
        ": convert one with to(x, dtype)");
  const Tensor entries = checked_index(index, x.shape(), dim, op);
  const Tensor from = contiguous_elements(source);
  const Tensor y = contiguous_copy(x);
  dispatch_all(x.dtype(), [&]<class T>() {
    const T* in = from.data<T>();
    T* out = y.data<T>();
    for_each_indexed(entries, dim, y, [=](int64_t p, int64_t offset) { put(out[offset], in[p]); });
  });
  return y;
}

}  // namespace

/// y[…, i, …] = x[…, index[i], …].   dx = 0 with dy[…, i, …] added at index[i]
Tensor index_select(const Arg& x, int64_t dim, const Tensor& index) {
  const int d = wrap_dim(dim, x.dim(), "index_select");
  check(index.dim() == 1, "index_select", "index of shape ", index.shape(),
        ": one dimension is needed");
  const Tensor entries = checked_index(index, x.shape(), d, "index_select");
  Shape shape = x.shape();
  const int64_t size = shape[d];
  shape[d] = index.numel();
  return record("index_select", {x}, take_rows(x, d, entries, shape), Save{index},
                [d, size](const Saved& saved, const Tensor& dy) -> Grads {
                  return {index_sum(dy, d, saved[0], size)};
                });
}

/// y[i, j] = x[index[i, j], j].   dx = 0 with dy[i, j] added at (index[i, j], j)
Tensor gather(const Arg& x, int64_t dim, const Tensor& index) {
  const int d = wrap_dim(dim, x.dim(), "gather");
  check_index_shape(x, d, index, "gather");
  const Tensor entries = checked_index(index, x.shape(), d, "gather");
  Tensor y = Tensor::empty(index.shape(), x.dtype());
  dispatch_all(x.dtype(), [&]<class T>() {
    const T* in = x.data<T>();
    T* out = y.data<T>();
    for_each_indexed(entries, d, x, [=](int64_t p, int64_t offset) { out[p] = in[offset]; });
  });
  return record("gather", {x}, y, Save{index},
                [d, shape = x.shape()](const Saved& saved, const Tensor& dy) -> Grads {
                  return {scatter_add(zeros(shape, dy.dtype()), d, saved[0], dy)};
                });
}

/// y = x; y[index[i, j], j] += source[i, j].   dx = dy, dsource[i, j] = dy[index[i, j], j]
Tensor scatter_add(const Arg& x, int64_t dim, const Tensor& index, const Arg& source) {
  const int d = wrap_dim(dim, x.dim(), "scatter_add");
  const Tensor y = put_at("scatter_add", x, d, index, source, [](auto& to, auto value) {
    to = static_cast<std::remove_reference_t<decltype(to)>>(to + value);
  });
  return record("scatter_add", {x, source}, y, Save{index},
                [d](const Saved& saved, const Tensor& dy) -> Grads {
                  return {dy, saved.needs(1) ? gather(dy, d, saved[0]) : Tensor()};
                });
}

namespace {

/// Whether each element of an index is the last that names its position, so that its source stays.
Tensor is_last(const Shape& shape, int dim, const Tensor& index) {
  const Tensor number = reshape(arange(index.numel()), index.shape());
  return gather(scatter(zeros(shape, i64), dim, index, number), dim, index) == number;
}

}  // namespace

/// y = x; y[index[i, j], j] = source[i, j].
///   dx = dy, 0 at written elements
///   dsource[i, j] = dy[index[i, j], j], 0 if it was overwritten     saved: index
Tensor scatter(const Arg& x, int64_t dim, const Tensor& index, const Arg& source) {
  const int d = wrap_dim(dim, x.dim(), "scatter");
  const Tensor y = put_at("scatter", x, d, index, source, [](auto& to, auto value) { to = value; });
  return detail::record_floating(
      "scatter", {x, source}, y, Save{index},
      [d, shape = x.shape()](const Saved& saved, const Tensor& dy) -> Grads {
        const Tensor index = saved[0];
        Tensor dx, dsource;
        if (saved.needs(0)) dx = scatter(dy, d, index, 0.0);
        if (saved.needs(1)) dsource = where(is_last(shape, d, index), gather(dy, d, index), 0.0);
        return {dx, dsource};
      });
}
Tensor scatter(const Arg& x, int64_t dim, const Tensor& index, double value) {
  return scatter(x, dim, index, expand(full({}, value, x.dtype()), index.shape()));
}

/// y = x; y[…, index[i], …] += alpha · source[…, i, …].   Composed of index_sum and +
Tensor index_add(const Arg& x, int64_t dim, const Tensor& index, const Arg& source, double alpha) {
  const int d = wrap_dim(dim, x.dim(), "index_add");
  check(index.dim() == 1, "index_add", "index of shape ", index.shape(),
        ": one dimension is needed");
  checked_index(index, x.shape(), d, "index_add");
  Shape expected = x.shape();
  expected[d] = index.numel();
  check(source.shape() == expected, "index_add", "source of shape ", source.shape(), " for x of ",
        x.shape(), " and an index of ", index.shape(), ": ", expected, " is needed");
  check(source.dtype() == x.dtype(), "index_add", "source is ", source.dtype(), ", x is ",
        x.dtype(), ": convert one with to(x, dtype)");
  const CallScope here(x.at);
  return x + index_sum(alpha == 1 ? Tensor(source) : source * alpha, d, index, x.shape()[d]);
}

/// y[…, :] = weight[index[…], :].   dweight = 0 with every row of dy added at its index
Tensor embedding(const Tensor& index, const Arg& weight) {
  check(weight.dim() == 2, "embedding", "weight of shape ", weight.shape(),
        ": a table (entries, size) is needed");
  const Tensor entries = checked_index(index, weight.shape(), 0, "embedding");
  const int64_t size = weight.size(0), width = weight.size(1);
  Shape shape = index.shape();
  shape.push_back(width);
  return record("embedding", {weight}, take_rows(weight, 0, entries, shape), Save{index},
                [size, width](const Saved& saved, const Tensor& dy) -> Grads {
                  const Tensor index = saved[0];
                  const int64_t rows = index.numel();
                  return {index_sum(reshape(dy, {rows, width}), 0, reshape(index, {rows}), size)};
                });
}

/// Composed of index_select, which has a gradient.
Tensor masked_select(const Arg& x, const Tensor& mask) {
  check(mask.dtype() == boolean, "masked_select", "the mask is ", mask.dtype(),
        ": it must be bool, like the result of a comparison");
  const Shape shape = broadcast_shapes(x.shape(), mask.shape(), "masked_select");
  const Tensor chosen = contiguous_elements(expand(mask, shape));
  const bool* is_chosen = chosen.data<bool>();
  const int64_t n = chosen.numel();
  Tensor index = Tensor::empty({std::count(is_chosen, is_chosen + n, true)}, i64);
  int64_t* next = index.data<int64_t>();
  for (int64_t i = 0; i < n; ++i)
    if (is_chosen[i]) *next++ = i;
  const CallScope here(x.at);
  return index_select(reshape(expand(x, shape), {n}), 0, index);
}

}  // namespace tarsier
