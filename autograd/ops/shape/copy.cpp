// The ops that only copy.
#include "autograd/loops/copy.h"
#include "autograd/ops.h"

namespace tarsier {

/// y = x.   dx = dy
Tensor contiguous(const Arg& x) {
  if (x.is_contiguous()) return x;
  return record("contiguous", {x}, contiguous_copy(x), Save{},
                [](const Saved&, const Tensor& dy) -> Grads { return {dy}; });
}

/// y = x.   dx = dy
Tensor clone(const Arg& x) {
  return record("clone", {x}, contiguous_copy(x), Save{},
                [](const Saved&, const Tensor& dy) -> Grads { return {dy}; });
}

/// y = x in another dtype.   dx = dy in the dtype of x
Tensor to(const Arg& x, DType dtype) {
  if (dtype == x.dtype()) return x;
  Tensor y = Tensor::empty(x.shape(), dtype);
  copy_elements(x, y);
  if (!is_floating(dtype)) return y;
  return record("to", {x}, y, Save{}, [from = x.dtype()](const Saved&, const Tensor& dy) -> Grads {
    return {to(dy, from)};
  });
}

}  // namespace tarsier
