#include "zoo/text_classifier/model.h"

#include <algorithm>
#include <map>
#include <utility>

#include "nn/init.h"

namespace tarsier::zoo::text_classifier {

namespace {

/// The eps of BERT's layer norms.
constexpr double kBertEps = 1e-12;

const Config& checked(const Config& config) {
  check(config.heads > 0 && config.width % config.heads == 0, "text_classifier",
        "heads=", config.heads, " does not divide width=", config.width,
        ": every head gets an equal share of the width; take another number of heads or width");
  check(config.embedding_scale > 0, "text_classifier", "embedding_scale=", config.embedding_scale,
        ": expected a number above 0");
  check(config.pairs >= 0, "text_classifier", "pairs=", config.pairs,
        ": expected the number of pairs with an embedding, 0 for none");
  return config;
}

nn::TransformerStackOptions stack_of(const Config& config) {
  if (!config.post_norm)
    return nn::TransformerStackOptions::pre_norm(config.mlp_width, config.dropout);
  return {.layer = {.dim_feedforward = config.mlp_width,
                    .dropout = config.dropout,
                    .activation = "gelu",
                    .layer_norm_eps = kBertEps,
                    .batch_first = true}};
}

}  // namespace

TextClassifier::TextClassifier(const Config& config, Generator& generator)
    : config(checked(config)),
      embedding(config.vocab_size, config.width),
      pair_embedding(config.pairs > 0
                         ? std::make_unique<nn::Embedding>(config.pairs + 1, config.width)
                         : nullptr),
      positions(nn::input_positions(config.position, config.max_length, config.width)),
      embedding_norm(config.post_norm ? std::make_unique<nn::LayerNorm>(config.width, kBertEps)
                                      : nullptr),
      dropout(config.dropout),
      encoder(config.width, config.heads, config.layers, stack_of(config)),
      head(config.width, config.classes) {
  register_module("embedding", embedding);
  if (pair_embedding) {
    register_module("pair_embedding", *pair_embedding);
    register_buffer("pair_keys", pair_keys, full({config.pairs}, -1, i64));
  }
  if (positions) register_module("positions", *positions);
  if (embedding_norm) register_module("embedding_norm", *embedding_norm);
  register_module("dropout", dropout);
  register_module("encoder", encoder);
  register_module("head", head);
  initialize(generator);
}

void TextClassifier::initialize(Generator& generator) {
  for (const auto& [name, parameter] : named_parameters()) {
    if (name.ends_with("bias")) nn::zeros_(parameter);
    if (name.ends_with("weight") && parameter.dim() >= 2)
      nn::xavier_uniform_(parameter, 1, generator);
  }
  const double deviation = config.embedding_deviation / config.embedding_scale;
  nn::normal_(embedding.weight, 0, deviation, generator);
  if (pair_embedding) nn::normal_(pair_embedding->weight, 0, deviation, generator);
}

void TextClassifier::choose_pairs(const std::vector<std::vector<int32_t>>& texts) {
  if (!pair_embedding) return;
  std::map<int64_t, int64_t> counts;
  for (const std::vector<int32_t>& text : texts)
    for (size_t t = 1; t < text.size(); ++t) ++counts[text[t - 1] * config.vocab_size + text[t]];
  std::vector<std::pair<int64_t, int64_t>> frequent;  // the most frequent first
  for (const auto& [key, count] : counts)
    if (count >= 2) frequent.emplace_back(-count, key);
  std::sort(frequent.begin(), frequent.end());
  frequent.resize(std::min(frequent.size(), static_cast<size_t>(config.pairs)));
  std::vector<int64_t> keys(static_cast<size_t>(config.pairs), -1);
  for (size_t i = 0; i < frequent.size(); ++i) keys[i] = frequent[i].second;
  std::sort(keys.begin(), keys.end());
  copy_(pair_keys, from_vector(keys, {config.pairs}));
}

/// The row of the pair embedding for every token of texts of length T, in order.
std::vector<int64_t> TextClassifier::pair_rows(const std::vector<int64_t>& tokens,
                                               size_t length) const {
  const int64_t *begin = pair_keys.data<int64_t>(), *end = begin + config.pairs;
  std::vector<int64_t> rows(tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i % length == 0) continue;  // the first token has no pair
    const int64_t key = tokens[i - 1] * config.vocab_size + tokens[i];
    const int64_t* at = std::lower_bound(begin, end, key);
    if (at != end && *at == key) rows[i] = at - begin + 1;
  }
  return rows;
}

