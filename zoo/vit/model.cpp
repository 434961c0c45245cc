#include "zoo/vit/model.h"

#include <algorithm>
#include <bit>

#include "nn/init.h"
#include "nn/layers/residual.h"

namespace tarsier::zoo::vit {

namespace {

/// The config, if its sizes fit together.
const Config& checked(const Config& config) {
  const Pair image = config.image_size, patch = config.patch_size;
  for (const int64_t size : {image.h, image.w, patch.h, patch.w, config.channels, config.width,
                             config.layers, config.heads, config.mlp_width})
    check(size > 0, "vit", "a size is ", size, ": all must be positive");
  check(config.classes >= 0, "vit", "there are ", config.classes, " classes: give 0 or more");
  check(image.h % patch.h == 0 && image.w % patch.w == 0, "vit", "patches of ", patch.h, "×",
        patch.w, " do not fill an image of ", image.h, "×", image.w,
        ": its sides must be multiples of the patch's");
  check(config.width % config.heads == 0, "vit", "heads=", config.heads,
        " does not divide width=", config.width,
        ": every head gets an equal share of the width; take another number of heads or width");
  check(config.stem != Stem::stages || config.pooling == Pooling::mean, "vit",
        "stem=stages with pooling=class_token: a class token has no place among the patches; take ",
        "pooling=mean");
  if (config.stem != Stem::patches) {
    const auto side = static_cast<uint64_t>(patch.h);
    check(patch.h == patch.w && side >= 2 && std::has_single_bit(side), "vit", "patches of ",
          patch.h, "×", patch.w,
          " with a convolutional stem, which halves the image repeatedly: they must be "
          "squares of 2, 4, 8, …");
    check(config.width % (patch.h / 2) == 0, "vit", "width=", config.width,
          " with a convolutional stem, which doubles its channels up to the width: it must be a ",
          "multiple of ", patch.h / 2);
  }
  return config;
}

/// The layers before the encoder: (B, channels, height, width) → (B, C, rows, columns).
void add_stem(nn::Sequential& stem, const Config& config) {
  if (config.stem == Stem::patches) {
    stem.add_named<nn::Conv2d>("patches", config.channels, config.width, config.patch_size,
                               Conv2dOptions{.stride = config.patch_size});
    return;
  }
  int64_t in = config.channels, i = 1;
  for (int64_t left = config.patch_size.h; left > 1; left /= 2, ++i) {
    const int64_t out = config.width / (left / 2);
    if (config.stem == Stem::stages && i > 1) {
      stem.add_named<nn::BasicBlock>(concat("block", i), in, out, 2);
      in = out;
      continue;
    }
    stem.add_named<nn::Conv2d>(concat("conv", i), in, out, 3,
                               Conv2dOptions{.stride = 2, .padding = 1}, /*with_bias=*/false);
    stem.add_named<nn::BatchNorm2d>(concat("norm", i), out);
    stem.add_named<nn::ReLU>(concat("relu", i));
    in = out;
  }
  if (config.stem == Stem::stages)
    stem.add_named<nn::BasicBlock>(concat("block", i), config.width, config.width);
  else
    stem.add_named<nn::Conv2d>("patches", config.width, config.width, 1);
}

}  // namespace

VisionTransformer::VisionTransformer(const Config& config, Generator& generator)
    : config(checked(config)),
      dropout(config.dropout),
      encoder(config.width, config.heads, config.layers,
              {.layer = {.dim_feedforward = config.mlp_width,
                         .dropout = config.dropout,
                         .activation = config.activation,
                         .layer_norm_eps = config.layer_norm_eps,
                         .batch_first = true,
                         .norm_first = true},
               .final_norm = true}),
      head(config.width, std::max<int64_t>(config.classes, 1)) {
  register_module("stem", stem);
  register_parameter(
      "class_token", class_token,
      config.pooling == Pooling::class_token ? Tensor::empty({1, 1, config.width}) : Tensor());
  const bool staged = config.stem == Stem::stages;
  register_parameter("position_embedding", position_embedding,
                     staged ? Tensor() : Tensor::empty({1, config.positions(), config.width}));
  if (staged)
    register_module("relative", relative.emplace(config.heads, config.rows(), config.columns()));
  register_module("dropout", dropout);
  register_module("encoder", encoder);
  if (config.classes > 0) register_module("head", head);
  add_stem(stem, config);
  initialize(generator);
}

void VisionTransformer::initialize(Generator& generator) {
  for (const auto& [name, parameter] : named_parameters()) {
    if (name.ends_with("bias")) nn::zeros_(parameter);
    if (name.ends_with("weight") && parameter.dim() >= 2)
      nn::xavier_uniform_(parameter, 1, generator);
  }
  if (class_token.defined()) nn::zeros_(class_token);
  nn::normal_(relative ? relative->table : position_embedding, 0, 0.02, generator);
}

/// The input of the encoder: (B, positions, C).
Tensor VisionTransformer::embedded(const Arg& images) {
  check(images.dim() == 4 && images.size(1) == config.channels &&
            images.size(2) == config.image_size.h && images.size(3) == config.image_size.w,
        "vit", "images of shape ", images.shape(), ": expected (batch, ", config.channels, ", ",
        config.image_size.h, ", ", config.image_size.w, ")");
  const Tensor grid = stem(images);              // (B, C, rows, columns)
  Tensor x = transpose(flatten(grid, 2), 1, 2);  // (B, N, C)
  if (class_token.defined())
    x = cat({expand(class_token, {x.size(0), 1, config.width}), x}, 1);  // (B, 1 + N, C)
  return dropout(relative ? x : x + position_embedding);
}

nn::EncoderMasks VisionTransformer::masks(const Tensor& x) {
  return {.src_mask = relative ? (*relative)(x) : Tensor()};
}

Tensor VisionTransformer::features(const Arg& images) {
  const Tensor x = encoded(images);
  return class_token.defined() ? select(x, 1, 0) : mean(x, 1);  // (B, C)
}

Tensor VisionTransformer::attention(const Arg& images) {
  const Tensor x = embedded(images);
  const Tensor weights = encoder.with_weights(x, masks(x)).weights.back();
  return class_token.defined() ? slice(select(weights, 1, 0), 1, 1) : mean(weights, 1);
}

}  // namespace tarsier::zoo::vit
