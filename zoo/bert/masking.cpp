#include "zoo/bert/masking.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "zoo/data/sampler.h"
#include "zoo/data/tokenizer.h"

namespace tarsier::zoo::bert {

std::vector<int64_t> hide(std::vector<int32_t>& row, const Masking& masking, RandomKey key) {
  std::vector<int64_t> words;
  for (size_t t = 0; t < row.size(); ++t)
    if (row[t] >= kSpecialTokens) words.push_back(static_cast<int64_t>(t));
  const auto n = static_cast<int64_t>(words.size());
  const int64_t wanted = std::llround(masking.share * static_cast<double>(n));
  std::vector<int64_t> places;
  for (const int64_t i : permutation(n, key)) {
    if (std::ssize(places) >= std::max<int64_t>(1, wanted)) break;
    places.push_back(words[static_cast<size_t>(i)]);
  }
  std::sort(places.begin(), places.end());

  const RandomKey fates{key.seed, key.stream + 1};
  for (const int64_t t : places) {
    const auto at = 2 * static_cast<uint64_t>(t);
    const double fate = uniform<double>(fates, at);
    if (fate < masking.masked) {
      row[static_cast<size_t>(t)] = masking.mask;
    } else if (fate < masking.masked + masking.swapped) {
      const double word = uniform<double>(fates, at + 1) * (masking.mask - kSpecialTokens);
      row[static_cast<size_t>(t)] = kSpecialTokens + static_cast<int32_t>(word);
    }
  }
  return places;
}

Batch masked_batch(const std::vector<std::vector<int32_t>>& rows,
                   const std::vector<int64_t>& chosen, const Masking& masking, RandomKey key,
                   int64_t length) {
  std::vector<std::vector<int32_t>> whole, hidden;
  std::vector<std::vector<int64_t>> places;
  size_t longest = 0;
  int64_t tokens = 0;
  for (const int64_t i : chosen) {
    std::vector<int32_t> row = rows[static_cast<size_t>(i)];
    row.resize(std::min(row.size(), static_cast<size_t>(length)));
    whole.push_back(row);
    places.push_back(hide(row, masking, {key.seed, key.stream + 2 * static_cast<uint64_t>(i)}));
    longest = std::max(longest, row.size());
    tokens += std::ssize(row);
    hidden.push_back(std::move(row));
  }
  std::vector<int64_t> all;
  for (size_t b = 0; b < places.size(); ++b)
    for (const int64_t t : places[b]) all.push_back(static_cast<int64_t>(b * longest) + t);
  const auto count = static_cast<int64_t>(all.size());
  return {{{"index", pad_rows(hidden, kPad)},
           {"targets", pad_rows(whole, kPad)},
           {"padding", padding_mask(whole)},
           {"places", from_vector(all, {count})}},
          tokens,
          static_cast<double>(count)};
}

}  // namespace tarsier::zoo::bert
