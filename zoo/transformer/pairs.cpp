#include "zoo/transformer/pairs.h"

#include <algorithm>
#include <utility>

namespace tarsier::zoo::transformer {

std::vector<int32_t> source_tokens(const std::string& text, const Tokenizer& tokenizer,
                                   int64_t max_length) {
  std::vector<int32_t> ids = tokenizer.encode(text);
  ids.resize(std::min(ids.size(), static_cast<size_t>(max_length) - 1));
  ids.push_back(kEnd);
  return ids;
}

TokenPairs::TokenPairs(const ParallelText& text, const Tokenizer& source, const Tokenizer& target,
                       int64_t max_length) {
  const auto beyond = [&](size_t tokens) {
    return std::max<int64_t>(0, static_cast<int64_t>(tokens) - max_length);
  };
  for (size_t i = 0; i < text.source.size(); ++i) {
    std::vector<int32_t> read = source_tokens(text.source[i], source, kNoLimit),
                         written = target.encode(text.target[i]);
    written.push_back(kEnd);
    const int64_t lost_read = beyond(read.size()), lost_written = beyond(written.size());
    cut_.add(static_cast<int64_t>(read.size() + written.size()), lost_read + lost_written);
    if (lost_read > 0) {
      read.resize(static_cast<size_t>(max_length));
      read.back() = kEnd;
    }
    if (lost_written > 0) written.resize(static_cast<size_t>(max_length));
    written.insert(written.begin(), kBegin);
    source_.push_back(std::move(read));
    target_.push_back(std::move(written));
  }
}

BatchSampler TokenPairs::sampler(int64_t batch_size, RandomKey key) const {
  std::vector<int64_t> lengths;
  for (size_t i = 0; i < source_.size(); ++i)
    lengths.push_back(static_cast<int64_t>(std::max(source_[i].size(), target_[i].size())));
  return BatchSampler(std::move(lengths), {.examples = batch_size, .bucket = 2}, key);
}

Batch TokenPairs::batch(const std::vector<int64_t>& chosen, int64_t length) const {
  const auto cut = [&](std::vector<int32_t> tokens, int64_t size) {
    if (static_cast<int64_t>(tokens.size()) > size) tokens.resize(static_cast<size_t>(size));
    return tokens;
  };
  std::vector<std::vector<int32_t>> sources, targets, next;
  int64_t items = 0, written = 0;
  for (int64_t i : chosen) {
    const std::vector<int32_t> target =
        cut(target_[static_cast<size_t>(i)], length < kNoLimit ? length + 1 : kNoLimit);
    sources.push_back(cut(source_[static_cast<size_t>(i)], length));
    targets.emplace_back(target.begin(), target.end() - 1);
    next.emplace_back(target.begin() + 1, target.end());
    written += static_cast<int64_t>(next.back().size());
    items += static_cast<int64_t>(sources.back().size() + next.back().size());
  }
  return {{{"source", pad_rows(sources, kPad)},
           {"padding", padding_mask(sources)},
           {"target", pad_rows(targets, kPad)},
           {"next", pad_rows(next, kPad)}},
          items,
          static_cast<double>(written)};
}

}  // namespace tarsier::zoo::transformer
