#include "zoo/image_gpt/model.h"

#include <cmath>
#include <tuple>

#include "nn/init.h"
#include "nn/layers/heads.h"

namespace tarsier::zoo::image_gpt {

namespace {

/// The config, if its sizes fit together.
const Config& checked(const Config& config) {
  const auto [h, w] = config.image_size;
  const int64_t p = config.patch;
  for (const int64_t size :
       {h, w, p, config.width, config.layers, config.heads, config.mlp_width, config.reach})
    check(size > 0, "image-gpt", "a size is ", size, ": all must be positive");
  check(h % p == 0 && w % p == 0, "image-gpt", "blocks of ", p, " × ", p,
        " pixels do not fill a picture of ", h, " × ", w, ": patch must divide its sides");
  check(config.width % config.heads == 0 && config.width / config.heads % 4 == 0, "image-gpt",
        "width=", config.width, " in ", config.heads,
        " heads: every head must get a multiple of 4, half of it for rows and half for columns");
  config.kinds();
  return config;
}

}  // namespace

int64_t Config::kinds() const {
  int64_t count = 1;
  for (int64_t i = 0; i < patch * patch && count <= 256; ++i) count *= levels;
  check(levels >= 2 && count <= 256, "image-gpt", "blocks of ", patch, " × ", patch, " pixels of ",
        levels, " levels: there may be up to 256 kinds of blocks, and at least 2 ",
        "levels; take another patch or other levels");
  return count;
}

// -------------------------------------------------------------------------------------------- stem

Stem::Stem(const Config& config) : out(config.mlp_width, config.width), patch(config.patch) {
  const int64_t up = config.reach + patch, wide = patch + 2 * config.reach;
  register_parameter("weight", weight, Tensor::empty({config.mlp_width, 1, up, wide}));
  register_parameter("bias", bias, zeros({config.mlp_width}));
  std::vector<float> before;
  for (int64_t y = 0; y < up; ++y)
    for (int64_t x = 0; x < wide; ++x) before.push_back(y < config.reach || x < config.reach);
  register_buffer("mask", mask, from_vector(before, {up, wide}));
  register_module("out", out);
}

Tensor Stem::forward(const Arg& values) {
  const Tensor seen = conv2d(values, weight * mask, bias, {.stride = patch});
  return out(gelu(transpose(flatten(seen, 2), 1, 2)));
}

// --------------------------------------------------------------------------------------- attention

LocalAttention2d::LocalAttention2d(const Config& config)
    : in_proj(config.width, 3 * config.width, false),
      out_proj(config.width, config.width, false),
      heads(config.heads),
      dropout(config.dropout) {
  register_module("in_proj", in_proj);
  register_module("out_proj", out_proj);
}

LocalAttention2d::Heads LocalAttention2d::split(const Arg& x, Grid& grid, int64_t position) {
  const std::vector<Tensor> qkv = chunk(in_proj(x), 3, 2);
  return {grid.rotated(nn::split_heads(qkv[0], heads), position),
          grid.rotated(nn::split_heads(qkv[1], heads), position), nn::split_heads(qkv[2], heads)};
}

Tensor LocalAttention2d::forward(const Arg& x, Grid& grid, nn::KVCache* cache) {
  const int64_t before = cache != nullptr ? cache->length() : 0;
  auto [q, k, v] = split(x, grid, before);
  if (cache != nullptr) std::tie(k, v) = cache->append(k, v);
  return out_proj(nn::join_heads(grid.attend(q, k, v, before, is_training() ? dropout : 0)));
}

Tensor LocalAttention2d::weights(const Arg& x, Grid& grid) {
  const auto [q, k, v] = split(x, grid, 0);
  const int64_t T = x.size(1);  // attention with the identity as values returns its weights
  return grid.attend(q, k, expand(eye(T, x.dtype()), {x.size(0), heads, T, T}), 0, 0);
}

Block::Block(const Config& config, int64_t neighbours)
    : norm1(config.width),
      attn(config),
      norm2(config.width),
      linear1(config.width, config.mlp_width, false),
      linear2(config.mlp_width, config.width, false),
      dropout(config.dropout) {
  register_module("norm1", norm1);
  register_module("attn", attn);
  register_module("norm2", norm2);
  register_module("linear1", linear1);
  register_module("linear2", linear2);
  for (auto& [name, weights] : {std::pair{"near1", &near1}, {"near2", &near2}}) {
    const Tensor others = zeros({(neighbours - 1) * config.width});
    register_parameter(name, *weights, cat({others, ones({config.width})}, 0));
  }
  register_module("dropout", dropout);
}

Tensor Block::near(const Tensor& x, const Tensor& weights, Grid& grid, int64_t first,
                   Tensor* last) {
  const int64_t kept = grid.kept();
  const Tensor before =
      last != nullptr && last->defined() ? *last : zeros({x.size(0), kept, x.size(2)}, x.dtype());
  if (last != nullptr) *last = slice(cat({before, x}, 1), 1, x.size(1), x.size(1) + kept);
  return grid.nearby(x, reshape(weights, {grid.neighbours(), x.size(2)}), before, first);
}

Tensor Block::forward(const Arg& x, Grid& grid, LayerCache* cache) {
  nn::KVCache* const keys_values = cache != nullptr ? &cache->keys_values : nullptr;
  const int64_t first = cache != nullptr ? keys_values->length() : 0;
  const Tensor to_attend =
      near(norm1(x), near1, grid, first, cache != nullptr ? &cache->last1 : nullptr);
  const Tensor seen = x + dropout(attn(to_attend, grid, keys_values));
  const Tensor y =
      near(norm2(seen), near2, grid, first, cache != nullptr ? &cache->last2 : nullptr);
  return seen + dropout(linear2(dropout(square(relu(linear1(y))))));
}

// ------------------------------------------------------------------------------------------- model

ImageGpt::ImageGpt(const Config& config, Generator& generator)
    : config(checked(config)),
      grid(config.image_size.h / config.patch, config.image_size.w / config.patch, config.window,
           config.width / config.heads / 2, config.near),
      stem(config),
      dropout(config.dropout),
      layers(config.layers, config, grid.neighbours()),
      norm(config.width),
      head(config.width, config.kinds()) {
  register_module("stem", stem);
  register_parameter("row_embedding", row_embedding, Tensor::empty({grid.rows(), config.width}));
  register_parameter("column_embedding", column_embedding,
                     Tensor::empty({grid.columns(), config.width}));
  if (config.changes > 0)
    register_parameter("change_embedding", change_embedding,
                       Tensor::empty({config.changes, config.width}));
  register_module("dropout", dropout);
  register_module("layers", layers);
  register_module("norm", norm);
  register_module("head", head);
  for (const auto& [name, parameter] : named_parameters()) {
    const bool writes = name.ends_with("out_proj.weight") || name.ends_with("linear2.weight");
    const double small = writes ? 1 / std::sqrt(2.0 * static_cast<double>(config.layers)) : 1;
    if (parameter.dim() >= 2) nn::normal_(parameter, 0, 0.02 * small, generator);
    if (name.ends_with("bias")) nn::zeros_(parameter);
  }
  nn::normal_(stem.weight, 0, 1 / std::sqrt(sum(stem.mask).item()), generator);
}

Tensor ImageGpt::kinds(const Arg& pixels) const {
  const int64_t p = config.patch;
  check(pixels.dim() == 3 && pixels.size(1) > 0 && pixels.size(1) <= config.image_size.h &&
            pixels.size(1) % p == 0 && pixels.size(2) == config.image_size.w,
        "image-gpt", "pixels of shape ", pixels.shape(), ": expected (batch, ", config.image_size.h,
        ", ", config.image_size.w, "), or fewer rows of blocks of ", p);
  std::vector<int64_t> powers{1};
  while (static_cast<int64_t>(powers.size()) < p * p)
    powers.push_back(powers.back() * config.levels);
  const int64_t B = pixels.size(0), rows = pixels.size(1) / p;
  const Tensor blocks = permute(reshape(pixels, {B, rows, p, grid.columns(), p}), {0, 1, 3, 2, 4});
  return sum(reshape(blocks, {B, rows * grid.columns(), p * p}) * from_vector(powers, {p * p}), 2);
}

/// Levels as numbers from −1 to 1, with zeros around the picture: (B, 1, reach + height, …).
Tensor ImageGpt::padded(const Arg& pixels) const {
  const double scale = 2 / static_cast<double>(config.levels - 1);
  const Tensor values = tarsier::to(pixels, row_embedding.dtype()) * scale - 1;
  return pad(unsqueeze(values, 1), {config.reach, config.reach, config.reach, 0});
}

/// The input of the first layer: (B, T, C).
Tensor ImageGpt::embedded(const Arg& pixels, const Tensor& changes) {
  const int64_t rows = pixels.size(1) / config.patch;
  const Tensor places = unsqueeze(slice(row_embedding, 0, 0, rows), 1) + column_embedding;
  Tensor x = stem(padded(pixels)) + flatten(places, 0, 1);
  if (changes.defined()) x = x + unsqueeze(matmul(changes, change_embedding), 1);
  return dropout(x);
}

Tensor ImageGpt::forward(const Arg& pixels, const Tensor& changes) {
  kinds(pixels);  // reports a wrong size
  Tensor x = embedded(pixels, changes);
  for (Block& block : layers) x = block(x, grid);
  return head(norm(x));
}

Tensor ImageGpt::next(const Arg& pixels, int64_t t, Cache& cache) {
  check(!is_training(), "image-gpt", "the model is training: call eval() before next()");
  cache.resize(static_cast<size_t>(config.layers));
  const int64_t r = t / grid.columns(), c = t % grid.columns(), p = config.patch;
  const Tensor rows = slice(padded(pixels), 2, r * p, (r + 1) * p + config.reach);
  Tensor x = stem(slice(rows, 3, c * p, (c + 1) * p + 2 * config.reach)) +
             (select(row_embedding, 0, r) + select(column_embedding, 0, c));
  for (int64_t i = 0; i < layers.size(); ++i)
    x = layers[i](x, grid, &cache[static_cast<size_t>(i)]);
  return select(head(norm(x)), 1, 0);
}

std::vector<Tensor> ImageGpt::attention(const Arg& pixels) {
  const NoGrad no_grad;
  check(!is_training(), "image-gpt", "the model is training: call eval() before attention()");
  std::vector<Tensor> weights;
  Tensor x = embedded(pixels);
  for (Block& block : layers) {
    weights.push_back(block.attn.weights(block.queried(x, grid), grid));
    x = block(x, grid);
  }
  return weights;
}

}  // namespace tarsier::zoo::image_gpt
