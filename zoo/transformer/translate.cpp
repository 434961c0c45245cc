#include "zoo/transformer/translate.h"

#include <algorithm>
#include <cmath>

#include "zoo/data/sampler.h"
#include "zoo/data/tokenizer.h"

namespace tarsier::zoo::transformer {

std::vector<int32_t> best_sequence(const NextLogits& logits, int64_t vocabulary,
                                   const BeamOptions& options) {
  // What is written must not contain unknown words.
  const Tensor id = arange(vocabulary), never = id == kPad || id == kUnknown || id == kBegin;
  const int64_t K = options.beams;
  nn::DecoderCache cache;
  const NextToken next = [&](const std::vector<int64_t>& parents,
                             const std::vector<int32_t>& tokens) {
    cache.reorder(from_vector(parents, {K}));
    const Tensor newest = from_vector(std::vector<int64_t>(tokens.begin(), tokens.end()), {K, 1});
    return masked_fill(log_softmax(logits(newest, cache), -1), never, -INFINITY);
  };
  return beam_search(next, kBegin, kEnd, options).front().tokens;
}

std::vector<int32_t> translate(Translator& model, const std::vector<int32_t>& source,
                               BeamOptions options) {
  const NoGrad no_grad;
  const int64_t K = options.beams, S = static_cast<int64_t>(source.size());
  const Tensor one = model.encode(pad_rows({source}, kPad), Tensor());  // (1, S, C)
  const Tensor memory = contiguous(expand(one, {K, S, one.size(2)}));
  const NextLogits logits = [&](const Tensor& newest, nn::DecoderCache& cache) {
    const Tensor hidden = model.decode(newest, memory, Tensor(), &cache);  // (K, 1, C)
    return model.generator(select(hidden, 1, 0));
  };
  options.max_length = std::min(model.longest() - 1, 2 * S + 10);
  return best_sequence(logits, model.config.target_vocab, options);
}

}  // namespace tarsier::zoo::transformer
