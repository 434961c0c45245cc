#pragma once
// A gate that selects the pixels of an image that matter, by a coarser image.

#include <string>

#include "../module.h"
#include "conv.h"

namespace tarsier::nn {

struct AttentionGateResult {
  Tensor output;  ///< with the shape of x
  Tensor alpha;   ///< (N, 1, H, W), in (0, 1): how much each pixel counts
};

/// The additive attention gate of Attention U-Net: y = α · x, where
///   α = upsample(σ(psi(relu(W_x·x + W_g·g)))).
/// x are the features of a skip connection, g is the gating signal from the next coarser level:
/// x (N, x_channels, H, W), g (N, g_channels, H', W') → (N, x_channels, H, W). W_x maps x to the
/// grid of g by a convolution whose kernel is as large as its stride, W_g and psi are 1 × 1
/// convolutions, and upsample is bilinear, to the size of x.
/// Keys: W_x.weight; W_g.weight, W_g.bias; psi.weight, psi.bias. They start as in Conv2d.
/// Throws Error("attention_gate") unless H' = ⌊H / stride⌋, and W' likewise.
/// Source: Oktay et al. 2018, "Attention U-Net: learning where to look for the pancreas".
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
