#pragma once
// What a decoder of any family does for text: the next token.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../../autograd/tensor/tensor.h"
#include "../../nn/module.h"
#include "../gpt/sampling.h"

namespace tarsier::zoo::hub {

/// A GPT-2 or a Llama.
class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual nn::Module& module() = 0;
  virtual int64_t vocab_size() const = 0;
  /// How many tokens it sees at most.
  virtual int64_t window() const = 0;
  /// "12 layers, 12 heads, 768 wide: 124,439,808 parameters".
  virtual std::string sizes() = 0;

  /// (B, T) i64 → (B, T, V).
  virtual Tensor logits(const Tensor& index) = 0;
  /// The logits of the next token, (1, V), after index (1, T), which follows what came since
  /// forget().
  virtual Tensor next_logits(const Tensor& index) = 0;
  virtual void forget() = 0;
};

/// The model in a folder of transformers.
std::unique_ptr<Decoder> load_decoder(const std::string& folder, const std::string& type);

/// Continues `prompt` (not empty) by up to `count` tokens: emit(token) until it returns false. At the
/// end of the window the last half of it is read again, and the text goes on from there.
void continue_tokens(Decoder& decoder, const std::vector<int32_t>& prompt, int64_t count,
                     const gpt::Sampling& sampling, const std::function<bool(int32_t)>& emit);

}  // namespace tarsier::zoo::hub
