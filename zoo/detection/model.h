#pragma once
// DETR: finds all objects of a picture at once, each by a query that attends to it. No box is given
// twice because the queries see each other, so nothing has to be removed afterwards.
//
//   images (B, 3, height, width)
//     → stem: convolutions, a vector for each of N patches          (B, N, C)
//     → + position code → encoder: attention between all patches    (B, N, C)
//     → every patch guesses a class and a box                       (B, N, classes), (B, N, 4)
//     → the K patches that are surest become queries, with their boxes
//     → decoder: `decoder_layers` times attention between the queries, attention of each to the
//       patches around its box, an MLP; then a better guess of its class and its box
//
// The training matches the guesses of every layer with the objects, one to one (loss.h).
//
// Sources: Carion et al. 2020, "End-to-end object detection with Transformers" (DETR); boxes that
// are queries and get better from layer to layer: Liu et al. 2022, "DAB-DETR"; queries from the
// encoder: Zhu et al. 2021, "Deformable DETR", two-stage; attention that falls off with the distance
// from the box: Gao et al. 2021, "Fast convergence of DETR with spatially modulated co-attention".
//
// B batch, N patches, K queries, C width of the stream between the layers, H heads.

#include <cstdint>
#include <vector>

#include "../../nn/nn.h"

namespace tarsier::zoo::detection {

struct Config {
  Pair image_size = 48;  ///< its sides are multiples of `stride`
  int64_t classes = 5;
  int64_t width = 64;       ///< C
  int64_t stride = 4;       ///< the side of a patch in pixels, 2ᵏ
  int64_t stem_layers = 2;  ///< convolutions after the last that halves the picture
  int64_t layers = 2;       ///< of the encoder
  int64_t decoder_layers = 2;
  int64_t heads = 4;        ///< divides the width
  int64_t mlp_width = 128;  ///< inside an MLP
  int64_t queries = 40;     ///< K; at most as many as patches
  double dropout = 0;

  int64_t rows() const { return image_size.h / stride; }
  int64_t columns() const { return image_size.w / stride; }
};

/// What is said of each of Q queries or patches. A class's probability is the sigmoid of its logit:
/// all of them are small where there is nothing.
struct Guess {
  Tensor logits;  ///< (B, Q, classes)
  Tensor boxes;  ///< (B, Q, 4): centre x, centre y, width, height, as shares of the picture's sides
};

/// Which patches became queries, and the boxes around which each layer of the decoder looked. No
/// gradient goes through them.
struct Places {
  Tensor chosen;              ///< (B, K) i64
  std::vector<Tensor> boxes;  ///< of each layer, (B, K, 4)
};

struct Output {
  std::vector<Guess> guesses;  ///< of all patches, then of the queries after each layer
  Places places;
  Tensor attention = {};  ///< of the last layer, mean of its heads: (B, K, N); if asked for
};

/// Guesses a class and a box from vectors (…, C).
struct Head : nn::Layer<Head> {
  nn::Linear label, hidden, offset;

  /// Starts with probabilities of about 0.01, and offsets near 0.
  Head(int64_t width, int64_t classes, Generator& generator);

  /// `places` (…, 4) are the logits of boxes; the guess moves and stretches them.
  Guess forward(const Arg& x, const Tensor& places);
};

/// One layer of the decoder, with layer norms before its blocks.
struct QueryLayer : nn::Layer<QueryLayer> {
  nn::MultiheadAttention self_attn, cross_attn;
  nn::Linear linear1, linear2;
  nn::LayerNorm norm1, norm2, norm3;
  nn::Dropout dropout;

  explicit QueryLayer(const Config& config);

  /// x (B, K, C) with their position codes, the patches as keys and as values (B, N, C), and what
  /// is added to the scores (B·H, K, N) → (B, K, C). `weights`, if given, gets the attention.
  Tensor forward(const Arg& x, const Tensor& code, const Tensor& keys, const Tensor& values,
                 const Tensor& nearness, Tensor* weights);
};

struct Detr : nn::Layer<Detr> {
  const Config config;
  nn::Sequential stem;  ///< (B, 3, height, width) → (B, C, rows, columns)
  nn::TransformerEncoder encoder;
  Head patch_head;
  nn::Linear query;                     ///< from a patch to the query that it becomes
  nn::Linear place_hidden, place_code;  ///< from the numbers of a box to its position code
  nn::ModuleList<QueryLayer> layers;
  nn::ModuleList<nn::LayerNorm> norms;  ///< before the head of each layer
  nn::ModuleList<Head> heads;

  /// Starts with matrices Xavier-uniform and biases 0, but for the heads.
  /// Throws Error("detection") if the sizes do not fit together.
  explicit Detr(const Config& config, Generator& generator = default_generator());

  /// (B, 3, height, width). `fixed` are places to take instead of its own, for checks of gradients.
  /// Throws Error("detection") for images of another size.
  Output forward(const Arg& images, bool with_attention = false, const Places* fixed = nullptr);

 private:
  Tensor code_of(const Tensor& boxes);
  Tensor nearness(const Tensor& boxes) const;
};

}  // namespace tarsier::zoo::detection
