#pragma once
// The sizes of a GPT, and which parts it is made of. The defaults are nanoGPT's for a CPU.

#include <string>

#include "../../nn/layers/activation.h"
#include "../../nn/layers/lora.h"
#include "../../nn/layers/position.h"

namespace tarsier::zoo::gpt {

struct Config {
  int64_t vocab_size = 65;  ///< V
  int64_t block_size = 64;  ///< how many tokens a position sees at most, including itself
  int64_t n_layer = 4;
  int64_t n_head = 4;    ///< H
  int64_t n_embd = 128;  ///< C
  double dropout = 0;
  /// Biases in linear layers and layer norms. GPT-2 has them; without them training is faster.
  bool bias = false;
  nn::Activation activation = "gelu";  ///< in the MLP; GPT-2 has "gelu_tanh"
  double layer_norm_eps = 1e-5;
  bool tied = true;  ///< one matrix as token embedding and as output layer
  /// How positions are encoded (nn/layers/position.h). With rotary and alibi only distances count,
  /// so that a text may be of any length: the window of block_size tokens moves along it.
  nn::PositionKind position = nn::PositionKind::learned;
  bool rms_norm = false;      ///< RMSNorm in place of layer norm
  bool qk_norm = false;       ///< normalise queries and keys, which stabilises large learning rates
  bool swiglu = false;        ///< silu(x·W)·(x·V) in the MLP in place of activation(x·W)
  bool quiet_start = false;   ///< blocks start by adding next to nothing
  bool checkpoint = false;    ///< all blocks but the last are computed again in backward
  nn::LoraOptions lora = {};  ///< adapters; with a rank above 0 nothing else is trained
  /// The maps that have an adapter, commas between: of c_attn, c_proj (of both) and c_fc.
  std::string lora_targets = "c_attn";

  /// The width of the MLP: 4·C; with SwiGLU 8/3·C, rounded up to a multiple of 16, for about the
  /// same number of weights.
  int64_t mlp_width() const { return swiglu ? (8 * n_embd / 3 + 15) / 16 * 16 : 4 * n_embd; }
  /// The adapter of a map.
  nn::LoraOptions lora_of(const std::string& map) const {
    const bool has_one = ("," + lora_targets + ",").find("," + map + ",") != std::string::npos;
    return has_one ? lora : nn::LoraOptions{};
  }
  /// Whether only distances count, so that a text may be of any length.
  bool is_relative() const {
    return position == nn::PositionKind::rotary || position == nn::PositionKind::alibi;
  }
};

}  // namespace tarsier::zoo::gpt
