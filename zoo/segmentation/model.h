#pragma once
// A segmenter: says of every pixel of a picture what it shows.
//
//   images (B, 3, height, width)
//     → stem: a vector for each of N patches; convolutions also leave details    (B, N, C)
//     → + position embedding → encoder: attention between all patches            (B, N, C)
//     → decoder: a query for each class attends to the other classes and to the
//       patches, and becomes what that class looks like in this picture          (B, K, C)
//     → pixels: the patches, doubled in size again and again, together with the
//       stem's details                                                           (B, D, height, width)
//     → logits: pixels · classes                                             (B, K, height, width)
//
// Patches see the whole picture but are coarse, the stem sees edges but not what they belong to: the
// way up joins both.
//
// Sources: Strudel et al. 2021, "Segmenter" (class queries, masks as products); Zheng et al. 2021,
// "SETR" (an encoder of patches, made larger step by step); details on the way up: Ronneberger et
// al. 2015, "U-Net", with attention in the middle Chen et al. 2021, "TransUNet"; the stem: Xiao et
// al. 2021, "Early convolutions help Transformers see better".
//
// B batch, N patches, K classes, C width of the stream between the layers, D detail.

#include <cstdint>
#include <vector>

#include "../../nn/nn.h"

namespace tarsier::zoo::segmentation {

/// How a picture becomes patches.
enum class Stem {
  patches,  ///< squares that do not overlap, each through one linear map: no details are left
  /// 3×3 convolutions, each after the first with stride 2 and twice the channels, batch norm and
  /// ReLU; then 1×1. What comes before each halving is the detail of that size.
  convolution,
  /// The same with a residual block (nn/layers/residual.h) in place of each convolution with stride
  /// 2, as in the networks that join convolution and attention in stages: Srinivas et al. 2021,
  /// "Bottleneck Transformers for visual recognition".
  stages,
};

/// The defaults are for pictures of 48 × 64 pixels.
struct Config {
  Pair image_size = 48;  ///< that positions are learned for; multiples of `stride`
  int64_t classes = 6;   ///< K
  int64_t width = 96;    ///< C
  int64_t stride = 4;    ///< the side of a patch in pixels: 2, 4, 8, …
  int64_t detail = 24;  ///< D: channels at the size of the picture, twice as many at half of it, …
  int64_t stem_layers = 0;  ///< convolutions at the size of the patches, after the last that halves
  int64_t layers = 3;       ///< of the encoder
  int64_t decoder_layers = 1;
  int64_t heads = 4;        ///< divides the width
  int64_t mlp_width = 192;  ///< inside an MLP
  double dropout = 0.1;
  Stem stem = Stem::convolution;

  int64_t rows() const { return image_size.h / stride; }
  int64_t columns() const { return image_size.w / stride; }
};

/// What the model makes of pictures.
struct Output {
  Tensor logits;          ///< (B, K, height, width)
  Tensor attention = {};  ///< of the class queries to the patches in the last layer of the decoder,
                          ///< mean of its heads: (B, K, N); if asked for
};

struct Segmenter : nn::Layer<Segmenter> {
  const Config config;
  nn::ModuleList<nn::Sequential> stem;  ///< each gives the details of a size, the last the patches
  Tensor position_embedding;            ///< (1, C, rows, columns)
  nn::Dropout dropout;
  nn::TransformerEncoder encoder;
  Tensor queries;                        ///< (K, C)
  nn::TransformerDecoder decoder;        ///< of the queries
  nn::ModuleList<nn::Conv2d> narrow;     ///< 1×1, before each doubling
  nn::ModuleList<nn::Sequential> widen;  ///< 3×3, batch norm and ReLU, after it
  nn::Linear mask;                       ///< from what a class looks like to what its pixels do

  /// Starts with matrices Xavier-uniform, biases 0, positions N(0, 0.02²), queries N(0, 1).
  /// Throws Error("segmentation") if the sizes do not fit together.
  explicit Segmenter(const Config& config, Generator& generator = default_generator());

  /// (B, 3, height, width), whose sides are multiples of the stride; at another size than
  /// `image_size` the position embedding is interpolated. Throws Error("segmentation") for others.
  Output forward(const Arg& images, bool with_attention = false);

 private:
  Tensor positions(int64_t rows, int64_t columns) const;
};

}  // namespace tarsier::zoo::segmentation
