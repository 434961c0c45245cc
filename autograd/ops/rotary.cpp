// Rotary positions.
#include "autograd/ops.h"

namespace tarsier {

Tensor rotary_embedding(const Arg& x, const Tensor& cos, const Tensor& sin, bool interleaved) {
  const int64_t D = x.size(-1);
  const Tensor a = interleaved ? slice(x, -1, 0, D, 2) : slice(x, -1, 0, D / 2);
  const Tensor b = interleaved ? slice(x, -1, 1, D, 2) : slice(x, -1, D / 2, D);
  const Tensor y1 = a * cos - b * sin, y2 = b * cos + a * sin;
  if (interleaved) return flatten(stack({y1, y2}, -1), -2, -1);
  return cat({y1, y2}, -1);
}

}  // namespace tarsier
