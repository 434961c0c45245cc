#include "zoo/segmentation/model.h"

#include <bit>
#include <cmath>

#include "nn/init.h"
#include "nn/layers/residual.h"

namespace tarsier::zoo::segmentation {

namespace {

/// The config, if its sizes fit together.
const Config& checked(const Config& config) {
  const Pair image = config.image_size;
  for (const int64_t size : {image.h, image.w, config.width, config.detail, config.layers,
                             config.decoder_layers, config.heads, config.mlp_width})
    check(size > 0, "segmentation", "a size is ", size, ": all must be positive");
  check(config.classes >= 2, "segmentation", "classes=", config.classes, ": at least 2 are needed");
  check(config.stride >= 2 && std::has_single_bit(static_cast<uint64_t>(config.stride)),
        "segmentation", "stride=", config.stride,
        ": the picture is halved repeatedly, so it must be 2, 4, 8, …");
  check(image.h % config.stride == 0 && image.w % config.stride == 0, "segmentation", "patches of ",
        config.stride, " pixels do not fill an image of ", image.h, "×", image.w,
        ": its sides must be multiples of the stride");
  check(config.width % config.heads == 0, "segmentation", "heads=", config.heads,
        " does not divide width=", config.width,
        ": every head gets an equal share of the width; take another number of heads or width");
  return config;
}

/// 3×3, batch norm and ReLU.
void add_convolution(nn::Sequential& to, int64_t in, int64_t out, int64_t stride,
                     const std::string& number = "") {
  to.add_named<nn::Conv2d>("conv" + number, in, out, 3,
                           Conv2dOptions{.stride = stride, .padding = 1}, /*with_bias=*/false);
  to.add_named<nn::BatchNorm2d>("norm" + number, out);
  to.add_named<nn::ReLU>("relu" + number);
}

void add_stem(nn::ModuleList<nn::Sequential>& stem, const Config& config) {
  if (config.stem == Stem::patches) {
    stem.emplace_back().add_named<nn::Conv2d>("patches", 3, config.width, config.stride,
                                              Conv2dOptions{.stride = config.stride});
    return;
  }
  int64_t in = 3;
  for (int64_t scale = 1; scale <= config.stride; scale *= 2) {
    const int64_t out = scale * config.detail;
    if (config.stem == Stem::stages && scale > 1)
      stem.emplace_back().add_named<nn::BasicBlock>("block", in, out, 2);
    else
      add_convolution(stem.emplace_back(), in, out, scale == 1 ? 1 : 2);
    in = out;
  }
  nn::Sequential& last = stem[stem.size() - 1];
  for (int64_t i = 0; i < config.stem_layers; ++i) add_convolution(last, in, in, 1, concat(i + 2));
  last.add_named<nn::Conv2d>("patches", in, config.width, 1);
}

}  // namespace

Segmenter::Segmenter(const Config& config, Generator& generator)
    : config(checked(config)),
      dropout(config.dropout),
      encoder(config.width, config.heads, config.layers,
              nn::TransformerStackOptions::pre_norm(config.mlp_width, config.dropout)),
      decoder(config.width, config.heads, config.decoder_layers,
              nn::TransformerStackOptions::pre_norm(config.mlp_width, 0)),
      mask(config.width, config.detail) {
  add_stem(stem, config);
  int64_t in = config.width;
  for (int64_t scale = config.stride / 2; scale >= 1; scale /= 2) {
    const int64_t out = scale * config.detail;
    narrow.emplace_back(in, out, 1);
    add_convolution(widen.emplace_back(), out, out, 1);
    in = out;
  }
  register_module("stem", stem);
  register_parameter("position_embedding", position_embedding,
                     Tensor::empty({1, config.width, config.rows(), config.columns()}));
  register_module("dropout", dropout);
  register_module("encoder", encoder);
  register_parameter("queries", queries, Tensor::empty({config.classes, config.width}));
  register_module("decoder", decoder);
  register_module("narrow", narrow);
  register_module("widen", widen);
  register_module("mask", mask);
  for (const auto& [name, parameter] : named_parameters()) {
    if (name.ends_with("bias")) nn::zeros_(parameter);
    if (name.ends_with("weight") && parameter.dim() >= 2)
      nn::xavier_uniform_(parameter, 1, generator);
  }
  nn::normal_(position_embedding, 0, 0.02, generator);
  nn::normal_(queries, 0, 1, generator);
}

/// The position embedding of so many patches: (1, C, rows, columns).
Tensor Segmenter::positions(int64_t rows, int64_t columns) const {
  if (rows == config.rows() && columns == config.columns()) return position_embedding;
  return interpolate(position_embedding, {.size = Pair{rows, columns}, .mode = "bilinear"});
}

Output Segmenter::forward(const Arg& images, bool with_attention) {
  check(images.dim() == 4 && images.size(1) == 3 && images.size(2) > 0 && images.size(3) > 0 &&
            images.size(2) % config.stride == 0 && images.size(3) % config.stride == 0,
        "segmentation", "images of shape ", images.shape(),
        ": expected (batch, 3, height, width), both sides multiples of ", config.stride);
  std::vector<Tensor> details;  // from the size of the picture down
  Tensor grid = images;
  for (int64_t i = 0; i < stem.size(); ++i) {
    if (i > 0) details.push_back(grid);
    grid = stem[i](grid);
  }
  const int64_t rows = grid.size(2), columns = grid.size(3);
  grid = grid + positions(rows, columns);
  const Tensor memory = encoder(dropout(transpose(flatten(grid, 2), 1, 2)));  // (B, N, C)

  Output out;
  const Tensor asks = expand(unsqueeze(queries, 0), {images.size(0), config.classes, config.width});
  Tensor looks;  // (B, K, C)
  if (with_attention) {
    const nn::DecoderResult result = decoder.with_weights(asks, memory);
    looks = result.output;
    out.attention = result.weights.back();
  } else {
    looks = decoder(asks, memory);
  }

  Tensor pixels = reshape(transpose(memory, 1, 2), {-1, config.width, rows, columns});
  for (int64_t i = 0; i < widen.size(); ++i) {
    pixels = interpolate(narrow[i](pixels), {.scale_factor = 2, .mode = "bilinear"});
    if (!details.empty()) {
      pixels = pixels + details.back();
      details.pop_back();
    }
    pixels = widen[i](pixels);  // (B, D · 2ⁱ, …)
  }
  const Tensor flat = matmul(mask(looks), flatten(pixels, 2));  // (B, K, height · width)
  out.logits = reshape(flat / std::sqrt(static_cast<double>(config.detail)),
                       {-1, config.classes, images.size(2), images.size(3)});
  return out;
}

}  // namespace tarsier::zoo::segmentation
