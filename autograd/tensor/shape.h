#pragma once
// Shapes and strides: a short list of sizes, kept without allocation.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <vector>

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
  const int64_t* begin() const { return sizes_; }
  const int64_t* end() const { return sizes_ + count_; }
  int64_t* begin() { return sizes_; }
  int64_t* end() { return sizes_ + count_; }
  int64_t back() const { return sizes_[static_cast<size_t>(count_ - 1)]; }

  void push_back(int64_t size) {
    if (count_ == kMaxDims) [[unlikely]]
      fail_full();
    sizes_[static_cast<size_t>(count_++)] = size;
  }
  /// Puts `size` before position `at`.
  void insert(int at, int64_t size);
  void erase(int at);

  /// The product of the sizes: the number of elements. 1 for the empty shape of a scalar.
  int64_t numel() const {
    int64_t product = 1;
    for (int64_t size : *this) product *= size;
    return product;
  }

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.count_ != b.count_) return false;
    for (int i = 0; i < a.count_; ++i)
      if (a[i] != b[i]) return false;
    return true;
  }

 private:
  [[noreturn]] static void fail_full();
  int64_t sizes_[kMaxDims] = {};
  int count_ = 0;
};

std::ostream& operator<<(std::ostream& out, const Shape& shape);

using Strides = Shape;

/// The strides of a row-major contiguous tensor: the last is 1.
Strides contiguous_strides(const Shape& shape);

/// The dimension that `dim` names in a tensor of `dims` dimensions: −1 is the last.
/// Throws Error(op) unless −dims ≤ dim < dims.
int wrap_dim(int64_t dim, int dims, const char* op);

/// The shape that `a` and `b` broadcast to (aligned at the last dimension; a size of 1 stretches).
/// Source: https://numpy.org/doc/stable/user/basics.broadcasting.html
/// Throws Error(op) if sizes differ and neither is 1.
Shape broadcast_shapes(const Shape& a, const Shape& b, const char* op);

/// The dimensions that a reduction runs over: {0, 2}, or just −1. Empty: all of them.
struct Axes : Shape {
  using Shape::Shape;
  Axes(int64_t dim) : Shape{dim} {}
  Axes(int dim) : Shape{dim} {}
};

}  // namespace tarsier
