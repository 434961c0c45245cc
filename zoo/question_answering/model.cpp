#include "zoo/question_answering/model.h"

#include <cmath>

#include "nn/init.h"
#include "nn/layers/heads.h"

namespace tarsier::zoo::question_answering {

namespace {

constexpr int64_t kFunctions = 4;     // of the distance
constexpr double kDistanceScale = 4;  // so that they are learned fast
constexpr double kEmbedding = 0.1;    // deviation at the start
constexpr double kMatching = 1.4;     // of the maps of query and key at the start

const Config& checked(const Config& config) {
  check(config.heads > 0 && config.width % config.heads == 0, "question_answering",
        "heads=", config.heads, " does not divide width=", config.width,
        ": every head gets an equal share of the width; take another number of heads or width");
  for (const int64_t size : {config.words, config.answers, config.max_words, config.steps,
                             config.mlp_width, config.word_layers})
    check(size > 0, "question_answering", "a size is ", size, ": all must be positive");
  return config;
}

}  // namespace

// ---------------------------------------------------------------------------------- line reader

LineReader::LineReader(const Config& config)
    : embedding(config.words, config.width),
      from_start(config.max_words + 1, config.width),
      from_end(config.max_words + 1, config.width),
      dropout(config.dropout),
      encoder(config.width, config.heads, config.word_layers,
              nn::TransformerStackOptions::pre_norm(2 * config.width, config.dropout)) {
  register_module("embedding", embedding);
  register_module("from_start", from_start);
  register_module("from_end", from_end);
  register_module("dropout", dropout);
  register_module("encoder", encoder);
}

Tensor LineReader::forward(const Arg& words, const Tensor& padding) {
  check(words.dim() == 2 && words.size(1) <= from_start.num_embeddings(), "question_answering",
        "words of shape ", words.shape(), ": expected (lines, words), up to ",
        from_start.num_embeddings(), " words with the mark");
  const int64_t U = words.size(0), W = words.size(1);
  const Tensor place = expand(unsqueeze(arange(W), 0), {U, W});
  const Tensor left = clamp(sum(!padding, 1, true) - 1 - place, 0);  // words that follow
  const Tensor embedded = embedding(words);
  const Tensor x = dropout(embedded + from_start(place) + from_end(left));
  const Tensor there = unsqueeze(tarsier::to(!padding, x.dtype()), 2);
  return select(encoder(x, {.src_key_padding_mask = padding}), 1, 0) + sum(embedded * there, 1);
}

// ---------------------------------------------------------------------------------------- block

Block::Block(const Config& config)
    : heads(config.heads),
      norm1(config.width),
      in_proj(config.width, 3 * config.width),
      out_proj(config.width, config.width),
      norm2(config.width),
      linear1(config.width, config.mlp_width),
      linear2(config.mlp_width, config.width),
      dropout(config.dropout) {
  register_module("norm1", norm1);
  register_module("in_proj", in_proj);
  register_module("out_proj", out_proj);
  register_module("norm2", norm2);
  register_module("linear1", linear1);
  register_module("linear2", linear2);
  register_module("dropout", dropout);
}

Tensor Block::forward(const Arg& x, const Tensor& bias, Tensor* weights) {
  const std::vector<Tensor> maps = chunk(in_proj(norm1(x)), 3, -1);
  const Tensor q = nn::split_heads(maps[0], heads), k = nn::split_heads(maps[1], heads),
               v = nn::split_heads(maps[2], heads);  // (B, H, L, D)
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(3)));
  const Tensor p = softmax(matmul(q * scale, transpose(k, 2, 3)) + bias, -1);
  if (weights != nullptr) *weights = p;
  const Tensor seen = x + dropout(out_proj(nn::join_heads(matmul(dropout(p), v))));
  return seen + dropout(linear2(gelu(linear1(norm2(seen)))));
}

// ---------------------------------------------------------------------------------------- model

UniversalReader::UniversalReader(const Config& config, Generator& generator)
    : config(checked(config)),
      reader(config),
      block(config),
      halting(config.halting ? std::make_unique<nn::AdaptiveComputation>(config.width, config.steps)
                             : nullptr),
      norm(config.width),
      dropout(config.dropout),
      head(config.width, config.answers) {
  register_module("reader", reader);
  register_parameter("distance", distance, zeros({config.heads, kFunctions}));
  register_parameter("signals", signals, zeros({config.steps, config.width}));
  register_module("block", block);
  if (halting) register_module("halting", *halting);
  register_module("norm", norm);
  register_module("dropout", dropout);
  register_module("head", head);
  for (const auto& [name, parameter] : named_parameters()) {
    if (name.ends_with("bias")) nn::zeros_(parameter);
    if (name.ends_with("weight") && parameter.dim() >= 2)
      nn::xavier_uniform_(parameter, 1, generator);
  }
  for (const Tensor& table :
       {reader.embedding.weight, reader.from_start.weight, reader.from_end.weight, signals})
    nn::normal_(table, 0, kEmbedding, generator);
  const NoGrad no_grad;
  const Tensor query = slice(block.in_proj.weight, 0, 0, config.width);
  nn::orthogonal_(query, kMatching, generator);
  copy_(slice(block.in_proj.weight, 0, config.width, 2 * config.width), query);
  for (int64_t h = 0; h < config.heads; ++h)  // the scores lose (0, 2, 4, 8, 0, …) · ln(1 + d)
    distance.data<float>()[h * kFunctions + 2] =
        h % 4 == 0 ? 0 : -std::ldexp(0.25f, static_cast<int>(h % 4));
}

/// What is added to the scores of every head: (B, H, L, L).
Tensor UniversalReader::bias_of(const Input& input, DType dtype) const {
  const Tensor times = tarsier::to(input.times, dtype);
  const Tensor d = abs(unsqueeze(times, 2) - unsqueeze(times, 1));  // (B, L, L)
  const Tensor functions =
      stack({tarsier::to(d == 0, dtype), tarsier::to(d == 1, dtype), log(d + 1), d * 0.125},
            1);  // (B, F, L, L)
  const Tensor bias = matmul(distance * kDistanceScale, flatten(functions, 2));
  const Tensor shaped = reshape(bias, {d.size(0), config.heads, d.size(1), d.size(2)});
  return masked_fill(shaped, unsqueeze(input.hidden, 1), -1e9);  // every line sees one
}

Thought UniversalReader::forward(const Arg& words, const Input& input, bool with_weights) {
  const Tensor x = tarsier::embedding(input.lines, reader(words, input.padding));  // (B, L, C)
  const Tensor bias = bias_of(input, x.dtype());
  Thought thought;
  const auto step = [&](const Tensor& state, int64_t n) {
    Tensor weights;
    const Tensor next =
        block(state + select(signals, 0, n), bias, with_weights ? &weights : nullptr);
    if (with_weights) thought.weights.push_back(weights);
    return next;
  };
  const auto asked = [&](const Tensor& of_lines) {
    return index_select(flatten(of_lines, 0, 1), 0, input.places);
  };
  Tensor y = x;
  if (halting) {
    const nn::ComputationResult result = (*halting)(x, step);
    const Tensor present = tarsier::to(input.present, x.dtype());
    y = result.output;
    thought.ponder = sum(result.ponder * present) / sum(present);
    thought.steps = asked(unsqueeze(result.steps, 2));
  } else {
    for (int64_t n = 0; n < config.steps; ++n) y = step(y, n);
  }
  thought.scores = head(dropout(norm(asked(y))));
  return thought;
}

}  // namespace tarsier::zoo::question_answering
