#include "autograd/ops/loss/logits.h"

#include "autograd/base/parallel.h"
#include "autograd/loops/copy.h"
#include "autograd/loops/grain.h"
#include "autograd/ops/loss/loss.kernel.h"
#include "autograd/simd/dispatch.h"
#include "autograd/tensor/compute.h"

namespace tarsier::detail {

namespace {

constexpr const char* kName = "binary_cross_entropy_with_logits";

/// dy · (σ(x) − t), not recorded.
Tensor logits_loss_grad(const Tensor& x_any, const Tensor& t_any, const Tensor& dy_any) {
  const Tensor x = contiguous_elements(x_any), t = contiguous_elements(t_any),
               dy = contiguous_elements(dy_any);
  Tensor dx = Tensor::empty(x.shape(), x.dtype());
  compute(kName, [=] {
    dispatch_floating(x.dtype(), kName, [&]<class T>() {
      const auto kernel = kernels::active<kernels::LossKernels<T>>().logits_grad;
      const T *px = x.data<T>(), *pt = t.data<T>(), *pdy = dy.data<T>();
      T* pdx = dx.data<T>();
      parallel_for(x.numel(), kCostlyGrain, [=](int64_t begin, int64_t end) {
        kernel(end - begin, px + begin, pt + begin, pdy + begin, pdx + begin);
      });
    });
  });
  return dx;
}

}  // namespace

/// y = t · log(1 + e⁻ˣ) + (1 − t) · log(1 + eˣ).
///   dx = dy · ((1 − t) · σ(x) − t · σ(−x))     dt = −dy · x     saved: x, t
Tensor logits_loss(const Arg& x_any, const Arg& t_any) {
  const Tensor x = contiguous_elements(x_any), t = contiguous_elements(t_any);
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  compute(kName, [=] {
    dispatch_floating(x.dtype(), kName, [&]<class T>() {
      const auto kernel = kernels::active<kernels::LossKernels<T>>().logits;
      const T *px = x.data<T>(), *pt = t.data<T>();
      T* py = y.data<T>();
      parallel_for(x.numel(), kCostlyGrain, [=](int64_t begin, int64_t end) {
        kernel(end - begin, px + begin, pt + begin, py + begin);
      });
    });
  });
  return record(kName, {x_any, t_any}, y, Save{x_any, t_any},
                [](const Saved& saved, const Tensor& dy) -> Grads {
                  const Tensor x = saved[0], t = saved[1];
                  Grads grads(2);
                  if (saved.needs(0))
                    grads[0] = grad_enabled() ? dy * ((1 - t) * sigmoid(x) - t * sigmoid(-x))
                                              : logits_loss_grad(x, t, dy);
                  if (saved.needs(1)) grads[1] = -dy * x;
                  return grads;
                });
}

}  // namespace tarsier::detail
