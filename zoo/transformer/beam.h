#pragma once
// Beam search: the likeliest sequence, or nearly, where there are too many to try all.

#include <cstdint>
#include <functional>
#include <vector>

#include "../../autograd/tensor/tensor.h"

namespace tarsier::zoo::transformer {

struct BeamOptions {
  int64_t beams = 5;          ///< K; 1: the likeliest token, again and again
  double length_penalty = 1;  ///< α of the score
  int64_t max_length = 100;   ///< tokens, without the end
};

struct Hypothesis {
  std::vector<int32_t> tokens;  ///< without begin and end
  double log_probability = 0;
  double score = 0;  ///< log_probability / ((5 + length) / 6)^α, the end counted
};

/// What tells the next token. It remembers K sequences. In every step they are told which of the
/// old ones each now continues, and by which token; the answer is log p of the next, (K, V).
/// In the first step parents are 0, 0, …, and tokens all the begin.
using NextToken =
    std::function<Tensor(const std::vector<int64_t>& parents, const std::vector<int32_t>& tokens)>;

/// Keeps the K likeliest beginnings, each step one token longer; those that reach `end` are done.
/// Stops when nothing can win any more: a beginning only gets less likely, so log p of the
/// likeliest one, over the largest divisor that the score has for the tokens that are left, is more
/// than any of them can still reach. After max_length tokens only the end may come. Returns what is
/// done, the best first (of equal scores the earlier found); what has no end only where nothing
/// else is. Throws Error("beam_search") for options out of range, and log p that is NaN. Source:
/// Graves 2012; the score: Wu et al. 2016, "Google's neural machine translation system".
std::vector<Hypothesis> beam_search(const NextToken& next, int32_t begin, int32_t end,
                                    const BeamOptions& options);

}  // namespace tarsier::zoo::transformer
