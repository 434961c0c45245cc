// Dropout (Srivastava et al. 2014), scaled in training so that evaluation needs nothing.
#include "autograd/loops/checks.h"
#include "autograd/loops/copy.h"
#include "autograd/loops/elementwise.h"
#include "autograd/loops/random.kernel.h"
#include "autograd/ops.h"
#include "autograd/simd/dispatch.h"
#include "autograd/tape/capture.h"
#include "autograd/tensor/compute.h"

namespace tarsier {
namespace {

void check_probability(double p) {
  check(p >= 0 && p <= 1, "dropout", "probability ", p, ": use 0 to 1");
}

/// 1 / (1 − p), the factor of the remaining elements; none remain for p = 1.
double scale_of(double p) { return p < 1 ? 1 / (1 - p) : 0; }

/// y = m · x with m_i = 0 where uniform<float>(key, i) < p, otherwise 1 / (1 − p).   dx = m · dy
/// The mask does not depend on the dtype: a check in f64 computes what f32 computes. The op is its
/// own backward: `key` recomputes the same mask, so that none is stored.
Tensor dropout_with(const Arg& x, double p, RandomKey key) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  const Tensor in_order = contiguous_elements(x);
  detail::compute("dropout", [=] {
    const RandomKey now = detail::current_key(key);
    dispatch_floating(y.dtype(), "dropout", [&]<class T>() {
      const T* px = in_order.data<T>();
      T* py = y.data<T>();
      parallel_for(y.numel(), detail::kCostlyGrain, [=](int64_t begin, int64_t end) {
        kernels::active<kernels::RandomKernels<T>>().dropout(
            now, static_cast<uint64_t>(begin), end - begin, static_cast<float>(p),
            static_cast<T>(scale_of(p)), px + begin, py + begin);
      });
    });
  });
  return record("dropout", {x}, y, Save{}, [p, key](const Saved&, const Tensor& dy) -> Grads {
    return {dropout_with(dy, p, key)};
  });
}

}  // namespace

Tensor dropout(const Arg& x, double p, bool training, Generator& generator) {
  check_probability(p);
  detail::check_floating(x, "dropout");
  if (!training || p == 0) return x;
  return dropout_with(x, p, detail::draw(generator));
}

Tensor dropout_reference(const Arg& x, double p, RandomKey key) {
  check_probability(p);
  const float threshold = static_cast<float>(p);
  Tensor dropped = Tensor::empty(x.shape(), boolean);
  for (int64_t i = 0; i < dropped.numel(); ++i)
    dropped.data<bool>()[i] = uniform<float>(key, static_cast<uint64_t>(i)) < threshold;
  return where(dropped, 0.0, x * scale_of(p));
}

}  // namespace tarsier
