#include "zoo/captioning/describe.h"

#include "zoo/data/sampler.h"
#include "zoo/data/tokenizer.h"
#include "zoo/transformer/translate.h"

namespace tarsier::zoo::captioning {

std::vector<int32_t> describe(Captioner& model, const Tensor& image,
                              const transformer::BeamOptions& options) {
  const NoGrad no_grad;
  const Tensor one = model.see(image);  // (1, N, C)
  const Tensor memory = contiguous(expand(one, {options.beams, one.size(1), one.size(2)}));
  const transformer::NextLogits logits = [&](const Tensor& newest, nn::DecoderCache& cache) {
    return model.generator(select(model.decode(newest, memory, &cache), 1, 0));
  };
  return transformer::best_sequence(logits, model.config.vocab, options);
}

Teaching teaching_of(const std::vector<std::vector<int32_t>>& captions) {
  Teaching out;
  std::vector<std::vector<int32_t>> read;
  for (const std::vector<int32_t>& caption : captions) {
    read.push_back({kBegin});
    read.back().insert(read.back().end(), caption.begin(), caption.end() - 1);
    out.words += std::ssize(caption);
  }
  out.target = pad_rows(read, kPad);
  out.next = pad_rows(captions, kPad);
  return out;
}

std::vector<bool> all_right(const Tensor& logits, const Tensor& next) {
  const Tensor right = argmax(logits, 2) == next || next == kPad;  // (B, T)
  const std::vector<int64_t> words = to(right, i64).to_vector<int64_t>();
  const int64_t T = next.size(1);
  std::vector<bool> out(static_cast<size_t>(next.size(0)), true);
  for (size_t i = 0; i < words.size(); ++i)
    if (words[i] == 0) out[i / static_cast<size_t>(T)] = false;
  return out;
}

}  // namespace tarsier::zoo::captioning
