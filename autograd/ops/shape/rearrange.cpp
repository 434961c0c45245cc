// Rearranging elements: flip, roll, repeat, tile, repeat_interleave; and triangles of a matrix.
#include <algorithm>
#include <utility>

#include "autograd/base/parallel.h"
#include "autograd/loops/copy.h"
#include "autograd/ops.h"

namespace tarsier {
namespace {

/// The elements at (r, c) of the last two dimensions with low ≤ c − r ≤ high; zeros elsewhere.
Tensor band(const Tensor& x, int64_t low, int64_t high) {
  const Tensor from = contiguous_elements(x);
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  if (x.numel() == 0) return y;
  const int64_t rows = x.size(-2), columns = x.size(-1);
  const int64_t grain = std::max<int64_t>(1, 16384 / columns);
  dispatch_all(x.dtype(), [&]<class T>() {
    const T* in = from.data<T>();
    T* out = y.data<T>();
    parallel_for(x.numel() / columns, grain, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t r = row % rows;
        // low and high may be anything: compared first, so that r + low cannot overflow.
        const int64_t first = low <= -r ? 0 : low >= columns - r ? columns : r + low;
        const int64_t last = high < -r ? 0 : high >= columns - r - 1 ? columns : r + high + 1;
        const T* a = in + row * columns;
        T* b = out + row * columns;
        std::fill(b, b + first, T(0));
        if (first < last) std::copy(a + first, a + last, b + first);
        std::fill(b + std::max(first, last), b + columns, T(0));
      }
    });
  });
  return y;
}

constexpr int64_t kNoLimit = int64_t{1} << 62;

}  // namespace

/// y[…, i, …] = x[…, n − 1 − i, …].   dx = dy flipped
Tensor flip(const Arg& x, const Axes& dims) {
  // With negative strides from the last element on, the view is already flipped.
  Strides strides = x.strides();
  int64_t offset = x.offset();
  std::vector<bool> flipped(static_cast<size_t>(x.dim()), false);
  for (int64_t dim : dims) {
    const int d = wrap_dim(dim, x.dim(), "flip");
    check(!flipped[static_cast<size_t>(d)], "flip", "dimension ", d, " is named twice in ", dims);
    flipped[static_cast<size_t>(d)] = true;
    if (x.numel() > 0) offset += (x.shape()[d] - 1) * strides[d];
    strides[d] = -strides[d];
  }
  return record("flip", {x}, contiguous_copy(x.view_as(x.shape(), strides, offset)), Save{},
                [dims](const Saved&, const Tensor& dy) -> Grads { return {flip(dy, dims)}; });
}

/// y[…, (i + shift) mod n, …] = x[…, i, …].   dx = dy rolled back
Tensor roll(const Arg& x, int64_t shift, int64_t dim) {
  const int d = wrap_dim(dim, x.dim(), "roll");
  const int64_t n = x.shape()[d];
  const int64_t by = n == 0 ? 0 : (shift % n + n) % n;
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  const auto move = [&](int64_t from, int64_t to, int64_t count) {
    if (x.numel() == 0 || count == 0) return;
    Shape shape = x.shape();
    shape[d] = count;
    copy_elements(x.view_as(shape, x.strides(), x.offset() + from * x.strides()[d]),
                  y.view_as(shape, y.strides(), to * y.strides()[d]));
  };
  move(0, by, n - by);
  move(n - by, 0, by);
  return record("roll", {x}, y, Save{},
                [by, d](const Saved&, const Tensor& dy) -> Grads { return {roll(dy, -by, d)}; });
}

