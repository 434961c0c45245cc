// Matrices of 8-bit integers: made, read, multiplied.
#include "autograd/ops/matmul/quantized.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/base/parallel.h"
#include "autograd/loops/grain.h"
#include "autograd/ops.h"
#include "autograd/ops/matmul/int8.kernel.h"
#include "autograd/simd/dispatch.h"
#include "autograd/tape/tape.h"
#include "autograd/tensor/compute.h"

namespace tarsier {
namespace {

using kernels::int8_place;
using kernels::kInt8Group;
using kernels::kInt8Panel;

constexpr float kLargest = 127;

/// Calls body(row) for all rows of `cols` elements, on all threads. A panel of rows shares cache
/// lines, so it stays on one.
template <class Body>
void for_each_row(int64_t rows, int64_t cols, const Body& body) {
  const int64_t panels = (rows + kInt8Panel - 1) / kInt8Panel;
  detail::for_rows(panels, kInt8Panel * cols, detail::kMiddleGrain, [&](int64_t from, int64_t to) {
    for (int64_t row = from * kInt8Panel; row < std::min(rows, to * kInt8Panel); ++row) body(row);
  });
}

/// The scale of a row: its largest element becomes ±127.
template <class T>
float scale_of(const T* row, int64_t cols, int64_t number) {
  T largest = 0;
  bool finite = true;
  for (int64_t p = 0; p < cols; ++p) {
    finite = finite && std::isfinite(row[p]);
    largest = std::max(largest, std::abs(row[p]));
  }
  const auto scale = static_cast<float>(largest / kLargest);
  check(finite && std::isfinite(scale), "quantize", "row ", number,
        " of the matrix holds a NaN or a number beyond f32: fix the weights first");
  return scale;
}

}  // namespace

struct QuantizedMatrix::Data {
  Data(int64_t rows, int64_t cols)
      : cols(cols),
        scales(static_cast<size_t>(rows)),
        memory(static_cast<size_t>((rows + kInt8Panel - 1) / kInt8Panel * kInt8Panel *
                                   kernels::int8_words(cols)) *
               sizeof(int32_t)) {
    std::fill_n(static_cast<char*>(memory.data()), memory.bytes(), char{0});
  }
  int32_t* words() const { return static_cast<int32_t*>(memory.data()); }

  void set(int64_t row, int64_t p, int8_t value) {
    const auto byte = static_cast<uint32_t>(static_cast<uint8_t>(value));
    words()[int8_place(row, p, cols)] |= static_cast<int32_t>(byte << (8 * (p % kInt8Group)));
  }
  int8_t get(int64_t row, int64_t p) const {
    return static_cast<int8_t>(words()[int8_place(row, p, cols)] >> (8 * (p % kInt8Group)));
  }

