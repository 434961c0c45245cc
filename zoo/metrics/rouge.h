#pragma once
// ROUGE: how much of a reference summary a summary has. The numbers of rouge-score 0.1.2 without
// stemming, between 0 and 1.
//
// Source: Lin 2004, "ROUGE: a package for automatic evaluation of summaries".

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "metric.h"

namespace tarsier::zoo {

/// The tokens that ROUGE compares: runs of a–z and 0–9 of the text in lower case. All else parts
/// them, also letters beyond ASCII: "x-ray 3.5 café" → x, ray, 3, 5, caf.
std::vector<std::string> rouge_tokens(std::string_view text);

struct RougeScore {
  double precision = 0;  ///< the share of the text that is in the reference
  double recall = 0;     ///< the share of the reference that is in the text
  double f1 = 0;         ///< 2 · precision · recall / (precision + recall), or 0
};

/// ROUGE-n: counts the n-grams that both have, each as often as in the one that has it less often.
/// 0 if a side has none. Throws Error("metric") for n below 1.
RougeScore rouge_n(std::string_view text, std::string_view reference, int64_t n);

/// ROUGE-L: counts the tokens of the longest common subsequence.
RougeScore rouge_l(std::string_view text, std::string_view reference);

/// ROUGE-Lsum, for summaries of several lines: for each line of the reference, the union over the
/// lines of the text of the tokens in a longest common subsequence; a token is counted no more often
/// than the text has it. Blank lines are skipped.
RougeScore rouge_lsum(std::string_view text, std::string_view reference);

/// The best F1 of a text with several references, of `score(text, reference)`.
template <class Score>
RougeScore best_rouge(std::string_view text, const std::vector<std::string>& references,
                      const Score& score) {
  RougeScore best;
  for (const std::string& reference : references)
    if (const RougeScore one = score(text, reference); one.f1 > best.f1) best = one;
  return best;
}

/// The mean F1 of many pairs, in percent.
struct MeanRouge {
  double rouge_1 = 0, rouge_2 = 0, rouge_l = 0;

  /// "ROUGE 40.9 22.7 38.0" as three metrics in one line: ROUGE, ROUGE-2 and ROUGE-L, of which the
  /// first is ROUGE-1. Their names begin with `prefix` and end with `suffix`.
  Metrics metrics(const std::string& prefix = "", const std::string& suffix = "") const;
};

/// Of text i and reference i. Throws Error("metric") if their numbers differ, or are 0.
MeanRouge mean_rouge(const std::vector<std::string>& texts,
                     const std::vector<std::string>& references);

}  // namespace tarsier::zoo
