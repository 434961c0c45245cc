#include "zoo/summarize/model.h"

#include <cmath>

#include "nn/init.h"
#include "zoo/summarize/copying.h"

namespace tarsier::zoo::summarize {

namespace {

transformer::Config body_of(const Config& config) {
  return {.source_vocab = config.vocab,
          .target_vocab = config.vocab,
          .max_length = config.max_length,
          .width = config.width,
          .layers = config.layers,
          .heads = config.heads,
          .mlp_width = config.mlp_width,
          .dropout = config.dropout,
          .position = config.position,
          .share_embeddings = true};
}

}  // namespace

Summarizer::Summarizer(const Config& config, Generator& random)
    : config(config),
      body(body_of(config), random),
      query(config.width, config.width),
      key(config.width, config.width),
      merge(config.width, config.width),
      gate(2 * config.width, 1) {
  register_module("body", body);
  register_module("query", query);
  register_module("key", key);
  register_module("merge", merge);
  register_module("gate", gate);
  register_parameter("evidence_pointer", evidence_pointer, zeros({kEvidence}));
  register_parameter("evidence_gate", evidence_gate, zeros({kEvidence}));
  for (nn::Linear* layer : {&query, &key, &merge, &gate}) {
    nn::xavier_uniform_(layer->weight, 1, random);
    nn::zeros_(layer->bias);
  }
}

Tensor Summarizer::in_vocabulary(const Tensor& ids) const {
  return masked_fill(ids, ids >= static_cast<double>(config.vocab), kUnknown);
}

Reading Summarizer::read(const Tensor& source, const Tensor& padding) {
  const Tensor memory = body.encode(in_vocabulary(source), padding);
  return {source, padding, memory, key(memory)};
}

Decoded Summarizer::decode(const Tensor& target, const Reading& reading, nn::DecoderCache* cache) {
  const int64_t known = cache != nullptr ? cache->length() : 0;
  const Tensor newest = slice(target, 1, known);
  const Tensor h = body.decode(in_vocabulary(newest), reading.memory, reading.padding, cache);
  Tensor scores = matmul(query(h), transpose(reading.keys, 1, 2)) /
                  std::sqrt(static_cast<double>(config.width));
  std::vector<Tensor> found;
  for (const Tensor& all : phrase_evidence(reading.source, target)) {
    const Tensor evidence = tarsier::to(slice(all, 1, known), scores.dtype());  // (B, T, S)
    scores = scores + select(evidence_pointer, 0, std::ssize(found)) * evidence;
    found.push_back(amax(evidence, {-1}));
  }
  if (reading.padding.defined()) scores = masked_fill(scores, unsqueeze(reading.padding, 1), -1e9);
  const Tensor log_attention = log_softmax(scores, -1);
  const Tensor context = matmul(exp(log_attention), reading.memory);
  const Tensor gate_logit =
      squeeze(gate(cat({h, context}, -1)), -1) + sum(stack(found, -1) * evidence_gate, {-1});
  return {h + merge(context), gate_logit, log_attention};
}

Summarizer::Cost Summarizer::forward(const Tensor& source, const Tensor& padding,
                                     const Tensor& target, const Tensor& next,
                                     const Tensor& places) {
  const Decoded decoded = decode(target, read(source, padding));
  const auto chosen = [&](const Tensor& x) { return index_select(flatten(x, 0, 1), 0, places); };
  const Tensor word = chosen(next);                              // (N)
  const Tensor own = word >= static_cast<double>(config.vocab);  // has no logit
  const Tensor surprise = cross_entropy(body.generator(chosen(decoded.hidden)), in_vocabulary(word),
                                        {.reduction = Reduction::none});
  const Tensor copied = chosen(log_copied(decoded.log_attention, source, next));
  return {-log_mixture(chosen(decoded.gate_logit), masked_fill(-surprise, own, -1e9), copied),
          chosen(coverage(exp(decoded.log_attention)))};
}

}  // namespace tarsier::zoo::summarize
