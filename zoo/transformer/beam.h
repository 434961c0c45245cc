#pragma once
// Beam search: nearly the likeliest sequence, when there are too many to try all.

#include <cstdint>
#include <functional>
#include <vector>

#include "../../autograd/tensor/tensor.h"

namespace tarsier::zoo::transformer {

struct BeamOptions {
  int64_t beams = 5;          ///< K; 1: greedy search
  double length_penalty = 1;  ///< α of the score
  int64_t max_length = 100;   ///< tokens, not counting the end
  int64_t min_length = 0;  ///< tokens before the end may come; longer than max_length counts as it
  int64_t no_repeat = 0;   ///< n: no n tokens occur twice in a row of their own; 0: all may
};

struct Hypothesis {
  std::vector<int32_t> tokens;  ///< without begin and end
  double log_probability = 0;
  double score = 0;  ///< log_probability / ((5 + length) / 6)^α, the end counted
};

/// Gives the probabilities of the next token. It remembers K sequences. In every step it receives,
/// for each of K new sequences, the number of the old one that it continues and the token added; it
/// returns log p of the next token, (K, V). In the first step all parents are 0 and all tokens
/// `begin`.
using NextToken =
    std::function<Tensor(const std::vector<int64_t>& parents, const std::vector<int32_t>& tokens)>;

/// Keeps the K likeliest sequences, one token longer in each step; those that reach `end` are done.
/// Stops when no sequence can win any more: a sequence only gets less likely, so log p of the
/// likeliest one, over the largest divisor of the score for the tokens left, bounds all that can
/// still be reached. After max_length tokens only the end may come. Returns the finished
/// hypotheses, the best first (of equal scores the earlier found); unfinished ones only if there is
/// no other. Throws Error("beam_search") for options out of range, and if log p is NaN. Source:
/// Graves 2012; the score: Wu et al. 2016, "Google's neural machine translation system".
std::vector<Hypothesis> beam_search(const NextToken& next, int32_t begin, int32_t end,
                                    const BeamOptions& options);

}  // namespace tarsier::zoo::transformer
