#include "zoo/speech/model.h"

#include "nn/init.h"

namespace tarsier::zoo::speech {

namespace {

/// The config, if its sizes fit together.
const Config& checked(const Config& config) {
  for (const int64_t size : {config.tokens, config.mels, config.channels, config.width,
                             config.layers, config.heads, config.mlp_width})
    check(size > 0, "speech", "a size is ", size, ": all must be positive");
  check(config.width % config.heads == 0, "speech", "heads=", config.heads,
        " does not divide width=", config.width,
        ": every head gets an equal share of the width; take another number of heads or width");
  return config;
}

/// (B, T) bool: whether frame t is after the end of recording b.
Tensor after_end(const Tensor& lengths, int64_t frames) {
  return unsqueeze(arange(frames), 0) >= unsqueeze(lengths, 1);
}

/// What a convolution with stride 2 makes of these lengths.
Tensor halved(const Tensor& lengths) {
  std::vector<int64_t> out = lengths.to_vector<int64_t>();
  for (int64_t& length : out) length = (length + 1) / 2;
  return from_vector(out, lengths.shape());
}

const Conv2dOptions kHalve{.stride = 2, .padding = 1};

}  // namespace

Tensor moments_of(const Tensor& lengths) { return halved(halved(lengths)); }

SpeechRecognizer::SpeechRecognizer(const Config& config, Generator& generator)
    : config(checked(config)),
      conv1(1, config.channels, 3, kHalve),
      conv2(config.channels, config.channels, 3, kHalve),
      merge(config.channels * moments_of(config.mels), config.width),
      dropout(config.dropout),
      encoder(config.width, config.heads, config.layers,
              nn::TransformerStackOptions::pre_norm(config.mlp_width, config.dropout)),
      head(config.width, config.tokens) {
  register_module("conv1", conv1);
  register_module("conv2", conv2);
  register_module("merge", merge);
  register_module("dropout", dropout);
  register_module("encoder", encoder);
  register_module("head", head);
  initialize(generator);
}

void SpeechRecognizer::initialize(Generator& generator) {
  for (const auto& [name, parameter] : named_parameters()) {
    if (name.ends_with("bias")) nn::zeros_(parameter);
    if (name.starts_with("conv") && name.ends_with("weight"))
      nn::kaiming_uniform_(parameter, 0, "fan_in", "relu", generator);
    else if (name.ends_with("weight") && parameter.dim() >= 2)
      nn::xavier_uniform_(parameter, 1, generator);
  }
}

SpeechRecognizer::Input SpeechRecognizer::embedded(const Arg& frames, const Tensor& lengths) {
  check(frames.dim() == 3 && frames.size(1) > 0 && frames.size(2) == config.mels, "speech",
        "frames of shape ", frames.shape(), ": expected (batch, frames, ", config.mels, ")");
  check(lengths.shape() == Shape{frames.size(0)}, "speech", "lengths of shape ", lengths.shape(),
        ": expected (", frames.size(0), "), one for each recording");
  const auto keep = [&](const Tensor& ends, int64_t count) {  // (B, 1, T, 1)
    return unsqueeze(unsqueeze(tarsier::to(!after_end(ends, count), frames.dtype()), 1), 3);
  };
  // Frames after the end of a recording are 0 for each convolution, as if they were not there.
  const Tensor half = halved(lengths);
  Tensor x = unsqueeze(frames, 1) * keep(lengths, frames.size(1));  // (B, 1, T, M)
  x = relu(conv1(x));
  x = relu(conv2(x * keep(half, x.size(2))));          // (B, K, T', M')
  x = dropout(merge(flatten(transpose(x, 1, 2), 2)));  // (B, T', C)

  const int64_t B = x.size(0), T = x.size(1), H = config.heads;
  const Tensor bias = nn::alibi_bias(H, T, T, 0, x.dtype());  // (H, T', T')
  return {x,
          {.src_mask = reshape(expand(bias, {B, H, T, T}), {B * H, T, T}),
           .src_key_padding_mask = after_end(halved(half), T)}};
}

Tensor SpeechRecognizer::forward(const Arg& frames, const Tensor& lengths) {
  const Input input = embedded(frames, lengths);
  return log_softmax(head(encoder(input.x, input.masks)), -1);
}

std::vector<Tensor> SpeechRecognizer::attention(const Arg& frames, const Tensor& lengths) {
  const Input input = embedded(frames, lengths);
  return encoder.with_weights(input.x, input.masks, /*average_weights=*/false).weights;
}

}  // namespace tarsier::zoo::speech
