// More views: movedim, narrow, meshgrid, the diagonal, and the windows along a dimension.
#include <algorithm>

#include "autograd/loops/copy.h"
#include "autograd/ops.h"

namespace tarsier {

Tensor narrow(const Arg& x, int64_t dim, int64_t start, int64_t length) {
  const int d = wrap_dim(dim, x.dim(), "narrow");
  const int64_t size = x.shape()[d], first = start < 0 ? start + size : start;
  check(first >= 0 && first <= size, "narrow", "start ", start, " in dimension ", d, " of shape ",
        x.shape(), ": use ", -size, " to ", size);
  check(length >= 0 && length <= size - first, "narrow", length, " elements from ", first,
        " on in dimension ", d, " of shape ", x.shape(), ", which has ", size - first,
        " from there: slice() clips to what exists");
  return slice(x, d, first, first + length);
}

Tensor movedim(const Arg& x, const Axes& source, const Axes& destination) {
  check(source.size() == destination.size(), "movedim", "source ", source, " and destination ",
        destination, " name ", source.size(), " and ", destination.size(),
        " dimensions: give a position for each");
  Shape order = Shape::filled(x.dim(), -1);  // order[position] = the dimension that goes there
  std::vector<bool> moved(static_cast<size_t>(x.dim()), false);
  for (int i = 0; i < source.size(); ++i) {
    const int from = wrap_dim(source[i], x.dim(), "movedim");
    const int to = wrap_dim(destination[i], x.dim(), "movedim");
    check(!moved[static_cast<size_t>(from)] && order[to] < 0, "movedim", "source ", source,
          " and destination ", destination, " for shape ", x.shape(),
          ": name every dimension and every position at most once");
    moved[static_cast<size_t>(from)] = true;
    order[to] = from;
  }
  int next = 0;
  for (int64_t& from : order) {
    if (from >= 0) continue;
    while (moved[static_cast<size_t>(next)]) ++next;
    from = next++;
  }
  return permute(x, order);
}

std::vector<Tensor> meshgrid(const std::vector<Tensor>& xs, std::string_view indexing,
                             SourceLine at) {
  const CallScope here(at);
  check(indexing == "ij" || indexing == "xy", "meshgrid", "indexing '", indexing,
        "': use 'ij' or 'xy'");
  check(!xs.empty(), "meshgrid", "an empty list: at least one tensor is needed");
  Shape shape;
  for (size_t k = 0; k < xs.size(); ++k) {
    check(xs[k].dim() <= 1, "meshgrid", "tensor ", k, " has shape ", xs[k].shape(),
          ": (n) or () is needed");
    check(xs[k].dtype() == xs[0].dtype(), "meshgrid", "tensors 0 and ", k, " are ", xs[0].dtype(),
          " and ", xs[k].dtype(), ": convert one with to(x, dtype)");
    shape.push_back(xs[k].numel());
  }
  const bool exchanged = indexing == "xy" && xs.size() >= 2;
  if (exchanged) std::swap(shape[0], shape[1]);
  std::vector<Tensor> grids;
  for (int k = 0; k < shape.size(); ++k) {
    const int along = exchanged && k < 2 ? 1 - k : k;
    Shape line = Shape::filled(shape.size(), 1);
    line[along] = shape[along];
    grids.push_back(expand(reshape(xs[static_cast<size_t>(k)], line), shape));
  }
  return grids;
}

// ------------------------------------------------------------------------------------- diagonal

namespace {

/// The shape, strides and offset of a diagonal, which is the last dimension.
struct Diagonal {
  Shape shape;
  Strides strides;
  int64_t offset;

