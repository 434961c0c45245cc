#include "nn/layers/shape.h"

namespace tarsier::nn {

Flatten::Flatten(int64_t start_dim, int64_t end_dim) : start_dim(start_dim), end_dim(end_dim) {}

std::string Flatten::extra_repr() const {
  return concat("start_dim=", start_dim, ", end_dim=", end_dim);
}

Unflatten::Unflatten(int64_t dim, const Shape& unflattened_size)
    : dim(dim), unflattened_size(unflattened_size) {
  check(!unflattened_size.empty(), "unflatten", "no sizes to split dimension ", dim, " into");
}

Tensor Unflatten::forward(const Arg& x) {
  const int d = wrap_dim(dim, x.dim(), "unflatten");
  int64_t known = 1;
  for (const int64_t size : unflattened_size) known *= size == -1 ? 1 : size;
  Shape shape = x.shape();
  shape.erase(d);
  for (int i = 0; i < unflattened_size.size(); ++i) {
    const int64_t size = unflattened_size[i];
    shape.insert(d + i, size == -1 && known > 0 ? x.size(d) / known : size);
  }
  return reshape(x, shape);
}

std::string Unflatten::extra_repr() const {
  return concat("dim=", dim, ", unflattened_size=", unflattened_size);
}

}  // namespace tarsier::nn
