#pragma once
// Shapes and strides: a short list of sizes, kept without allocation.

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <vector>

#include "../base/error.h"

namespace tarsier {

/// The largest number of dimensions of a tensor.
inline constexpr int kMaxDims = 8;

/// Up to kMaxDims integers: the sizes of a tensor's dimensions, or its strides in elements.
/// Prints as (2, 3).
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> sizes) : Shape(sizes.begin(), sizes.end()) {}
  Shape(const std::vector<int64_t>& sizes) : Shape(sizes.begin(), sizes.end()) {}
  template <class It>
  Shape(It first, It last) {
    for (; first != last; ++first) push_back(*first);
  }
  /// `count` entries of `value`.
  static Shape filled(int count, int64_t value) {
    Shape s;
    for (int i = 0; i < count; ++i) s.push_back(value);
    return s;
  }

  int size() const { return count_; }
  bool empty() const { return count_ == 0; }
  int64_t operator[](int i) const { return sizes_[static_cast<size_t>(i)]; }
  int64_t& operator[](int i) { return sizes_[static_cast<size_t>(i)]; }
  const int64_t* begin() const { return sizes_.data(); }
  const int64_t* end() const { return sizes_.data() + count_; }
  int64_t* begin() { return sizes_.data(); }
  int64_t* end() { return sizes_.data() + count_; }
  int64_t back() const { return sizes_[static_cast<size_t>(count_ - 1)]; }

  void push_back(int64_t size) {
    check(count_ < kMaxDims, "shape", "more than ", kMaxDims, " dimensions");
    sizes_[static_cast<size_t>(count_++)] = size;
  }
  /// Puts `size` before position `at`.
  void insert(int at, int64_t size) {
    push_back(size);
    std::rotate(begin() + at, end() - 1, end());
  }
  void erase(int at) {
    std::copy(begin() + at + 1, end(), begin() + at);
    --count_;
  }

  /// The product of the sizes: the number of elements. 1 for the empty shape of a scalar.
  int64_t numel() const {
    int64_t product = 1;
    for (int64_t size : *this) product *= size;
    return product;
  }

  friend bool operator==(const Shape& a, const Shape& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }
  friend std::ostream& operator<<(std::ostream& out, const Shape& shape) {
    out << '(';
    for (int i = 0; i < shape.size(); ++i) out << (i ? ", " : "") << shape[i];
    return out << (shape.size() == 1 ? ",)" : ")");
  }

 private:
  std::array<int64_t, kMaxDims> sizes_{};
  int count_ = 0;
};

using Strides = Shape;

/// The strides of a row-major contiguous tensor: the last is 1.
inline Strides contiguous_strides(const Shape& shape) {
  Strides strides = Shape::filled(shape.size(), 1);
  for (int i = shape.size() - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * std::max<int64_t>(shape[i + 1], 1);
  return strides;
}

/// The dimension that `dim` names in a tensor of `dims` dimensions: −1 is the last.
/// Throws Error(op) unless −dims ≤ dim < dims.
inline int wrap_dim(int64_t dim, int dims, const char* op) {
  check(dims > 0, op, "dimension ", dim, " of a scalar, which has none: reshape it to (1,) first");
  check(dim >= -dims && dim < dims, op, "dimension ", dim, " of a tensor with ", dims,
        " dimensions: use ", -dims, " to ", dims - 1);
  return static_cast<int>(dim < 0 ? dim + dims : dim);
}

/// The shape that `a` and `b` broadcast to (aligned at the last dimension; a size of 1 stretches).
/// Source: https://numpy.org/doc/stable/user/basics.broadcasting.html
/// Throws Error(op) where sizes differ and neither is 1.
inline Shape broadcast_shapes(const Shape& a, const Shape& b, const char* op) {
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

/// The dimensions that a reduction runs over: {0, 2}, or just −1. Empty: all of them.
struct Axes : Shape {
  using Shape::Shape;
  Axes(int64_t dim) : Shape{dim} {}
  Axes(int dim) : Shape{dim} {}
};

}  // namespace tarsier
