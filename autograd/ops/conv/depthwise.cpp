#include "autograd/ops/conv/depthwise.h"

#include <algorithm>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/loops/grain.h"
#include "autograd/ops/conv/depthwise.kernel.h"
#include "autograd/simd/dispatch.h"

namespace tarsier::detail {

namespace {

/// A channel (h, w) with zeros around it, in memory that the next one uses again.
template <class T>
class Padded {
 public:
  Padded(int64_t h, int64_t w, int64_t above, int64_t left)
      : h_(h), w_(w), above_(above), left_(left), row_(w + 2 * left) {
    elements_.assign(static_cast<size_t>((h + 2 * above) * row_), T(0));
  }
  const T* of(const T* channel) {
    if (above_ == 0 && left_ == 0) return channel;
    for (int64_t i = 0; i < h_; ++i)
      std::copy_n(channel + i * w_, w_, elements_.data() + (above_ + i) * row_ + left_);
    return elements_.data();
  }
  int64_t row() const { return row_; }

 private:
  int64_t h_, w_, above_, left_, row_;
  std::vector<T> elements_;
};

kernels::Channel channel_of(const Windows2d& at, int64_t rows, int64_t columns, int64_t row) {
  return {rows, columns, at.h.kernel, at.w.kernel, at.h.dilation, at.w.dilation, row};
}

/// The zeros around y whose windows, with the filter turned around, give x.
int64_t opposite_padding(const Windows& w) { return w.dilation * (w.kernel - 1) - w.padding; }

/// How many channels of an image make a chunk: each has work for every element of its windows.
int64_t channels_per_chunk(const Windows2d& at) {
  return rows_per_chunk(at.h.out * at.w.out * at.h.kernel * at.w.kernel, kCheapGrain);
}

/// Each channel of x, with `zeros` rows and columns of zeros around it, times its filter: windows of
/// stride 1, as many as `out` says.
Tensor filtered(const Windows2d& at, const Tensor& x, const Tensor& filters, Pair zeros, Pair out) {
  const int64_t channels = x.size(1), taps = at.h.kernel * at.w.kernel;
  const int64_t pixels = x.size(2) * x.size(3), results = out.h * out.w;
  Tensor y = Tensor::empty({x.size(0), channels, out.h, out.w}, x.dtype());
  dispatch_floating(x.dtype(), "conv2d", [&]<class T>() {
    const auto apply = kernels::active<kernels::DepthwiseKernels<T>>().apply;
    parallel_for(x.size(0) * channels, channels_per_chunk(at), [&](int64_t begin, int64_t end) {
      Padded<T> padded(x.size(2), x.size(3), zeros.h, zeros.w);
      const kernels::Channel channel = channel_of(at, out.h, out.w, padded.row());
      for (int64_t c = begin; c < end; ++c)
        apply(channel, padded.of(x.data<T>() + c * pixels), filters.data<T>() + c % channels * taps,
              y.data<T>() + c * results);
    });
  });
  return y;
}

}  // namespace

bool is_depthwise(const Windows2d& at) {
  constexpr int64_t kMost = 128;  // added one after another
  const int64_t elements = at.h.kernel * at.w.kernel;
  return at.h.stride == 1 && at.w.stride == 1 && elements > 1 && elements <= kMost &&
         opposite_padding(at.h) >= 0 && opposite_padding(at.w) >= 0;
}

Tensor depthwise(const Windows2d& at, const Tensor& x, const Tensor& weight) {
  return filtered(at, x, weight, {at.h.padding, at.w.padding}, {at.h.out, at.w.out});
}

/// x[i, j] = Σ w[p, q] · y[i − p·dilation + padding, …]: the same with the filter turned around.
Tensor depthwise_transposed(const Windows2d& at, const Tensor& y, const Tensor& weight) {
  const Tensor turned = Tensor::empty(weight.shape(), weight.dtype());
  const int64_t taps = at.h.kernel * at.w.kernel;
  dispatch_floating(weight.dtype(), "conv2d", [&]<class T>() {
    for (int64_t first = 0; first < weight.numel(); first += taps)
      std::reverse_copy(weight.data<T>() + first, weight.data<T>() + first + taps,
                        turned.data<T>() + first);
  });
  return filtered(at, y, turned, {opposite_padding(at.h), opposite_padding(at.w)},
                  {at.h.in, at.w.in});
}

Tensor depthwise_weight(const Windows2d& at, const Tensor& x, const Tensor& y) {
  const int64_t channels = x.size(1), taps = at.h.kernel * at.w.kernel;
  const int64_t pixels = at.h.in * at.w.in, results = at.h.out * at.w.out;
  Tensor dweight = Tensor::empty({channels, 1, at.h.kernel, at.w.kernel}, x.dtype());
  dispatch_floating(x.dtype(), "conv2d", [&]<class T>() {
    const auto weight_grad = kernels::active<kernels::DepthwiseKernels<T>>().weight_grad;
    parallel_for(channels, channels_per_chunk(at), [&](int64_t begin, int64_t end) {
      Padded<T> padded(at.h.in, at.w.in, at.h.padding, at.w.padding);
      const kernels::Channel channel = channel_of(at, at.h.out, at.w.out, padded.row());
      for (int64_t c = begin; c < end; ++c) {
        T* dw = dweight.data<T>() + c * taps;
        std::fill_n(dw, taps, T(0));
        for (int64_t at_channel = c; at_channel < x.size(0) * channels; at_channel += channels)
          weight_grad(channel, padded.of(x.data<T>() + at_channel * pixels),
                      y.data<T>() + at_channel * results, dw);
      }
    });
  });
  return dweight;
}

}  // namespace tarsier::detail
