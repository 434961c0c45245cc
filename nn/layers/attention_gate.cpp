#include "nn/layers/attention_gate.h"

namespace tarsier::nn {

AttentionGate::AttentionGate(int64_t x_channels, int64_t g_channels, int64_t inter_channels,
                             Pair stride)
    : W_x(x_channels, inter_channels, stride, {.stride = stride}, false),
      W_g(g_channels, inter_channels, 1),
      psi(inter_channels, 1, 1) {
  register_module("W_x", W_x);
  register_module("W_g", W_g);
  register_module("psi", psi);
}

AttentionGateResult AttentionGate::gate(const Arg& x, const Arg& g) {
  const CallScope here(x.at);
  const Pair stride = W_x.options.stride;
  const int64_t x_channels = W_x.weight.size(1), g_channels = W_g.weight.size(1);
  check(x.dim() == 4 && g.dim() == 4 && x.size(1) == x_channels && g.size(1) == g_channels &&
            x.size(0) == g.size(0),
        "attention_gate", "x ", x.shape(), " and g ", g.shape(), ": expected (batch, ", x_channels,
        ", height, width) and (batch, ", g_channels, ", height', width')");
  const int64_t H = x.size(2) / stride.h, W = x.size(3) / stride.w;
  check(g.size(2) == H && g.size(3) == W, "attention_gate", "x ", x.shape(), " and g ", g.shape(),
        ": with a stride of (", stride.h, ", ", stride.w, "), g must have height ", H,
        " and width ", W, "; another stride fits other sizes, and interpolate() changes g's");

  const Tensor scores = psi(relu(W_x(x) + W_g(g)));
  const Tensor alpha =
      interpolate(sigmoid(scores), {.size = Pair(x.size(2), x.size(3)), .mode = "bilinear"});
  return {alpha * x, alpha};
}

}  // namespace tarsier::nn
