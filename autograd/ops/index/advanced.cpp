// x[i, j, …] with tensors of indices, read and written; and nonzero.
#include <algorithm>
#include <vector>

#include "autograd/loops/copy.h"
#include "autograd/ops.h"

namespace tarsier {
namespace {

/// The elements that x[i, :, j, …] picks. The dimensions with an index move to the front and count
/// as one of `places` elements, of which `rows` are picked; the others follow as one of `columns`.
struct Picked {
  Shape order, inverse;  // of the dimensions, and back
  Shape moved;           // the sizes in that order
  Tensor rows;           // (n) i64: which of `places`
  Shape front, rest;     // the shape that the indices broadcast to, and the sizes without index
  int at = 0;            // where `front` goes in the result: in place of adjacent dimensions
  int64_t places = 1, columns = 1;

  /// The shape of x[i, :, j, …].
  Shape result() const {
    Shape shape(rest.begin(), rest.begin() + at);
    for (const int64_t size : front) shape.push_back(size);
    for (int d = at; d < rest.size(); ++d) shape.push_back(rest[d]);
    return shape;
  }
};

/// row = row · size + index for each row: includes one more dimension in the places.
void add_index(const Tensor& rows, const Tensor& index, const Tensor& x, int dim, const char* op) {
  const Tensor entries = contiguous_elements(index);
  const int64_t* from = entries.data<int64_t>();
  int64_t* to = rows.data<int64_t>();
  const int64_t size = x.shape()[dim];
  for (int64_t i = 0; i < rows.numel(); ++i) {
    check(from[i] >= -size && from[i] < size, op, "index ", from[i], " is out of range: dimension ",
          dim, " of shape ", x.shape(), " has ", size, " entries: use ", -size, " to ", size - 1);
    to[i] = to[i] * size + (from[i] < 0 ? from[i] + size : from[i]);
  }
}

Picked pick(const Tensor& x, const std::vector<Tensor>& indices, const char* op) {
  const int count = static_cast<int>(indices.size());
  check(count <= x.dim(), op, count, " indices for a tensor of shape ", x.shape(), ": use ",
        x.dim(), " at most");
  Picked p;
  std::vector<int> without;
  int first = -1, last = -1;
  for (int d = 0; d < x.dim(); ++d) {
    if (d >= count || !indices[static_cast<size_t>(d)].defined()) {
      without.push_back(d);
      continue;
    }
    const Tensor& index = indices[static_cast<size_t>(d)];
    check(index.dtype() == i64, op, "index ", d, " is ", index.dtype(), ": indices are i64",
          index.dtype() == boolean ? "; for a mask use masked_select() or where()" : "");
    p.front = broadcast_shapes(p.front, index.shape(), op);
    p.order.push_back(d);
    p.places *= x.shape()[d];
    if (first < 0) first = d;
    last = d;
  }
  check(first >= 0, op, "no index is defined: give a tensor of indices for at least one dimension");
  // If the indices are not adjacent, their dimensions go to the front, as in NumPy.
  p.at = last - first + 1 == p.order.size() ? first : 0;
  p.rows = zeros({p.front.numel()}, i64);
  for (const int64_t d : p.order)
    add_index(p.rows, expand(indices[static_cast<size_t>(d)], p.front), x, static_cast<int>(d), op);
  for (const int d : without) {
    p.order.push_back(d);
    p.rest.push_back(x.shape()[d]);
    p.columns *= x.shape()[d];
  }
  p.inverse = p.order;
  for (int i = 0; i < p.order.size(); ++i) {
    p.inverse[static_cast<int>(p.order[i])] = i;
    p.moved.push_back(x.shape()[static_cast<int>(p.order[i])]);
  }
  return p;
}

/// x as (places, columns).
Tensor as_places(const Arg& x, const Picked& p) {
  return reshape(permute(x, p.order), {p.places, p.columns});
}

/// Dimensions [from, from + count) moved to begin at `to`.
Tensor move_block(const Arg& x, int from, int count, int to) {
  Axes source, destination;
  for (int i = 0; i < count; ++i) {
    source.push_back(from + i);
    destination.push_back(to + i);
  }
  return movedim(x, source, destination);
}

}  // namespace

/// Composed of permute, reshape and index_select, which have gradients.
Tensor index(const Arg& x, const std::vector<Tensor>& indices) {
  const CallScope here(x.at);
  const Picked p = pick(x, indices, "index");
  const Tensor rows = index_select(as_places(x, p), 0, p.rows);
  Shape shape = p.front;
  for (const int64_t size : p.rest) shape.push_back(size);
  const Tensor y = reshape(rows, shape);
  return p.at == 0 ? y : move_block(y, 0, p.front.size(), p.at);
}

/// Composed of index_add, or scatter, on the same view of x.
Tensor index_put(const Arg& x, const std::vector<Tensor>& indices, const Arg& values,
                 bool accumulate) {
  const CallScope here(x.at);
  const Picked p = pick(x, indices, "index_put");
  check(values.dtype() == x.dtype(), "index_put", "values are ", values.dtype(), ", but x is ",
        x.dtype(), ": convert one with to(x, dtype)");
  const Shape result = p.result();
  check(broadcast_shapes(result, values.shape(), "index_put") == result, "index_put",
        "values of shape ", values.shape(), " do not broadcast to ", result,
        ", the shape that the indices pick");
  const int64_t n = p.rows.numel();
  Tensor source = expand(values, result);
  if (p.at > 0) source = move_block(source, p.at, p.front.size(), 0);
  source = reshape(source, {n, p.columns});
  const Tensor places = as_places(x, p);
  const Tensor y =
      accumulate ? index_add(places, 0, p.rows, source)
                 : scatter(places, 0, expand(reshape(p.rows, {n, 1}), {n, p.columns}), source);
  return permute(reshape(y, p.moved), p.inverse);
}

Tensor nonzero(const Tensor& x) {
  const Tensor elements = contiguous_elements(x);
  const Strides strides = contiguous_strides(x.shape());
  std::vector<int64_t> found;
  dispatch_all(x.dtype(), [&]<class T>() {
    const T* p = elements.data<T>();
    for (int64_t i = 0; i < x.numel(); ++i)
      if (p[i] != T(0)) found.push_back(i);
  });
  const Tensor y = Tensor::empty({static_cast<int64_t>(found.size()), x.dim()}, i64);
  int64_t* to = y.data<int64_t>();
  for (const int64_t i : found)
    for (int d = 0; d < x.dim(); ++d) *to++ = i / strides[d] % x.shape()[d];
  return y;
}

}  // namespace tarsier
