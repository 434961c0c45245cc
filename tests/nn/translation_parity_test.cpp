// A whole model, the encoder–decoder Transformer for translation, compared with PyTorch: loss, all
// gradients, a training curve, and its output.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "nn/layers/position.h"
#include "nn/nn.h"
#include "optim/adam.h"
#include "tests/nn/golden.h"

namespace tarsier {
namespace {

constexpr int64_t kPadding = 0, kBegin = 1;

/// Vaswani et al. 2017, with the embeddings apart: words (B, S) and (B, T), i64 → logits (B, T,
/// tgt_words). The same as in tests/golden/make_transformer.py.
struct Translator : nn::Layer<Translator> {
  nn::Embedding src_embedding, tgt_embedding;
  nn::SinusoidalPositions positions;
  nn::Transformer transformer;
  nn::Linear out;

  Translator(int64_t src_words, int64_t tgt_words, int64_t C, int64_t H, int64_t layers, int64_t F)
      : src_embedding(src_words, C, kPadding),
        tgt_embedding(tgt_words, C, kPadding),
        positions(C),
        transformer(C, H, layers, layers,
                    {.dim_feedforward = F, .dropout = 0, .batch_first = true}),
        out(C, tgt_words) {
    register_module("src_embedding", src_embedding);
    register_module("tgt_embedding", tgt_embedding);
    register_module("positions", positions);
    register_module("transformer", transformer);
    register_module("out", out);
  }

  Tensor embed(nn::Embedding& embedding, const Tensor& words, int64_t offset = 0) {
    const double C = static_cast<double>(positions.embed_dim);
    return positions(embedding(words) * std::sqrt(C), offset);
  }

  Tensor forward(const Arg& src, const Tensor& tgt) {
    const Tensor padding = src == kPadding;
    return out(transformer(embed(src_embedding, src), embed(tgt_embedding, tgt),
                           {.src_key_padding_mask = padding,
                            .tgt_key_padding_mask = tgt == kPadding,
                            .memory_key_padding_mask = padding,
                            .tgt_is_causal = true}));
  }

  /// The likeliest word, `count` times, each after those before it: (B, 1 + count), with kBegin.
  Tensor translate(const Tensor& src, int64_t count) {
    const NoGrad guard;
    const Tensor padding = src == kPadding;
    const Tensor memory =
        transformer.encoder(embed(src_embedding, src), {.src_key_padding_mask = padding});
    nn::DecoderCache cache;
    Tensor words = full({src.size(0), 1}, kBegin, i64);
    for (int64_t i = 0; i < count; ++i) {
      const Tensor newest = embed(tgt_embedding, slice(words, 1, i), i);
      const Tensor y = transformer.decoder(
          newest, memory, {.memory_key_padding_mask = padding, .tgt_is_causal = true}, &cache);
      const Tensor not_padding = slice(out(y), -1, 1);
      words = cat({words, argmax(not_padding, -1) + 1}, 1);
    }
    return words;
  }
};

struct Parity {
  TensorDict numbers;
  Translator model;
  Tensor src, tgt;

  explicit Parity(DType dtype)
      : numbers(golden("transformer.safetensors", "translation.", dtype)),
        model(11, 9, 6, 2, 2, 7),
        src(numbers["src"]),
        tgt(numbers["tgt"]) {
    model.to(dtype);
    model.load_state_dict(part(numbers, "state."));
  }

  Tensor loss(double label_smoothing) {
    const Tensor logits = model(src, slice(tgt, 1, 0, -1));
    return cross_entropy(flatten(logits, 0, 1), flatten(slice(tgt, 1, 1)),
                         {.ignore_index = kPadding, .label_smoothing = label_smoothing});
  }
};

TEST_CASE("a translator learns as PyTorch's does: loss, gradients, ten steps, output") {
  for (const DType dtype : {f64, f32}) {
    CAPTURE(dtype);
    Parity parity(dtype);
    optim::AdamW optimizer(parity.model.named_parameters(), {.lr = 0.01, .weight_decay = 0.1});
    std::vector<double> curve;
    for (int step = 0; step < 10; ++step) {
      optimizer.zero_grad();
      const Tensor loss = parity.loss(0.1);
      loss.backward();
      if (step == 0) {
        const TensorDict grads = part(parity.numbers, "grad.");
        const TensorDict parameters = parity.model.named_parameters();
        CHECK(parameters.size() == grads.size());
        for (const auto& [name, grad] : grads)
          check_close("d" + name, parameters[name].grad(), grad);
      }
      optimizer.step();
      curve.push_back(loss.item());
    }
    check_close("curve", to(from_vector(curve, {10}), dtype), parity.numbers["curve"]);
    CHECK(parity.model.translate(parity.src, 8).to_vector() == parity.numbers["words"].to_vector());
  }
}

TEST_CASE("a translator memorises one batch, and reproduces it") {
  Parity parity(f32);
  optim::AdamW optimizer(parity.model.named_parameters(), {.lr = 0.02});
  double loss = 0;
  for (int step = 0; step < 200; ++step) {
    optimizer.zero_grad();
    const Tensor value = parity.loss(0);
    value.backward();
    optimizer.step();
    loss = value.item();
  }
  CHECK(loss < 0.01);
  const Tensor words = parity.model.translate(parity.src, parity.tgt.size(1) - 1);
  // After the end of a sentence its output does not matter.
  CHECK(all(words == parity.tgt || parity.tgt == kPadding).item<bool>());
}

}  // namespace
}  // namespace tarsier
