#pragma once
// Which pixels of an image matter, told by a coarser one.

#include <string>

#include "../module.h"
#include "conv.h"

namespace tarsier::nn {

struct AttentionGateResult {
  Tensor output;  ///< shaped as x
  Tensor alpha;   ///< (N, 1, H, W), in (0, 1): a picture of where the gate looks
};

/// The additive attention gate of Attention U-Net: y = α · x, where
///   α = upsample(σ(psi(relu(W_x·x + W_g·g)))).
/// x are the features of a skip connection, g the gating signal from the coarser level below:
/// x (N, x_channels, H, W), g (N, g_channels, H', W') → (N, x_channels, H, W). W_x takes x to the
/// grid of g by a convolution whose kernel is as large as its stride, W_g and psi look at one pixel
/// each, and upsample is bilinear, to the size of x.
/// Keys: W_x.weight; W_g.weight, W_g.bias; psi.weight, psi.bias. Starts as Conv2d.
/// Throws Error("attention_gate") where the sizes of x and g do not fit together: H' = ⌊H /
/// stride⌋, W' likewise. Source: Oktay et al. 2018, "Attention U-Net: learning where to look for
/// the pancreas".
struct AttentionGate : Layer<AttentionGate> {
  Conv2d W_x;  ///< (inter_channels, x_channels, stride, stride), without bias
  Conv2d W_g;  ///< (inter_channels, g_channels, 1, 1)
  Conv2d psi;  ///< (1, inter_channels, 1, 1)

  AttentionGate(int64_t x_channels, int64_t g_channels, int64_t inter_channels, Pair stride = 2);

  Tensor forward(const Arg& x, const Arg& g) { return gate(x, g).output; }
  /// The same, with α.
  AttentionGateResult with_alpha(const Arg& x, const Arg& g) {
    return scoped([&] { return gate(x, g); });
  }

 private:
  AttentionGateResult gate(const Arg& x, const Arg& g);
};

}  // namespace tarsier::nn
