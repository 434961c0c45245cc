#include "zoo/music/model.h"

#include <cmath>

#include "nn/init.h"

namespace tarsier::zoo::music {

Block::Block(const Config& config)
    : norm1(config.width),
      attn(config.width, config.heads, {.max_distance = config.window, .dropout = config.dropout}),
      norm2(config.width),
      linear1(config.width, config.mlp_width, false),
      linear2(config.mlp_width, config.width, false),
      dropout(config.dropout) {
  register_module("norm1", norm1);
  register_module("attn", attn);
  register_module("norm2", norm2);
  register_module("linear1", linear1);
  register_module("linear2", linear2);
  register_module("dropout", dropout);
}

MusicTransformer::MusicTransformer(const Config& config, Generator& generator)
    : config(config),
      facts(config.voices, config.low, config.high, config.bar, config.echo),
      table(facts.rows(), config.width),
      dropout(config.dropout),
      layers(config.layers, config),
      norm(config.width),
      head(config.width, facts.notes()),
      interval_head(config.width, 2 * facts.notes() - 2) {
  register_module("table", table);
  register_module("dropout", dropout);
  register_module("layers", layers);
  register_module("norm", norm);
  register_module("head", head);
  register_module("interval_head", interval_head);
  const int64_t V = facts.notes(), pitches = V - 1;
  std::vector<int64_t> from_to;
  for (int64_t from = 0; from <= V; ++from)
    for (int64_t to = 0; to < V; ++to)
      from_to.push_back(from < pitches && to < pitches ? to - from + pitches - 1 : 2 * pitches - 1);
  register_buffer("intervals", intervals, from_vector(from_to, {V + 1, V}));
  for (const auto& [name, parameter] : named_parameters()) {
    const bool writes = name.ends_with("out_proj.weight") || name.ends_with("linear2.weight");
    const double small = writes ? 1 / std::sqrt(2.0 * static_cast<double>(config.layers)) : 1;
    if (parameter.dim() >= 2) nn::normal_(parameter, 0, 0.02 * small, generator);
    if (name.ends_with("bias")) nn::zeros_(parameter);
  }
}

Tensor MusicTransformer::intervals_from(const Tensor& known) const {
  const Tensor previous = facts.previous(known);
  return reshape(index_select(intervals, 0, flatten(previous)),
                 {known.size(0), known.size(1), facts.notes()});
}

Tensor MusicTransformer::forward(const Arg& known, Cache* cache) {
  check(known.dim() == 3 && known.size(2) == facts.count(), "music", "facts of shape ",
        known.shape(), ": expected (batch, time, ", facts.count(), ")");
  if (cache != nullptr) cache->resize(static_cast<size_t>(config.layers));
  Tensor x = dropout(sum(table(known), 2));
  for (int64_t i = 0; i < layers.size(); ++i)
    x = layers[i](x, cache != nullptr ? &(*cache)[static_cast<size_t>(i)] : nullptr);
  x = norm(x);
  return head(x) + gather(interval_head(x), 2, intervals_from(known));
}

std::vector<Tensor> MusicTransformer::attention(const Arg& known) {
  const NoGrad no_grad;
  check(!is_training(), "music", "the model is training: call eval() before attention()");
  std::vector<Tensor> weights;
  Tensor x = sum(table(known), 2);
  for (Block& block : layers) {
    weights.push_back(block.attn.weights(block.norm1(x)));
    x = block(x);
  }
  return weights;
}

}  // namespace tarsier::zoo::music
