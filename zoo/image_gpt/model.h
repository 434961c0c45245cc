#pragma once
// Image GPT: predicts a picture block by block, from left to right and from the top down.
//
//   pixels (B, height, width) i64, each one of a few levels
//     → blocks of patch × patch pixels, in reading order; a block is one of V = levels^(patch²)
//     → stem: what was drawn around a block before it, through a masked convolution   (B, T, C)
//     → + row embedding + column embedding → dropout
//       (+ embeddings of the changes that a drawing of training went through)
//     → layers: attention to blocks before it in the neighbourhood, then an MLP; before each, the
//       blocks next to it are mixed in, channel by channel                             (B, T, C)
//     → norm → logits of the block                                                     (B, T, V)
//
// The probability of a picture is the product over its blocks, Π p(block t | blocks before t):
// exact, whatever the patch. With patch 1 it goes pixel by pixel. With patch 2 four pixels are
// drawn at once, as one of 16 blocks of two levels, and the sequence is a quarter as long.
//
// The attention is local in two dimensions: a block sees those of the `window` rows above it and at
// most `window` columns to either side, and of its own row those on the left. Queries and keys are
// rotated by their row and by their column, half of the pairs each, so that a score depends on how
// far apart two blocks are, down and to the right.
//
// Sources: Chen et al. 2020, "Generative pretraining from pixels"; the neighbourhoods: Parmar et
// al. 2018, "Image Transformer"; masked convolutions: van den Oord et al. 2016, "Pixel recurrent
// neural networks"; mixing neighbours, and the squared ReLU: So et al. 2021, "Primer"; being told of
// changes: Jun et al. 2020, "Distribution augmentation for generative modeling"; rotation by rows
// and columns: Heo et al. 2024, "Rotary position embedding for Vision Transformer".
//
// B batch, T blocks, C width, H heads, D = C/H, V kinds of blocks.

#include <vector>

#include "../../nn/nn.h"
#include "grid.h"

namespace tarsier::zoo::image_gpt {

/// The defaults are for drawings of 28 × 28 pixels, black and white.
struct Config {
  Pair image_size = 28;
  int64_t levels = 2;  ///< of a pixel
  int64_t patch = 2;   ///< pixels; divides both sides
  int64_t reach = 5;   ///< pixels above, to the left and to the right that the stem sees
  int64_t window = 6;  ///< blocks above, to the left and to the right that attention sees; 0: all
  int64_t near = 1;    ///< blocks above, to the left and to the right that are mixed
  int64_t width = 64;  ///< C
  int64_t layers = 2;
  int64_t heads = 4;        ///< divides the width, into even sizes that are a multiple of 4
  int64_t mlp_width = 256;  ///< inside the MLP, and of the convolution
  double dropout = 0;
  int64_t changes = 0;  ///< K, kinds of changes of drawings that the model is told of; 0: none

  /// V. Throws Error("image-gpt") if there would be more than 256.
  int64_t kinds() const;
};

/// What a layer keeps of the blocks that it has seen.
struct LayerCache {
  nn::KVCache keys_values;
  Tensor last1, last2;  ///< (B, kept, C): what norm1 and norm2 made of the last ones
};
using Cache = std::vector<LayerCache>;

/// What lies around each block, of what comes before it: a convolution whose kernel covers the
/// block and `reach` pixels above, to the left and to the right, with zeros for the weights of the
/// block itself and of what follows it; GELU; a linear map.
///   values (B, 1, reach + p·rows, p·columns + 2·reach) → (B, rows · columns, C), p = patch
struct Stem : nn::Layer<Stem> {
  Tensor weight;  ///< (mlp_width, 1, reach + p, p + 2·reach)
  Tensor bias;    ///< (mlp_width)
  Tensor mask;    ///< (reach + p, p + 2·reach): 1 for what comes before the block, else 0
  nn::Linear out;
  const int64_t patch;