namespace {

/// How often each thing occurs in texts of each class, plus 2 (with 1, rare words would say more):
/// (rows, classes).
struct Counts {
  int64_t rows, classes;
  std::vector<double> of, total;
  Counts(int64_t rows, int64_t classes)
      : rows(rows),
        classes(classes),
        of(static_cast<size_t>(rows * classes), 2.0),
        total(static_cast<size_t>(classes), 2.0 * static_cast<double>(rows)) {}

  void add(int64_t row, int64_t label) {
    of[static_cast<size_t>(row * classes + label)] += 1;
    total[static_cast<size_t>(label)] += 1;
  }

  /// log(p_c / p_¬c): (rows, classes).
  Tensor log_ratios() const {
    const Tensor n = from_vector(of, {rows, classes}), all = from_vector(total, {classes});
    return log(n / all) - log((sum(n, 1, true) - n) / (sum(all) - all));
  }
};

}  // namespace

void TextClassifier::start_from_counts(const std::vector<std::vector<int32_t>>& texts,
                                       const std::vector<int64_t>& labels, double scale,
                                       Generator& generator) {
  Counts tokens(config.vocab_size, config.classes), pairs(config.pairs + 1, config.classes);
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::vector<int64_t> text(texts[i].begin(), texts[i].end());
    for (int64_t token : text) tokens.add(token, labels[i]);
    if (!pair_embedding) continue;
    for (int64_t row : pair_rows(text, text.size())) pairs.add(row, labels[i]);
  }
  const NoGrad no_grad;
  const Tensor directions =
      randn({config.classes, config.width}, f64, generator) * (scale / config.embedding_scale);
  const auto add = [&](const Tensor& weight, const Counts& counts) {
    copy_(weight, weight + tarsier::to(matmul(counts.log_ratios(), directions), weight.dtype()));
  };
  add(embedding.weight, tokens);
  if (pair_embedding) add(pair_embedding->weight, pairs);
}

int64_t TextClassifier::longest() const {
  return config.position == nn::PositionKind::learned ? config.max_length : kNoLimit;
}

/// The input of the encoder: (B, T, C).
Tensor TextClassifier::embedded(const Arg& index) {
  check(index.dim() == 2, "text_classifier", "indices of shape ", index.shape(),
        ": expected (B, T)");
  check(index.size(1) <= longest(), "text_classifier", "indices of shape ", index.shape(),
        ": expected (B, T) with T up to max_length ", config.max_length,
        ", where learned positions end");
  Tensor x = embedding(index);  // (B, T, C)
  if (pair_embedding)
    x = x + (*pair_embedding)(from_vector(
                pair_rows(index.to_vector<int64_t>(), static_cast<size_t>(index.size(1))),
                index.shape()));
  x = x * config.embedding_scale;
  if (positions) x = (*positions)(x);
  if (embedding_norm) x = (*embedding_norm)(x);
  return dropout(x);
}

Tensor TextClassifier::text_mean(const Tensor& x, const Tensor& padding) {
  const Tensor seen = unsqueeze(tarsier::to(!padding, x.dtype()), -1);  // (B, T, 1)
  return sum(x * seen, 1) / sum(seen, 1);
}

Tensor TextClassifier::forward(const Arg& index, const Tensor& padding) {
  const Tensor x = encoder(embedded(index), {.src_key_padding_mask = padding});
  const bool first = config.pooling == Pooling::class_token;
  return head(dropout(first ? select(x, 1, 0) : text_mean(x, padding)));  // (B, classes)
}

Tensor TextClassifier::attention(const Arg& index, const Tensor& padding) {
  const Tensor weights = encoder.with_weights(embedded(index), {.src_key_padding_mask = padding})
                             .weights.back();  // (B, T, T)
  const bool first = config.pooling == Pooling::class_token;
  return first ? select(weights, 1, 0) : text_mean(weights, padding);
}

}  // namespace tarsier::zoo::text_classifier