  int64_t cols;
  std::vector<float> scales;
  Storage memory;  // words of four values (int8_arguments.h)
};

// ----------------------------------------------------------------------------------------- made

QuantizedMatrix::QuantizedMatrix(const Tensor& weight) {
  check(weight.dim() == 2, "quantize", "a tensor of shape ", weight.shape(),
        ": a matrix (out, in) is needed");
  const Tensor from = contiguous(weight.detach());
  const int64_t cols = from.size(1);
  rows_ = from.size(0);
  const auto data = std::make_shared<Data>(rows_, cols);
  dispatch_floating(from.dtype(), "quantize", [&]<class T>() {
    for_each_row(rows_, cols, [&](int64_t row) {
      const T* const x = from.data<T>() + row * cols;
      const float scale = scale_of(x, cols, row);
      data->scales[static_cast<size_t>(row)] = scale;
      const T factor = scale > 0 ? 1 / static_cast<T>(scale) : 0;
      for (int64_t p = 0; p < cols; ++p) {
        const T value = std::clamp<T>(std::nearbyint(x[p] * factor), -kLargest, kLargest);
        data->set(row, p, static_cast<int8_t>(value));
      }
    });
  });
  data_ = data;
}

QuantizedMatrix::QuantizedMatrix(std::span<const int8_t> values, int64_t cols,
                                 std::vector<float> scales)
    : rows_(std::ssize(scales)) {
  check(cols >= 0 && std::ssize(values) == rows_ * cols, "quantize", std::ssize(values),
        " values for ", rows_, " rows of ", cols);
  for (size_t row = 0; row < scales.size(); ++row)
    check(std::isfinite(scales[row]) && scales[row] >= 0, "quantize", "the scale of row ", row,
          " is ", scales[row], ": a number of 0 or more is needed");
  const auto data = std::make_shared<Data>(rows_, cols);
  data->scales = std::move(scales);
  for_each_row(rows_, cols, [&](int64_t row) {
    for (int64_t p = 0; p < cols; ++p)
      data->set(row, p, values[static_cast<size_t>(row * cols + p)]);
  });
  data_ = data;
}

QuantizedMatrix QuantizedMatrix::row_range(int64_t begin, int64_t end) const {
  check(begin >= 0 && begin <= end && end <= rows_, "quantize", "rows ", begin, " to ", end, " of ",
        rows_, ": out of range");
  QuantizedMatrix range = *this;
  range.first_ = first_ + begin;
  range.rows_ = end - begin;
  return range;
}

// ----------------------------------------------------------------------------------------- read

int64_t QuantizedMatrix::cols() const { return data_ ? data_->cols : 0; }

int8_t QuantizedMatrix::value(int64_t row, int64_t p) const { return data_->get(first_ + row, p); }

std::vector<int8_t> QuantizedMatrix::values() const {
  std::vector<int8_t> out(static_cast<size_t>(rows_ * cols()));
  for_each_row(rows_, cols(), [&](int64_t row) {
    for (int64_t p = 0; p < cols(); ++p) out[static_cast<size_t>(row * cols() + p)] = value(row, p);
  });
  return out;
}

std::span<const float> QuantizedMatrix::scales() const {
  if (!data_) return {};
  return std::span<const float>(data_->scales)
      .subspan(static_cast<size_t>(first_), static_cast<size_t>(rows_));
}

void QuantizedMatrix::write_row(int64_t row, float* to) const {
  const float scale = scales()[static_cast<size_t>(row)];
  for (int64_t p = 0; p < cols(); ++p) to[p] = scale * static_cast<float>(value(row, p));
}

Tensor QuantizedMatrix::dequantized() const {
  const Tensor out = Tensor::empty({rows_, cols()});
  for_each_row(rows_, cols(),
               [&](int64_t row) { write_row(row, out.data<float>() + row * cols()); });
  return out;
}

// ----------------------------------------------------------------------------------- multiplied

Tensor linear(const Arg& x, const QuantizedMatrix& weight, const Tensor& bias) {
  check(weight.defined(), "linear", "an undefined QuantizedMatrix was given");
  const int64_t k = weight.cols(), n = weight.rows();
  check(x.dtype() == f32 && (!bias.defined() || bias.dtype() == f32), "linear", "x is ", x.dtype(),
        ", but int8 weights are multiplied in f32: convert with to(x, f32)");
  check(x.dim() > 0 && x.size(-1) == k, "linear", "x of shape ", x.shape(),
        " and int8 weights of shape ", Shape{n, k}, ": expected x (…, ", k, ")");
  check(!bias.defined() || bias.shape() == Shape{n}, "linear", "bias of shape ",
        bias.defined() ? bias.shape() : Shape{}, ": expected ", Shape{n});
  check(!grad_enabled() || !(x.requires_grad() || (bias.defined() && bias.requires_grad())),
        "linear", "int8 weights have no gradients: train the f32 weights and quantise them after ",
        "that, or compute under a NoGrad guard");
  Shape shape = x.shape();
  shape[x.dim() - 1] = n;
  const Tensor y = Tensor::empty(shape), rows = contiguous(x.detach());
  const Tensor added = bias.defined() ? contiguous(bias.detach()) : bias;
  if (y.numel() == 0) return y;
  detail::compute("linear", [=] {
    kernels::active<kernels::Int8Kernels>().linear(
        {.m = y.numel() / n,
         .n = n,
         .k = k,
         .x = rows.data<float>(),
         .x_row = k,
         .words = weight.data_->words(),
         .first = weight.first_,
         .scales = weight.scales().data(),
         .bias = added.defined() ? added.data<float>() : nullptr,
         .y = y.data<float>(),
         .y_row = n});
  });
  return y;
}

Tensor embedding(const Tensor& index, const QuantizedMatrix& weight) {
  check(weight.defined(), "embedding", "an undefined QuantizedMatrix was given");
  check(index.dtype() == i64, "embedding", "the index is ", index.dtype(), ": indices are i64");
  Shape shape = index.shape();
  shape.push_back(weight.cols());
  const Tensor y = Tensor::empty(shape), entries = contiguous(index);
  detail::compute("embedding", [=] {
    const std::span<const int64_t> rows = entries.span<int64_t>();
    for (const int64_t row : rows)
      check(row >= 0 && row < weight.rows(), "embedding", "index ", row,
            " is out of range: the table has ", weight.rows(), " rows, counted from 0");
    detail::for_rows(
        std::ssize(rows), weight.cols(), detail::kCostlyGrain, [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i)
            weight.write_row(rows[static_cast<size_t>(i)], y.data<float>() + i * weight.cols());
        });
  });
  return y;
}

}  // namespace tarsier