/// Composed of reshape, expand and contiguous, which have gradients. Always a copy, as in PyTorch.
Tensor repeat(const Arg& x, const Shape& repeats) {
  const CallScope here(x.at);
  const int lead = repeats.size() - x.dim();
  check(lead >= 0, "repeat", "repeats ", repeats, " for a tensor of shape ", x.shape(),
        ": one for every dimension, and more for new leading ones");
  Shape shape = Shape::filled(lead, 1);
  for (int64_t size : x.shape()) shape.push_back(size);
  Tensor y = reshape(x, shape);
  bool copied = false;
  for (int d = repeats.size() - 1; d >= 0; --d) {
    const int64_t count = repeats[d];
    check(count >= 0, "repeat", "repeats ", repeats, ": ", count, " is negative");
    if (count == 1) continue;
    int64_t size = 0;
    check(!__builtin_mul_overflow(shape[d], count, &size), "repeat", "repeats ", repeats,
          " of shape ", x.shape(), " make a size that 64 bits cannot count");
    // (outer, 1, block) → (outer, count, block): the block from dimension d on, count times.
    int64_t outer = 1, block = 1;
    for (int i = 0; i < repeats.size(); ++i) (i < d ? outer : block) *= shape[i];
    y = reshape(y, {outer, 1, block});
    y = contiguous(expand(y, {outer, count, block}));
    shape[d] = size;
    y = reshape(y, shape);
    copied = true;
  }
  return copied ? y : clone(y);
}

Tensor tile(const Arg& x, const Shape& repeats) {
  Shape all = Shape::filled(std::max(x.dim() - repeats.size(), 0), 1);
  for (const int64_t count : repeats) all.push_back(count);
  return repeat(x, all);
}

/// Composed of expand and contiguous, which have gradients. Always a copy.
Tensor repeat_interleave(const Arg& x, int64_t repeats, std::optional<int64_t> dim) {
  const CallScope here(x.at);
  check(repeats >= 0, "repeat_interleave", repeats, " repeats: 0 or more is needed");
  if (!dim) return repeat_interleave(flatten(x), repeats, 0);
  const int d = wrap_dim(*dim, x.dim(), "repeat_interleave");
  if (repeats == 1) return clone(x);
  Shape shape = x.shape();
  shape.insert(d + 1, repeats);
  return flatten(contiguous(expand(unsqueeze(x, d + 1), shape)), d, d + 1);
}

/// Composed of index_select, which has a gradient.
Tensor repeat_interleave(const Arg& x, const Tensor& repeats, std::optional<int64_t> dim) {
  const CallScope here(x.at);
  if (!dim) return repeat_interleave(flatten(x), repeats, 0);
  const int d = wrap_dim(*dim, x.dim(), "repeat_interleave");
  const int64_t n = x.shape()[d];
  check(repeats.dtype() == i64, "repeat_interleave", "repeats are ", repeats.dtype(),
        ": i64 is needed");
  check(repeats.dim() <= 1 && (repeats.numel() == n || repeats.numel() == 1), "repeat_interleave",
        "repeats of shape ", repeats.shape(), " for dimension ", d, " of shape ", x.shape(),
        ": one number is needed, or ", n);
  const std::vector<int64_t> counts = repeats.to_vector<int64_t>();
  int64_t total = 0;
  for (const int64_t count : counts) {
    check(count >= 0, "repeat_interleave", count, " repeats: 0 or more are needed");
    check(!__builtin_add_overflow(total, count, &total), "repeat_interleave",
          "more repeats than 64 bits can count");
  }
  if (repeats.numel() == 1) return repeat_interleave(x, counts[0], d);
  const Tensor index = Tensor::empty({total}, i64);
  int64_t* next = index.data<int64_t>();
  for (size_t i = 0; i < counts.size(); ++i)
    next = std::fill_n(next, counts[i], static_cast<int64_t>(i));
  return index_select(x, d, index);
}

/// y[…, r, c] = x[…, r, c] where c − r ≤ diagonal, else 0.   dx = tril(dy)
Tensor tril(const Arg& x, int64_t diagonal) {
  check(x.dim() >= 2, "tril", "shape ", x.shape(), ": a matrix, or a batch of them, is needed");
  return record(
      "tril", {x}, band(x, -kNoLimit, diagonal), Save{},
      [diagonal](const Saved&, const Tensor& dy) -> Grads { return {tril(dy, diagonal)}; });
}

/// y[…, r, c] = x[…, r, c] where c − r ≥ diagonal, else 0.   dx = triu(dy)
Tensor triu(const Arg& x, int64_t diagonal) {
  check(x.dim() >= 2, "triu", "shape ", x.shape(), ": a matrix, or a batch of them, is needed");
  return record(
      "triu", {x}, band(x, diagonal, kNoLimit), Save{},
      [diagonal](const Saved&, const Tensor& dy) -> Grads { return {triu(dy, diagonal)}; });
}

}  // namespace tarsier
