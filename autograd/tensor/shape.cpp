// Shapes: changing, printing and broadcasting.
#include "autograd/tensor/shape.h"

#include <algorithm>
#include <ostream>

#include "autograd/base/error.h"

namespace tarsier {

void Shape::fail_full() { fail("shape", "more than ", kMaxDims, " dimensions"); }

void Shape::insert(int at, int64_t size) {
  push_back(size);
  std::rotate(begin() + at, end() - 1, end());
}

void Shape::erase(int at) {
  std::copy(begin() + at + 1, end(), begin() + at);
  --count_;
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  out << '(';
  for (int i = 0; i < shape.size(); ++i) out << (i ? ", " : "") << shape[i];
  return out << (shape.size() == 1 ? ",)" : ")");
}

Strides contiguous_strides(const Shape& shape) {
  Strides strides = Shape::filled(shape.size(), 1);
  for (int i = shape.size() - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * std::max<int64_t>(shape[i + 1], 1);
  return strides;
}

int wrap_dim(int64_t dim, int dims, const char* op) {
  check(dims > 0, op, "dimension ", dim, " of a scalar, which has none: reshape it to (1,) first");
  check(dim >= -dims && dim < dims, op, "dimension ", dim, " of a tensor with ", dims,
        " dimensions: use ", -dims, " to ", dims - 1);
  return static_cast<int>(dim < 0 ? dim + dims : dim);
}

Shape broadcast_shapes(const Shape& a, const Shape& b, const char* op) {
  if (a == b) return a;
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape out = longer;
  const int shift = longer.size() - shorter.size();
  for (int i = 0; i < shorter.size(); ++i) {
    const int64_t x = longer[i + shift], y = shorter[i];
    check(x == y || x == 1 || y == 1, op, "shapes ", a, " and ", b, " do not broadcast: sizes ",
          a[a.size() - shorter.size() + i], " and ", b[b.size() - shorter.size() + i],
          " differ and neither is 1");
    out[i + shift] = x == 1 ? y : x;
  }
  return out;
}

}  // namespace tarsier
