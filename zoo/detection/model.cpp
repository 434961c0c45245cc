#include "zoo/detection/model.h"

#include <bit>
#include <cmath>
#include <numbers>

#include "nn/init.h"

namespace tarsier::zoo::detection {

namespace {

/// The config, if its sizes fit together.
const Config& checked(const Config& config) {
  const Pair image = config.image_size;
  for (const int64_t size : {image.h, image.w, config.classes, config.width, config.layers,
                             config.decoder_layers, config.heads, config.mlp_width, config.queries})
    check(size > 0, "detection", "a size is ", size, ": all must be positive");
  const auto side = static_cast<uint64_t>(config.stride);
  check(config.stride >= 2 && std::has_single_bit(side), "detection", "stride=", config.stride,
        ": the stem halves the picture repeatedly, so it must be 2, 4, 8, …");
  check(image.h % config.stride == 0 && image.w % config.stride == 0, "detection", "patches of ",
        config.stride, " pixels do not fill an image of ", image.h, "×", image.w,
        ": its sides must be multiples of the stride");
  check(config.width % config.heads == 0, "detection", "heads=", config.heads,
        " does not divide width=", config.width,
        ": every head gets an equal share of the width; take another number of heads or width");
  check(config.width % 4 == 0 && config.width % (config.stride / 2) == 0, "detection",
        "width=", config.width, ": it must be a multiple of 4 and of ", config.stride / 2);
  check(config.queries <= config.rows() * config.columns(), "detection", "queries=", config.queries,
        " of ", config.rows() * config.columns(), " patches: every query needs a patch of its own");
  return config;
}

/// 3×3, batch norm and ReLU.
void add_convolution(nn::Sequential& stem, const std::string& number, int64_t in, int64_t out,
                     int64_t stride) {
  stem.add_named<nn::Conv2d>("conv" + number, in, out, 3,
                             Conv2dOptions{.stride = stride, .padding = 1}, /*with_bias=*/false);
  stem.add_named<nn::BatchNorm2d>("norm" + number, out);
  stem.add_named<nn::ReLU>("relu" + number);
}

void add_stem(nn::Sequential& stem, const Config& config) {
  int64_t in = 3, i = 1;
  for (int64_t left = config.stride; left > 1; left /= 2, ++i) {
    const int64_t out = config.width / (left / 2);
    add_convolution(stem, concat(i), in, out, 2);
    in = out;
  }
  for (int64_t k = 0; k < config.stem_layers; ++k, ++i) add_convolution(stem, concat(i), in, in, 1);
  stem.add_named<nn::Conv2d>("patches", in, config.width, 1);
}

/// Numbers in [0, 1] as D sines and cosines of several wavelengths: (…) → (…, D). The longest is 20
/// times the picture: nothing repeats within it (as in DAB-DETR).
Tensor wave_code(const Tensor& x, int64_t D) {
  std::vector<double> frequencies;
  for (int64_t i = 0; i < D / 2; ++i)
    frequencies.push_back(
        2 * std::numbers::pi *
        std::pow(20.0, 1 - 2.0 * static_cast<double>(2 * i) / static_cast<double>(D)));
  const Tensor angles = unsqueeze(x, -1) * to(from_vector(frequencies, {D / 2}), x.dtype());
  return cat({sin(angles), cos(angles)}, -1);
}

/// Boxes of a patch's size times 3 around the centre of every patch: (N, 4), shares of the sides.
Tensor patch_boxes(const Config& config, DType dtype) {
  const double h = static_cast<double>(config.rows()), w = static_cast<double>(config.columns());
  std::vector<double> numbers;
  for (double row = 0.5; row < h; ++row)
    for (double column = 0.5; column < w; ++column)
      numbers.insert(numbers.end(),
                     {column / w, row / h, std::min(0.9, 3 / w), std::min(0.9, 3 / h)});
  return to(from_vector(numbers, {config.rows() * config.columns(), 4}), dtype);
}

Tensor logit(const Tensor& p) { return log(p / (1 - p)); }

/// Rows `chosen` (B, K) of x (B, N, D): (B, K, D).
Tensor rows_of(const Tensor& x, const Tensor& chosen) {
  return gather(x, 1, expand(unsqueeze(chosen, -1), {chosen.size(0), chosen.size(1), x.size(2)}));
}

}  // namespace

Head::Head(int64_t width, int64_t classes, Generator& generator)
    : label(width, classes), hidden(width, width), offset(width, 4) {
  register_module("label", label);
  register_module("hidden", hidden);
  register_module("offset", offset);
  nn::xavier_uniform_(label.weight, 1, generator);
  nn::constant_(label.bias, -std::log(99.0));
  nn::xavier_uniform_(hidden.weight, 1, generator);
  nn::zeros_(hidden.bias);
  nn::xavier_uniform_(offset.weight, 0.01, generator);
  nn::zeros_(offset.bias);
}

Guess Head::forward(const Arg& x, const Tensor& places) {
  return {label(x), sigmoid(places + offset(relu(hidden(x))))};
}

QueryLayer::QueryLayer(const Config& config)
    : self_attn(config.width, config.heads, {.dropout = config.dropout, .batch_first = true}),
      cross_attn(config.width, config.heads, {.dropout = config.dropout, .batch_first = true}),
      linear1(config.width, config.mlp_width),
      linear2(config.mlp_width, config.width),
      norm1(config.width),
      norm2(config.width),
      norm3(config.width),
      dropout(config.dropout) {
  register_module("self_attn", self_attn);
  register_module("cross_attn", cross_attn);
  register_module("linear1", linear1);
  register_module("linear2", linear2);
  register_module("norm1", norm1);
  register_module("norm2", norm2);
  register_module("norm3", norm3);
  register_module("dropout", dropout);
}

Tensor QueryLayer::forward(const Arg& x, const Tensor& code, const Tensor& keys,
                           const Tensor& values, const Tensor& nearness, Tensor* weights) {
  Tensor y = norm1(x);
  Tensor z = x + dropout(self_attn(y + code, y + code, y));
  const Tensor asks = norm2(z) + code;
  const nn::AttentionOptions options{.attn_mask = nearness};
  if (weights != nullptr) {
    const nn::AttentionResult result = cross_attn.with_weights(asks, keys, values, options);
    *weights = result.weights;
    y = result.output;
  } else {
    y = cross_attn(asks, keys, values, options);
  }
  z = z + dropout(y);
  return z + dropout(linear2(dropout(gelu(linear1(norm3(z))))));
}

Detr::Detr(const Config& config, Generator& generator)
    : config(checked(config)),
      encoder(config.width, config.heads, config.layers,
              nn::TransformerStackOptions::pre_norm(config.mlp_width, config.dropout)),
      patch_head(config.width, config.classes, generator),
      query(config.width, config.width),
      place_hidden(2 * config.width, config.width),
      place_code(config.width, config.width) {
  register_module("stem", stem);
  register_module("encoder", encoder);
  register_module("query", query);
  register_module("place_hidden", place_hidden);
  register_module("place_code", place_code);
  add_stem(stem, config);
  for (int64_t i = 0; i < config.decoder_layers; ++i) {
    layers.emplace_back(config);
    norms.emplace_back(config.width);
  }
  register_module("layers", layers);
  for (const auto& [name, parameter] : named_parameters()) {
    if (name.ends_with("bias")) nn::zeros_(parameter);
    if (name.ends_with("weight") && parameter.dim() >= 2)
      nn::xavier_uniform_(parameter, 1, generator);
  }
  for (int64_t i = 0; i < config.decoder_layers; ++i)
    heads.emplace_back(config.width, config.classes, generator);
  register_module("norms", norms);
  register_module("patch_head", patch_head);
  register_module("heads", heads);
}

/// The position codes of boxes (B, K, 4): (B, K, C).
Tensor Detr::code_of(const Tensor& boxes) {
  return place_code(relu(place_hidden(flatten(wave_code(boxes, config.width / 2), -2))));
}

/// What is added to the scores of the cross-attention: −s_h · d² / 2 in head h, where d is the
/// distance of a patch from the box's centre, with the box half a unit wide and high, and s is 1, ¼,
/// 1/16, … and 0 in the last head, which sees all alike. (B, K, 4) → (B·H, K, N).
Tensor Detr::nearness(const Tensor& boxes) const {
  const Tensor centres = patch_boxes(config, boxes.dtype());  // (N, 4)
  const auto along = [&](int64_t axis, int64_t patches) {
    const Tensor apart = select(centres, 1, axis) - slice(boxes, 2, axis, axis + 1);  // (B, K, N)
    return square(apart /
                  (0.5 * slice(boxes, 2, axis + 2, axis + 3) + 0.5 / static_cast<double>(patches)));
  };
  const Tensor distance = along(0, config.columns()) + along(1, config.rows());
  std::vector<Tensor> all;
  for (int64_t h = 0; h < config.heads; ++h)
    all.push_back(distance * (h + 1 == config.heads && h > 0 ? 0.0 : -0.5 * std::pow(0.25, h)));
  const Tensor stacked = stack(all, 1);  // (B, H, K, N)
  return reshape(stacked, {-1, stacked.size(2), stacked.size(3)});
}

Output Detr::forward(const Arg& images, bool with_attention, const Places* fixed) {
  check(images.dim() == 4 && images.size(1) == 3 && images.size(2) == config.image_size.h &&
            images.size(3) == config.image_size.w,
        "detection", "images of shape ", images.shape(), ": expected (batch, 3, ",
        config.image_size.h, ", ", config.image_size.w, ")");
  const Tensor around = patch_boxes(config, images.dtype());
  const Tensor code = flatten(wave_code(slice(around, 1, 0, 2), config.width / 2), -2);  // (N, C)
  const Tensor memory = encoder(transpose(flatten(stem(images), 2), 1, 2) + code);
  Output out;
  out.guesses.push_back(patch_head(memory, logit(around)));
  const Guess& patches = out.guesses.front();
  out.places.chosen = fixed != nullptr
                          ? fixed->chosen
                          : topk(amax(patches.logits.detach(), {-1}), config.queries).indices;
  Tensor boxes = rows_of(patches.boxes, out.places.chosen);
  Tensor x = query(rows_of(memory, out.places.chosen));
  const Tensor keys = memory + code;
  for (int64_t i = 0; i < layers.size(); ++i) {
    const Tensor place = fixed != nullptr ? fixed->boxes[static_cast<size_t>(i)] : boxes.detach();
    out.places.boxes.push_back(place);
    Tensor* weights = with_attention && i + 1 == layers.size() ? &out.attention : nullptr;
    x = layers[i](x, code_of(place), keys, memory, nearness(place), weights);
    out.guesses.push_back(heads[i](norms[i](x), logit(clamp(place, 1e-4, 1 - 1e-4))));
    boxes = out.guesses.back().boxes;
  }
  return out;
}

}  // namespace tarsier::zoo::detection
