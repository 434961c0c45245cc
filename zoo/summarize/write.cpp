#include "zoo/summarize/write.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "zoo/data/sampler.h"
#include "zoo/summarize/copying.h"

namespace tarsier::zoo::summarize {

namespace {

/// The same document in each of `rows` rows.
Reading repeated(const Reading& one, int64_t rows) {
  const auto rows_of = [&](const Tensor& x) {
    Shape shape = x.shape();
    shape[0] = rows;
    return contiguous(expand(x, shape));
  };
  return {rows_of(one.source), {}, rows_of(one.memory), rows_of(one.keys)};
}

}  // namespace

std::vector<int32_t> summarize(Summarizer& model, const Document& document,
                               transformer::BeamOptions options) {
  const NoGrad no_grad;
  const int64_t K = options.beams, S = std::ssize(document.ids);
  const int64_t words = model.config.vocab + std::ssize(document.own);
  const Reading reading = repeated(model.read(pad_rows({document.ids}, kPad)), K);
  const Tensor id = arange(words), never = id == kPad || id == kUnknown || id == kBegin;
  nn::DecoderCache cache;
  std::vector<std::vector<int32_t>> written(static_cast<size_t>(K));
  const transformer::NextToken next = [&](const std::vector<int64_t>& parents,
                                          const std::vector<int32_t>& tokens) {
    cache.reorder(from_vector(parents, {K}));
    std::vector<std::vector<int32_t>> longer;
    for (size_t i = 0; i < parents.size(); ++i) {
      longer.push_back(written[static_cast<size_t>(parents[i])]);
      longer.back().push_back(tokens[i]);
    }
    written = std::move(longer);
    const Decoded last = model.decode(pad_rows(written, kPad), reading, &cache);
    const auto now = [](const Tensor& x) { return select(x, 1, 0); };
    const Tensor p = distribution(now(last.gate_logit), model.body.generator(now(last.hidden)),
                                  now(last.log_attention), reading.source, words);
    return masked_fill(log(p), never, -INFINITY);
  };
  options.max_length = std::min({options.max_length, model.body.longest() - 1, S + 10});
  return transformer::beam_search(next, kBegin, kEnd, options).front().tokens;
}

Origin origin_of(Summarizer& model, const Document& document, const std::vector<int32_t>& summary) {
  const NoGrad no_grad;
  std::vector<int32_t> read = summary, written = summary;
  read.insert(read.begin(), kBegin);
  written.push_back(kEnd);
  const Reading reading = model.read(pad_rows({document.ids}, kPad));
  const Tensor next = pad_rows({written}, kPad);
  const Decoded decoded = model.decode(pad_rows({read}, kPad), reading);
  const Tensor pointed = log_copied(decoded.log_attention, reading.source, next);
  const Tensor copied = sigmoid(-decoded.gate_logit) * exp(pointed);  // (1, T + 1)
  const Tensor all = distribution(
      select(decoded.gate_logit, 0, 0), model.body.generator(select(decoded.hidden, 0, 0)),
      select(decoded.log_attention, 0, 0),
      expand(reading.source, {std::ssize(written), reading.source.size(1)}),
      model.config.vocab + std::ssize(document.own));
  const Tensor total = squeeze(gather(all, 1, unsqueeze(select(next, 0, 0), 1)), 1);
  return {(select(copied, 0, 0) / total).to_vector(), exp(select(decoded.log_attention, 0, 0))};
}

}  // namespace tarsier::zoo::summarize
