#include "zoo/text_classifier/texts.h"

#include <algorithm>

namespace tarsier::zoo::text_classifier {

std::vector<int32_t> text_tokens(const std::string& text, const Tokenizer& tokenizer,
                                 int64_t max_length) {
  std::vector<int32_t> ids = tokenizer.encode(text);
  ids.insert(ids.begin(), kBegin);
  ids.resize(std::min(ids.size(), static_cast<size_t>(max_length)));
  return ids;
}

TokenTexts::TokenTexts(const LabelledText& data, const Tokenizer& tokenizer, int64_t max_length)
    : labels(data.labels) {
  for (const std::string& text : data.texts) {
    rows.push_back(text_tokens(text, tokenizer, kNoLimit));
    const auto whole = static_cast<int64_t>(rows.back().size());
    cut.add(whole, std::max<int64_t>(0, whole - max_length));
    rows.back().resize(static_cast<size_t>(std::min(whole, max_length)));
  }
}

BatchSampler TokenTexts::sampler(int64_t batch_size, RandomKey key) const {
  return BatchSampler(lengths_of(rows), {.examples = batch_size, .bucket = 4}, key);
}

Batch TokenTexts::batch(const std::vector<int64_t>& chosen, int64_t length) const {
  std::vector<std::vector<int32_t>> texts;
  for (int64_t i : chosen) {
    texts.push_back(rows[static_cast<size_t>(i)]);
    texts.back().resize(std::min(texts.back().size(), static_cast<size_t>(length)));
  }
  return {{{"index", pad_rows(texts, kPad)},
           {"padding", padding_mask(texts)},
           {"labels", label_batch(labels, chosen)}},
          static_cast<int64_t>(chosen.size())};
}

void drop_tokens(Batch& batch, double share, RandomKey key) {
  const Tensor index = batch["index"];
  int64_t* ids = index.data<int64_t>();
  for (int64_t i = 0; i < index.numel(); ++i)
    if (ids[i] >= kSpecialTokens && uniform<double>(key, static_cast<uint64_t>(i)) < share)
      ids[i] = kUnknown;
}

}  // namespace tarsier::zoo::text_classifier
