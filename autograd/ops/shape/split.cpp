// Splitting tensors along one dimension: split, chunk, unbind. The parts are views; their
// gradients come back together, into one buffer.
#include <algorithm>
#include <numeric>
#include <string>

#include "autograd/ops.h"

namespace tarsier {
namespace {

constexpr int64_t kMostEmptyChunks = 1 << 20;

/// "(2, 3)": a list of any length, for error messages.
std::string text_of(const std::vector<int64_t>& numbers) {
  std::string text = "(";
  for (size_t i = 0; i < numbers.size(); ++i) text += (i ? ", " : "") + std::to_string(numbers[i]);
  return text + ")";
}

/// Zeros without memory of their own.
Tensor no_gradient(const Shape& shape, DType dtype) { return expand(zeros({}, dtype), shape); }

/// y₀, y₁, … = the parts of x of these sizes along `dim`, which sum to its size.
///   dx = dy₀, dy₁, … in order, with zeros for unused parts
std::vector<Tensor> parts_of(const Arg& x, int dim, const std::vector<int64_t>& sizes) {
  std::vector<Tensor> parts;
  int64_t start = 0;
  for (const int64_t size : sizes) {
    Shape shape = x.shape();
    shape[dim] = size;
    const int64_t offset = size == 0 ? 0 : start * x.strides()[dim];
    parts.push_back(x.view_as(shape, x.strides(), x.offset() + offset));
    start += size;
  }
  return record_outputs(
      "split", {x}, parts, Save{},
      [dim, sizes, shape = x.shape(), dtype = x.dtype()](const Saved&, const Grads& dys) -> Grads {
        std::vector<Tensor> all = dys;
        for (size_t k = 0; k < all.size(); ++k) {
          if (all[k].defined()) continue;
          Shape missing = shape;
          missing[dim] = sizes[k];
          all[k] = no_gradient(missing, dtype);
        }
        return {cat(all, dim)};
      });
}

}  // namespace

std::vector<Tensor> split(const Arg& x, int64_t size, int64_t dim) {
  const int d = wrap_dim(dim, x.dim(), "split");
  check(size >= 1, "split", "pieces of size ", size, ": 1 or more is needed");
  std::vector<int64_t> sizes;
  // One piece even if there is nothing to split, as in PyTorch.
  for (int64_t left = x.shape()[d]; sizes.empty() || left > 0; left -= sizes.back())
    sizes.push_back(std::min(size, left));
  return parts_of(x, d, sizes);
}

std::vector<Tensor> split(const Arg& x, const std::vector<int64_t>& sizes, int64_t dim) {
  const int d = wrap_dim(dim, x.dim(), "split");
  int64_t left = x.shape()[d];
  bool fits = !sizes.empty();
  for (int64_t size : sizes) {
    fits = fits && size >= 0 && size <= left;
    if (fits) left -= size;
  }
  check(fits && left == 0, "split", "sizes ", text_of(sizes), " must be 0 or more and sum to ",
        x.shape()[d], ", the size of dimension ", d, " in shape ", x.shape());
  return parts_of(x, d, sizes);
}

std::vector<Tensor> chunk(const Arg& x, int64_t chunks, int64_t dim) {
  const int d = wrap_dim(dim, x.dim(), "chunk");
  check(chunks >= 1, "chunk", chunks, " chunks: 1 or more is needed");
  // An empty dimension gives `chunks` empty ones, as in PyTorch.
  if (x.shape()[d] == 0) {
    check(chunks <= kMostEmptyChunks, "chunk", chunks, " chunks of dimension ", d, " in shape ",
          x.shape(), ", which is empty: use ", kMostEmptyChunks, " at most");
    return parts_of(x, d, std::vector<int64_t>(static_cast<size_t>(chunks), 0));
  }
  const int64_t size = x.shape()[d] / chunks + (x.shape()[d] % chunks != 0);
  return split(x, size, d);
}

/// yₖ = x[…, k, …].   dx = dy₀, dy₁, … stacked, with zeros for unused ones
std::vector<Tensor> unbind(const Arg& x, int64_t dim) {
  const int d = wrap_dim(dim, x.dim(), "unbind");
  Shape shape = x.shape(), strides = x.strides();
  shape.erase(d);
  strides.erase(d);
  std::vector<Tensor> parts;
  for (int64_t k = 0; k < x.shape()[d]; ++k)
    parts.push_back(x.view_as(shape, strides, x.offset() + k * x.strides()[d]));
  return record_outputs("unbind", {x}, parts, Save{},
                        [d, shape, dtype = x.dtype()](const Saved&, const Grads& dys) -> Grads {
                          std::vector<Tensor> all = dys;
                          for (Tensor& dy : all)
                            if (!dy.defined()) dy = no_gradient(shape, dtype);
                          return {stack(all, d)};
                        });
}

}  // namespace tarsier
