#pragma once
// The sizes of the Transformers in these tests.

#include "nn/layers/transformer.h"

namespace tarsier {

inline constexpr int64_t kC = 6, kH = 2, kF = 7;  // as in make_transformer.py

/// The options of the recorded layers: small, and without dropout.
inline nn::TransformerLayerOptions small(nn::TransformerLayerOptions options = {}) {
  options.dim_feedforward = kF;
  options.dropout = 0;
  return options;
}

}  // namespace tarsier
