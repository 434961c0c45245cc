#pragma once
// Rotary positions of Llama's family: by which angles queries and keys turn, also for texts longer
// than those of the training. The names are transformers' rope_type and its parameters.
//
//   plain     θ_i = theta^{−2i/D}, i = 0 … D/2 − 1, the angle of a step from one token to the next
//   linear    θ_i / factor (Chen et al. 2023, "position interpolation")
//   dynamic   a larger theta for texts longer than `longest` (bloc97 2023, "NTK-aware scaling")
//   yarn      slow pairs as linear, fast ones plain, a ramp between (Peng et al. 2023, "YaRN");
//             cos and sin times attention_factor
//   llama3    the same with other borders (Dubey et al. 2024, "The Llama 3 herd of models")
// Source: https://huggingface.co/docs/transformers/main/en/internal/rope_utils

#include <cstdint>
#include <optional>
#include <vector>

#include "../../autograd/tensor/tensor.h"

namespace tarsier::zoo::llama {

struct Rope {
  enum class Kind { plain, linear, dynamic, yarn, llama3 };
  Kind kind = Kind::plain;
  double theta = 10000;
  double factor = 1;       ///< how many times longer texts become
  double longest = 2048;   ///< max_position_embeddings
  double original = 2048;  ///< original_max_position_embeddings: tokens of the training
  double low_freq_factor = 1, high_freq_factor = 4;  ///< llama3: turns in `original` tokens
  double beta_fast = 32, beta_slow = 1;              ///< yarn: the same
  bool truncate = true;                              ///< yarn: the ramp begins and ends at a pair
  std::optional<double> attention_factor = {};       ///< yarn; otherwise from the next, or factor
  double mscale = 0, mscale_all_dim = 0;             ///< yarn; 0: not given
};

/// θ_i for heads of size `head_dim`, in a text of `length` tokens: D/2 angles.
std::vector<double> rope_frequencies(const Rope& rope, int64_t head_dim, int64_t length);
/// What cos and sin are multiplied by.
double rope_scale(const Rope& rope);

/// cos and sin of p · θ_i for positions p = offset … offset + T − 1, times rope_scale: (T, D/2).
struct Rotation {
  Tensor cos, sin;
};
Rotation rotation(const Rope& rope, int64_t head_dim, int64_t T, int64_t offset, DType dtype);

}  // namespace tarsier::zoo::llama
