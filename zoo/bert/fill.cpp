#include "zoo/bert/fill.h"

#include <algorithm>

#include "zoo/base/format.h"
#include "zoo/bert/masking.h"
#include "zoo/data/sampler.h"

namespace tarsier::zoo::bert {

std::vector<std::vector<Guess>> guesses(BertForMaskedLM& model, const std::vector<int32_t>& row,
                                        const std::vector<int64_t>& places, int64_t count) {
  const NoGrad no_grad;
  const auto M = static_cast<int64_t>(places.size());
  const Tensor logits = model.logits_at(pad_rows({row}, kPad), from_vector(places, {M}));
  // The last id is [MASK].
  const Tensor words = slice(softmax(logits, -1), 1, kSpecialTokens, logits.size(1) - 1);
  const ValuesIndices best = topk(words, std::min(count, words.size(1)));
  const std::vector<double> values = best.values.to_vector();
  const std::vector<int64_t> indices = best.indices.to_vector<int64_t>();
  std::vector<std::vector<Guess>> all(places.size());
  const size_t each = values.size() / places.size();
  for (size_t i = 0; i < values.size(); ++i)
    all[i / each].push_back({kSpecialTokens + static_cast<int32_t>(indices[i]), values[i]});
  return all;
}

std::string described(const std::vector<Guess>& guesses, const Vocabulary& vocabulary) {
  std::string text;
  for (const Guess& guess : guesses)
    text += concat(text.empty() ? "" : ", ", vocabulary.word(guess.id), " (",
                   fixed(100 * guess.probability, 1), " %)");
  return text;
}

std::vector<Riddle> riddles(const std::vector<std::vector<int32_t>>& rows, int32_t mask,
                            int64_t count) {
  std::vector<Riddle> all;
  const auto n = static_cast<int64_t>(rows.size());
  const Masking one{.mask = mask, .share = 0, .masked = 1, .swapped = 0};
  for (int64_t i = 0; i < std::min(count, n); ++i) {
    const int64_t example = i * n / std::min(count, n);
    const std::vector<int32_t>& row = rows[static_cast<size_t>(example)];
    Riddle riddle{.row = row};
    riddle.place = hide(riddle.row, one, {0, 2 * static_cast<uint64_t>(example)}).front();
    riddle.truth = row[static_cast<size_t>(riddle.place)];
    all.push_back(std::move(riddle));
  }
  return all;
}

}  // namespace tarsier::zoo::bert