  Diagonal(const Tensor& x, int64_t diagonal, int row_dim, int column_dim)
      : shape(x.shape()), strides(x.strides()), offset(x.offset()) {
    const int64_t rows = shape[row_dim], columns = shape[column_dim];
    const int64_t row_stride = strides[row_dim], column_stride = strides[column_dim];
    // Far from the middle there is none. Compared first, so that nothing overflows.
    const bool exists = diagonal < columns && diagonal > -rows;
    const int64_t down = exists ? std::max<int64_t>(-diagonal, 0) : 0;
    const int64_t right = exists ? std::max<int64_t>(diagonal, 0) : 0;
    const int64_t length = exists ? std::min(rows - down, columns - right) : 0;
    for (const int d : {std::max(row_dim, column_dim), std::min(row_dim, column_dim)}) {
      shape.erase(d);
      strides.erase(d);
    }
    shape.push_back(length);
    strides.push_back(row_stride + column_stride);
    if (length > 0) offset += down * row_stride + right * column_stride;
  }
  Tensor of(const Tensor& x) const { return x.view_as(shape, strides, offset); }
};

/// Zeros of `shape` with dy on a diagonal: the transpose of diagonal(), therefore its backward; and
/// diagonal() is the backward of this.
Tensor undiagonal(const char* name, const Arg& dy, const Shape& shape, int64_t offset, int row_dim,
                  int column_dim) {
  Tensor dx = Tensor::empty(shape, dy.dtype());
  fill_elements(dx, 0);
  copy_elements(dy, Diagonal(dx, offset, row_dim, column_dim).of(dx));
  return record(name, {dy}, dx, Save{}, [=](const Saved&, const Tensor& ddx) -> Grads {
    return {diagonal(ddx, offset, row_dim, column_dim)};
  });
}

}  // namespace

/// y[…, i] = x[…, i, …, i + offset, …].   dx = 0 with dy on that diagonal
Tensor diagonal(const Arg& x, int64_t offset, int64_t dim1, int64_t dim2) {
  const int rows = wrap_dim(dim1, x.dim(), "diagonal"),
            columns = wrap_dim(dim2, x.dim(), "diagonal");
  check(rows != columns, "diagonal", "dimensions ", dim1, " and ", dim2, " of shape ", x.shape(),
        " are the same: name two");
  return record("diagonal", {x}, Diagonal(x, offset, rows, columns).of(x), Save{},
                [=, shape = x.shape()](const Saved&, const Tensor& dy) -> Grads {
                  return {undiagonal("undiagonal", dy, shape, offset, rows, columns)};
                });
}

/// Of (n): y[i, i + diagonal] = x[i], else 0.   dx = that diagonal of dy
Tensor diag(const Arg& x, int64_t diagonal) {
  check(x.dim() == 1 || x.dim() == 2, "diag", "shape ", x.shape(),
        ": (n) or (rows, columns) is needed; diagonal() takes others");
  if (x.dim() == 2) return tarsier::diagonal(x, diagonal);
  constexpr int64_t kMost = int64_t{1} << 31;
  check(diagonal > -kMost && diagonal < kMost, "diag", "diagonal ", diagonal, ": use ", 1 - kMost,
        " to ", kMost - 1);
  const int64_t size = x.numel() + std::abs(diagonal);
  return undiagonal("diag", x, {size, size}, diagonal, 0, 1);
}

// -------------------------------------------------------------------------------------- windows

/// y[…, i, …, j] = x[…, i · step + j, …].   dx = 0 with dy[…, i, …, j] added at i · step + j
Tensor unfold_dim(const Arg& x, int64_t dim, int64_t size, int64_t step) {
  const int d = wrap_dim(dim, x.dim(), "unfold_dim");
  const int64_t n = x.shape()[d];
  check(step >= 1, "unfold_dim", "step ", step, ": 1 or more is needed");
  check(size >= 0 && size <= n, "unfold_dim", "windows of ", size, " elements in dimension ", d,
        " of shape ", x.shape(), ": use 0 to ", n);
  Shape shape = x.shape(), strides = x.strides();
  const int64_t count = (n - size) / step + 1;
  shape[d] = count;
  shape.push_back(size);
  strides.push_back(strides[d]);
  if (count <= 1) step = 1;  // equivalent, and avoids an overflow
  strides[d] *= step;
  return record("unfold_dim", {x}, x.view_as(shape, strides, x.offset()), Save{},
                [=, shape = x.shape()](const Saved&, const Tensor& dy) -> Grads {
                  // The windows in order along d, and the position of each of their elements.
                  const Tensor rows = flatten(movedim(dy, -1, d + 1), d, d + 1);
                  const Tensor starts = reshape(arange(count) * static_cast<double>(step), {-1, 1});
                  const Tensor places = reshape(starts + arange(size), {count * size});
                  return {index_add(zeros(shape, dy.dtype()), d, places, rows)};
                });
}

}  // namespace tarsier
