// Matrix products: matmul and linear.
#include <algorithm>
#include <optional>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/loops/checks.h"
#include "autograd/loops/grain.h"
#include "autograd/loops/strided.h"
#include "autograd/ops.h"
#include "autograd/ops/matmul/gemm.kernel.h"
#include "autograd/ops/matmul/precision.h"
#include "autograd/simd/dispatch.h"
#include "autograd/tensor/compute.h"

namespace tarsier {
namespace {

void check_dtypes(const char* op, const Tensor& a, const Tensor& b, bool or_i64 = false) {
  check(a.defined() && b.defined(), op,
        "an undefined tensor was given: assign the result of an op to it");
  check(a.dtype() == b.dtype(), op, "dtypes ", a.dtype(), " and ", b.dtype(),
        " differ: convert one with to(x, dtype)");
  if (or_i64)
    check(a.dtype() != boolean, op, "dtype ", a.dtype(),
          " where f32, f64 or i64 is needed: convert with to(x, f32)");
  else
    detail::check_floating(a, op);
}

/// The sizes, or strides, before the last two.
Shape leading(const Shape& shape) { return Shape(shape.begin(), shape.end() - 2); }

/// The matrix whose rows are all rows of x: (…, n) → (rows, n).
Tensor as_rows(const Arg& x) {
  const Shape outer(x.shape().begin(), x.shape().end() - 1);
  return reshape(x, {outer.numel(), x.shape().back()});
}

/// The stride from each row of x to the next, over all its leading dimensions, if there is a single
/// one. With it the matrices of a batch are one tall matrix.
std::optional<int64_t> row_stride(const Tensor& x) {
  int64_t stride = 0, rows = 1;
  for (int d = x.dim() - 2; d >= 0; --d) {
    if (x.shape()[d] == 1) continue;
    if (rows == 1) stride = x.strides()[d];
    if (x.strides()[d] != stride * rows) return {};
    rows *= x.shape()[d];
  }
  return stride;
}

/// The offsets of the matrices of x, with its leading sizes stretched to `batch`.
std::vector<int64_t> matrix_offsets(const Tensor& x, const Shape& batch) {
  return detail::all_offsets(
      batch, detail::broadcast_strides(leading(x.shape()), leading(x.strides()), batch));
}

/// y = a · b of integers, row by row. Sums wrap around, as in PyTorch; unsigned, because that is
/// defined.
void multiply_integers(const Tensor& a, const Tensor& b, const Tensor& y, const Shape& batch) {
  const int64_t m = a.size(-2), k = a.size(-1), n = b.size(-1);
  const auto a_offsets = matrix_offsets(a, batch), b_offsets = matrix_offsets(b, batch);
  const int64_t a_row = a.strides()[a.dim() - 2], a_column = a.strides()[a.dim() - 1];
  const int64_t b_row = b.strides()[b.dim() - 2], b_column = b.strides()[b.dim() - 1];
  const int64_t *pa = a.data<int64_t>(), *pb = b.data<int64_t>();
  int64_t* py = y.data<int64_t>();
  const int64_t grain = detail::rows_per_chunk(k * n, detail::kCheapGrain);
  parallel_for(batch.numel() * m, grain, [&](int64_t begin, int64_t end) {
    std::vector<uint64_t> sums(static_cast<size_t>(n));
    for (int64_t row = begin; row < end; ++row) {
      const size_t matrix = static_cast<size_t>(row / m);
      const int64_t* from_a = pa + a_offsets[matrix] + row % m * a_row;
      const int64_t* from_b = pb + b_offsets[matrix];
      std::fill(sums.begin(), sums.end(), 0);
      for (int64_t i = 0; i < k; ++i)
        for (int64_t j = 0; j < n; ++j)
          sums[static_cast<size_t>(j)] += static_cast<uint64_t>(from_a[i * a_column]) *
                                          static_cast<uint64_t>(from_b[i * b_row + j * b_column]);
      for (int64_t j = 0; j < n; ++j)
        py[row * n + j] = static_cast<int64_t>(sums[static_cast<size_t>(j)]);
    }
  });
}

/// a · b + bias, not recorded; both have two dimensions or more, and the sizes fit.
Tensor multiply(const Tensor& a, const Tensor& b, const Tensor& bias, const char* op) {
  const int64_t m = a.size(-2), k = a.size(-1), n = b.size(-1);
  const Shape batch = broadcast_shapes(leading(a.shape()), leading(b.shape()), op);
  Shape shape = batch;
  shape.push_back(m);
  shape.push_back(n);
  Tensor y = Tensor::empty(shape, a.dtype());
  if (y.numel() == 0) return y;
  if (a.dtype() == i64) {
    detail::compute(op, [=] { multiply_integers(a, b, y, batch); });
    return bias.defined() ? Tensor(y + bias) : y;
  }
  detail::compute(op, [=] {
    dispatch_floating(a.dtype(), op, [&]<class T>() {
      kernels::Gemm<T> gemm{.m = m,
                            .n = n,
                            .k = k,
                            .a = a.data<T>(),
                            .a_row = a.strides()[a.dim() - 2],
                            .a_col = a.strides()[a.dim() - 1],
                            .b = b.data<T>(),
                            .b_row = b.strides()[b.dim() - 2],
                            .b_col = b.strides()[b.dim() - 1],
                            .c = y.data<T>(),
                            .c_row = n,
                            .bias = bias.defined() ? bias.data<T>() : nullptr,
                            .precision = matmul_precision()};
      std::vector<int64_t> a_offsets, b_offsets, c_offsets;
      const bool one_b = leading(b.shape()).numel() == 1;
      const std::optional<int64_t> a_row = row_stride(a);
      if (one_b && a_row && leading(a.shape()) == batch) {
        gemm.m = batch.numel() * m;
        gemm.a_row = *a_row;
      } else if (batch.numel() > 1) {
        a_offsets = matrix_offsets(a, batch);
        b_offsets = matrix_offsets(b, batch);
        c_offsets = matrix_offsets(y, batch);
        gemm.batch = batch.numel();
        gemm.a_offsets = a_offsets.data();
        gemm.b_offsets = b_offsets.data();
        gemm.c_offsets = c_offsets.data();
      }
      kernels::active<kernels::GemmKernels<T>>().gemm(gemm);
    });
  });
  return y;
}

}  // namespace

bool matmul_uses_bf16(MatmulPrecision precision) {
  const auto& kernels = kernels::active<kernels::GemmKernels<float>>();
  return kernels.bf16_parts[static_cast<int>(precision)] != 0;
}

/// y = a · b.
///   da = dy · bᵀ
///   db = aᵀ · dy                  saved: a, b
/// If a is stretched over a batch of b, or b over a batch of a, the engine sums the gradients.
/// The common case, one matrix b for all of a, needs no such sum: db is one product over all
/// rows of a and dy.
Tensor matmul(const Arg& a, const Arg& b) {
  check_dtypes("matmul", a, b, /*or_i64=*/true);
  check(a.dim() > 0 && b.dim() > 0, "matmul", "shapes ", a.shape(), " and ", b.shape(),
        ": a scalar is not a matrix; multiply with *");
  const int64_t a_inner = a.size(-1), b_inner = b.size(b.dim() == 1 ? 0 : -2);
  check(a_inner == b_inner, "matmul", "shapes ", a.shape(), " and ", b.shape(),
        " do not multiply: inner sizes ", a_inner, " and ", b_inner, " differ");
  if (a.dim() == 1 || b.dim() == 1) {
    const CallScope here(a.at);
    if (b.dim() == 1) return squeeze(matmul(a, unsqueeze(b, 1)), -1);
    return squeeze(matmul(unsqueeze(a, 0), b), -2);
  }

  Tensor y = multiply(a, b, {}, "matmul");
  return record("matmul", {a, b}, y, Save{a, b}, [](const Saved& saved, const Tensor& dy) -> Grads {
    const Tensor a = saved[0], b = saved[1];
    Tensor da, db;
    if (saved.needs(0)) da = matmul(dy, transpose(b, -2, -1));
    if (saved.needs(1)) {
      const bool one_b = leading(b.shape()).numel() == 1;
      if (one_b && leading(a.shape()) == leading(dy.shape()))
        db = reshape(matmul(transpose(as_rows(a), 0, 1), as_rows(dy)), b.shape());
      else
        db = matmul(transpose(a, -2, -1), dy);
    }
    return {da, db};
  });
}

/// y = x · weightᵀ + bias, over all rows of x at once.
///   dx = dy · weight
///   dweight = dyᵀ · x
///   dbias = Σ_rows dy             saved: x, weight
Tensor linear(const Arg& x, const Arg& weight, const Tensor& bias) {
  check_dtypes("linear", x, weight, /*or_i64=*/true);
  check(weight.dim() == 2, "linear", "weight of shape ", weight.shape(), ": expected (out, in)");
  check(x.dim() > 0 && x.size(-1) == weight.size(1), "linear", "x of shape ", x.shape(),
        " and weight of shape ", weight.shape(), ": expected x (…, ", weight.size(1), ")");
  if (bias.defined()) {
    check(bias.dtype() == x.dtype(), "linear", "bias of ", bias.dtype(), " with x of ", x.dtype(),
          ": convert one with to(x, dtype)");
    check(bias.shape() == Shape{weight.size(0)}, "linear", "bias of shape ", bias.shape(),
          ": expected ", Shape{weight.size(0)}, ", one per row of weight");
  }
  const Tensor rows = x.dim() > 1 ? Tensor(x) : unsqueeze(x.detach(), 0);
  const Tensor weight_t =
      weight.view_as({weight.size(1), weight.size(0)}, {weight.strides()[1], weight.strides()[0]},
                     weight.offset());
  Tensor y = multiply(rows, weight_t, bias.defined() ? contiguous(bias.detach()) : bias, "linear");
  if (x.dim() == 1) y = squeeze(y, 0);
  return record("linear", {x, weight, bias}, y, Save{x, weight},
                [](const Saved& saved, const Tensor& dy) -> Grads {
                  const Tensor x = saved[0], weight = saved[1];
                  Tensor dx, dweight, dbias;
                  const Tensor dy_rows = as_rows(dy);
                  if (saved.needs(0)) dx = matmul(dy, weight);
                  if (saved.needs(1)) dweight = matmul(transpose(dy_rows, 0, 1), as_rows(x));
                  if (saved.needs(2)) dbias = sum(dy_rows, 0);
                  return {dx, dweight, dbias};
                });
}

}  // namespace tarsier
