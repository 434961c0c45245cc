// Creation ops: constants, ranges, literal values. The random ones are in
// ../random/creation.cpp.
#include "autograd/ops/creation/creation.h"

#include <algorithm>
#include <cmath>

#include "autograd/loops/copy.h"
#include "autograd/loops/elementwise.h"
#include "autograd/ops/creation/from_vector.h"

namespace tarsier {

// ------------------------------------------------------------------------------------- constants

namespace {

Tensor filled(const Shape& shape, double value, DType dtype, const char* op) {
  for (int64_t size : shape) check(size >= 0, op, "shape ", shape, " has a negative size");
  Tensor y = Tensor::empty(shape, dtype);
  if (dtype == i64) detail::number_as<int64_t>(value, op);  // an error if it does not fit
  fill_elements(y, value);
  return y;
}

}  // namespace

Tensor full(const Shape& shape, double value, DType dtype, SourceLine at) {
  const CallSite site(at);
  return filled(shape, value, dtype, "full");
}
Tensor zeros(const Shape& shape, DType dtype, SourceLine at) {
  const CallSite site(at);
  return filled(shape, 0, dtype, "zeros");
}
Tensor ones(const Shape& shape, DType dtype, SourceLine at) {
  const CallSite site(at);
  return filled(shape, 1, dtype, "ones");
}
Tensor full_like(const Arg& x, double value) {
  return filled(x.shape(), value, x.dtype(), "full_like");
}
Tensor zeros_like(const Arg& x) { return full(x.shape(), 0, x.dtype()); }
Tensor ones_like(const Arg& x) { return full(x.shape(), 1, x.dtype()); }
Tensor scalar(double value, DType dtype, SourceLine at) {
  const CallSite site(at);
  return full({}, value, dtype);
}

// ------------------------------------------------------------------------------------- ranges

Tensor arange(double start, double end, double step, DType dtype, SourceLine at) {
  const CallSite site(at);
  check(step != 0, "arange", "step is 0: use a positive or a negative one");
  const double count = std::ceil((end - start) / step);
  check(std::isfinite(count), "arange", "from ", start, " to ", end, " in steps of ", step,
        ": use finite numbers");
  check(count >= 0, "arange", "from ", start, " to ", end, " in steps of ", step,
        ": the step leads away from the end");
  check(count < 0x1p53, "arange", "from ", start, " to ", end, " in steps of ", step,
        ": too many elements");
  check(dtype != boolean, "arange", "dtype bool: use i64, f32 or f64");
  Tensor y = Tensor::empty({static_cast<int64_t>(count)}, dtype);
  dispatch_all(dtype, [&]<class T>() {
    T* py = y.data<T>();
    if constexpr (std::is_same_v<T, int64_t>) {
      const auto first = detail::number_as<T>(start, "arange");
      const auto stride = detail::number_as<T>(step, "arange");
      for (int64_t i = 0; i < y.numel(); ++i) py[i] = first + i * stride;
    } else {
      for (int64_t i = 0; i < y.numel(); ++i)
        py[i] = static_cast<T>(start + static_cast<double>(i) * step);
    }
  });
  return y;
}

Tensor arange(int64_t end, DType dtype, SourceLine at) {
  const CallSite site(at);
  return arange(0, static_cast<double>(end), 1, dtype);
}

Tensor linspace(double start, double end, int64_t steps, DType dtype, SourceLine at) {
  const CallSite site(at);
  check(steps >= 0, "linspace", steps, " steps: use 0 or more");
  Tensor y = Tensor::empty({steps}, dtype);
  dispatch_floating(dtype, "linspace", [&]<class T>() {
    T* py = y.data<T>();
    const double step = steps > 1 ? (end - start) / static_cast<double>(steps - 1) : 0;
    // From the nearer end, so that both ends are exact and a symmetric range stays symmetric.
    for (int64_t i = 0; i < steps; ++i)
      py[i] =
          static_cast<T>(i <= (steps - 1) / 2 ? start + static_cast<double>(i) * step
                                              : end - static_cast<double>(steps - 1 - i) * step);
  });
  return y;
}

Tensor eye(int64_t n, DType dtype, SourceLine at) {
  const CallSite site(at);
  check(n >= 0, "eye", n, " rows: use 0 or more");
  Tensor y = zeros({n, n}, dtype);
  fill_elements(y.view_as({n}, {n + 1}, 0), 1);
  return y;
}

// ------------------------------------------------------------------------------------- values

namespace detail {

template <class T>
Tensor tensor_of(const std::vector<T>& values, const Shape& shape) {
  Tensor y = Tensor::empty(shape, dtype_of<T>);
  check(y.numel() == static_cast<int64_t>(values.size()), "from_vector", values.size(),
        " values do not fill shape ", shape, ", which has ", y.numel(), " elements");
  std::copy(values.begin(), values.end(), y.data<T>());
  return y;
}
template Tensor tensor_of(const std::vector<float>&, const Shape&);
template Tensor tensor_of(const std::vector<double>&, const Shape&);
template Tensor tensor_of(const std::vector<int64_t>&, const Shape&);
template Tensor tensor_of(const std::vector<bool>&, const Shape&);

}  // namespace detail

namespace {

/// Writes the values, in order, as elements of y.
void write_values(const Tensor& y, int64_t at, std::initializer_list<double> values) {
  dispatch_all(y.dtype(), [&]<class T>() {
    for (double value : values) y.data<T>()[at++] = detail::number_as<T>(value, "tensor");
  });
}

}  // namespace

Tensor tensor(std::initializer_list<double> values, DType dtype, SourceLine at) {
  const CallSite site(at);
  Tensor y = Tensor::empty({static_cast<int64_t>(values.size())}, dtype);
  write_values(y, 0, values);
  return y;
}

Tensor tensor(std::initializer_list<std::initializer_list<double>> rows, DType dtype,
              SourceLine at) {
  const CallSite site(at);
  const auto count = static_cast<int64_t>(rows.size());
  const auto length = count == 0 ? 0 : static_cast<int64_t>(rows.begin()->size());
  Tensor y = Tensor::empty({count, length}, dtype);
  int64_t next = 0;
  for (const auto& row : rows) {
    check(static_cast<int64_t>(row.size()) == length, "tensor", "row ",
          next / std::max<int64_t>(length, 1), " has ", row.size(), " values, the first has ",
          length, ": rows must be equally long");
    write_values(y, next, row);
    next += length;
  }
  return y;
}

// ------------------------------------------------------------------------------------- patterns

Tensor one_hot(const Arg& index, int64_t classes, DType dtype) {
  check(index.dtype() == i64, "one_hot", "the index is ", index.dtype(),
        ", but i64 is needed: convert it with to(index, i64)");
  check(classes > 0, "one_hot", classes, " classes: use at least 1");
  Shape shape = index.shape();
  shape.push_back(classes);
  Tensor y = zeros(shape, dtype);
  const Tensor in_order = contiguous_elements(index);
  const int64_t* p = in_order.data<int64_t>();
  dispatch_all(dtype, [&]<class T>() {
    T* py = y.data<T>();
    for (int64_t i = 0; i < index.numel(); ++i) {
      check(p[i] >= 0 && p[i] < classes, "one_hot", "index ", p[i], " at position ", i,
            " is not one of ", classes, " classes: use 0 to ", classes - 1);
      py[i * classes + p[i]] = T(1);
    }
  });
  return y;
}

namespace {

/// element (i, j) = holds(j − i).
template <class F>
Tensor diagonal_mask(int64_t rows, int64_t columns, const F& holds) {
  Tensor y = Tensor::empty({rows, columns}, boolean);
  if (columns == 0) return y;  // however many rows
  bool* py = y.data<bool>();
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) py[i * columns + j] = holds(j - i);
  return y;
}

}  // namespace

Tensor tril_mask(int64_t rows, int64_t columns, int64_t diagonal, SourceLine at) {
  const CallSite site(at);
  return diagonal_mask(rows, columns, [=](int64_t offset) { return offset <= diagonal; });
}
Tensor triu_mask(int64_t rows, int64_t columns, int64_t diagonal, SourceLine at) {
  const CallSite site(at);
  return diagonal_mask(rows, columns, [=](int64_t offset) { return offset >= diagonal; });
}

}  // namespace tarsier