  explicit Stem(const Config& config);
  Tensor forward(const Arg& values);
};

/// Attention to what a block sees of the grid: (B, T, C) → (B, T, C).
struct LocalAttention2d : nn::Layer<LocalAttention2d> {
  nn::Linear in_proj;   ///< (3C, C): the maps of query, key and value
  nn::Linear out_proj;  ///< (C, C)
  const int64_t heads;
  const double dropout;

  explicit LocalAttention2d(const Config& config);

  /// x are the first T blocks; with a cache those that follow the blocks in it.
  Tensor forward(const Arg& x, Grid& grid, nn::KVCache* cache = nullptr);
  /// The attention weights: (B, T, C) → (B, H, T, T). Only in eval().
  Tensor weights(const Arg& x, Grid& grid);

 private:
  struct Heads {
    Tensor q, k, v;  // (B, H, T, D)
  };
  Heads split(const Arg& x, Grid& grid, int64_t position);
};

/// x + attention(near(norm(x))), then x + mlp(near(norm(x))), mlp(x) = relu(x·W)²·U. `near` mixes
/// each channel of a block with that of the blocks next to it (Grid::nearby), and begins as the
/// identity.
struct Block : nn::Layer<Block> {
  nn::RMSNorm norm1;
  LocalAttention2d attn;
  nn::RMSNorm norm2;
  nn::Linear linear1, linear2;
  Tensor near1, near2;  ///< (neighbours · C): their weights; a vector has no weight decay
  nn::Dropout dropout;

  Block(const Config& config, int64_t neighbours);

  Tensor forward(const Arg& x, Grid& grid, LayerCache* cache = nullptr);
  /// What attention gets to see: near(norm(x)).
  Tensor queried(const Arg& x, Grid& grid) { return near(norm1(x), near1, grid, 0, nullptr); }

 private:
  static Tensor near(const Tensor& x, const Tensor& weights, Grid& grid, int64_t first,
                     Tensor* last);
};

struct ImageGpt : nn::Layer<ImageGpt> {
  const Config config;
  Grid grid;
  Stem stem;
  Tensor row_embedding, column_embedding;  ///< (rows, C), (columns, C)
  Tensor change_embedding;                 ///< (K, C); undefined if K is 0
  nn::Dropout dropout;
  nn::ModuleList<Block> layers;
  nn::RMSNorm norm;
  nn::Linear head;

  /// Matrices start N(0, 0.02²), those that write to the stream smaller by √(2·layers), the kernels
  /// N(0, 1/n) for n weights that count. Throws Error("image-gpt") if the sizes do not fit together.
  explicit ImageGpt(const Config& config, Generator& generator = default_generator());

  /// The kinds of the blocks: pixels (B, height, width) i64 → (B, T) i64. The level of the block's
  /// pixel i, in reading order, counts levels^i. Any height up to the config's that is a multiple
  /// of the patch will do: then it is the upper part of a picture.
  /// Throws Error("image-gpt") for other sizes.
  Tensor kinds(const Arg& pixels) const;

  /// Logits: (B, height, width) i64 → (B, T, V). `changes` (B, K) has a 1 for each change that a
  /// drawing went through, else 0; undefined: none of them did.
  Tensor forward(const Arg& pixels, const Tensor& changes = {});
  /// The logits of block t alone, (B, V): of the pixels only those of earlier blocks count, and the
  /// cache must hold all earlier blocks; t is added. Only in eval(), under NoGrad.
  Tensor next(const Arg& pixels, int64_t t, Cache& cache);

  /// Mean cross-entropy in nats a block.
  Tensor loss(const Arg& pixels, const Tensor& changes = {}) {
    return cross_entropy(flatten((*this)(pixels, changes), 0, 1), flatten(kinds(pixels)));
  }

  /// The attention weights of each layer: (B, height, width) → (B, H, T, T). Only in eval().
  std::vector<Tensor> attention(const Arg& pixels);

 private:
  Tensor padded(const Arg& pixels) const;
  Tensor embedded(const Arg& pixels, const Tensor& changes = {});
};

}  // namespace tarsier::zoo::image_gpt
