#include "autograd/ops/norm/channels.h"

#include "autograd/loops/copy.h"
#include "autograd/loops/grain.h"
#include "autograd/ops/norm/norm.kernel.h"
#include "autograd/simd/dispatch.h"
#include "autograd/tensor/compute.h"

namespace tarsier::detail {

namespace {

/// The channels of a batch: N·C planes of n adjacent elements.
struct Planes {
  explicit Planes(const Tensor& any)
      : x(adjacent(any) ? any : contiguous_elements(any)),
        channels(x.size(1)),
        planes(x.size(0) * channels),
        n(planes == 0 ? 0 : x.numel() / planes) {}

  template <class T>
  const T* plane(int64_t i) const {
    return x.data<T>() + i / channels * x.strides()[0] + i % channels * x.strides()[1];
  }

  Tensor x;
  int64_t channels, planes, n;

 private:
  static bool adjacent(const Tensor& x) {
    int64_t step = 1;
    for (int d = x.dim() - 1; d >= 2; step *= x.shape()[d--])
      if (x.strides()[d] != step && x.shape()[d] != 1) return false;
    return true;
  }
};

Grads channel_affine_grad(const Saved& saved, const Tensor& dy_any) {
  const Planes in(saved[0]), dy(dy_any);
  const Tensor weight = contiguous_elements(saved[1]);
  Tensor dx = saved.needs(0) ? Tensor::empty(in.x.shape(), in.x.dtype()) : Tensor();
  // Each plane has sums of its own, which are added image by image.
  const Tensor dw = Tensor::empty({in.x.size(0), in.channels}, in.x.dtype());
  const Tensor db = Tensor::empty(dw.shape(), dw.dtype());
  compute("channel_affine", [=] {
    dispatch_floating(in.x.dtype(), "channel_affine", [&]<class T>() {
      const auto kernel = kernels::active<kernels::NormKernels<T>>().affine_grad;
      for_rows(in.planes, in.n, kMiddleGrain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
          kernel(in.n, in.plane<T>(i), weight.data<T>()[i % in.channels], dy.plane<T>(i),
                 dx.defined() ? dx.data<T>() + i * in.n : nullptr, dw.data<T>() + i,
                 db.data<T>() + i);
      });
    });
  });
  return {dx, saved.needs(1) ? sum(dw, 0) : Tensor(), saved.needs(2) ? sum(db, 0) : Tensor()};
}

}  // namespace

Tensor per_channel(const Tensor& x, int dims) {
  Shape shape = Shape::filled(dims - 1, 1);
  shape[0] = x.numel();
  return reshape(x, shape);
}

/// y = x · w + b, with w and b of the channel.
///   dx = dy · w   dw = Σ dy · x   db = Σ dy       saved: x, w
Tensor channel_affine(const Arg& x, const Arg& weight, const Arg& bias) {
  const Planes in(x);
  const Tensor w = contiguous_elements(weight), b = contiguous_elements(bias);
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  compute("channel_affine", [=] {
    dispatch_floating(y.dtype(), "channel_affine", [&]<class T>() {
      const auto kernel = kernels::active<kernels::NormKernels<T>>().affine;
      for_rows(in.planes, in.n, kCheapGrain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
          kernel(in.n, in.plane<T>(i), w.data<T>()[i % in.channels], b.data<T>()[i % in.channels],
                 y.data<T>() + i * in.n);
      });
    });
  });
  return record(
      "channel_affine", {x, weight, bias}, y, Save{x, weight},
      [](const Saved& saved, const Tensor& dy) -> Grads {
        if (!grad_enabled()) return channel_affine_grad(saved, dy);
        const Tensor x = saved[0];
        Axes others = {0};
        for (int d = 2; d < x.dim(); ++d) others.push_back(d);
        return {dy * per_channel(saved[1], x.dim()), sum(dy * x, others), sum(dy, others)};
      });
}

}  // namespace tarsier::detail
