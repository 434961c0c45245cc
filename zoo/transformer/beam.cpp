#include "zoo/transformer/beam.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/base/error.h"

namespace tarsier::zoo::transformer {

namespace {

/// A possible step: the sequence `parent` continued by `token`.
struct Step {
  int64_t parent;
  int32_t token;
  double log_probability;
};

double scored(double log_probability, size_t length, double penalty) {
  return log_probability / std::pow((5.0 + static_cast<double>(length)) / 6, penalty);
}

constexpr double kNever = -std::numeric_limits<double>::infinity();

/// Gives the probability 0 to every token that would complete n tokens that `tokens` has already.
void forbid_repeats(double* log_p, const std::vector<int32_t>& tokens, int64_t n) {
  const auto last = static_cast<std::ptrdiff_t>(n - 1);  // tokens before the one to come
  if (n <= 0 || std::ssize(tokens) < last) return;
  for (auto at = tokens.begin(); at + last < tokens.end(); ++at)
    if (std::equal(at, at + last, tokens.end() - last)) log_p[*(at + last)] = kNever;
}

/// The best steps from the sequences `alive`, the best first. `log_p` has a row for each of `count`
/// beams. If `full`, the sequences have the maximal length and can only end.
std::vector<Step> best_steps(const std::vector<double>& log_p, const std::vector<Hypothesis>& alive,
                             int64_t count, bool full, int32_t end) {
  const size_t vocabulary = log_p.size() / static_cast<size_t>(count);
  std::vector<Step> steps;
  for (size_t row = 0; row < alive.size(); ++row) {
    for (size_t token = 0; token < vocabulary; ++token) {
      if (full && static_cast<int32_t>(token) != end) continue;
      const double p = log_p[row * vocabulary + token];
      check(!std::isnan(p), "beam_search", "the model's probabilities are NaN");
      if (p == kNever) continue;
      steps.push_back(
          {static_cast<int64_t>(row), static_cast<int32_t>(token), alive[row].log_probability + p});
    }
  }
  // Twice the number of beams: even if `count` of them end, enough continue.
  const size_t kept = std::min(steps.size(), 2 * static_cast<size_t>(count));
  std::partial_sort(steps.begin(), steps.begin() + static_cast<int64_t>(kept), steps.end(),
                    [](const Step& a, const Step& b) {
                      if (a.log_probability != b.log_probability)
                        return a.log_probability > b.log_probability;
                      return a.parent != b.parent ? a.parent < b.parent : a.token < b.token;
                    });
  steps.resize(kept);
  return steps;
}

/// Gives the probability 0 to what the options exclude after `length` tokens.
void forbid(std::vector<double>& log_p, const std::vector<Hypothesis>& alive, size_t count,
            int64_t length, int32_t end, const BeamOptions& options) {
  const size_t vocabulary = log_p.size() / count;
  for (size_t row = 0; row < alive.size(); ++row) {
    double* const p = log_p.data() + row * vocabulary;
    forbid_repeats(p, alive[row].tokens, options.no_repeat);
    if (length < std::min(options.min_length, options.max_length)) p[end] = kNever;
  }
}

}  // namespace

std::vector<Hypothesis> beam_search(const NextToken& next, int32_t begin, int32_t end,
                                    const BeamOptions& options) {
  check(options.beams > 0 && options.max_length > 0 && options.length_penalty >= 0 &&
            options.min_length >= 0 && options.no_repeat >= 0,
        "beam_search", "beams ", options.beams, ", max_length ", options.max_length,
        ", length_penalty ", options.length_penalty, ", min_length ", options.min_length,
        ", no_repeat ", options.no_repeat,
        ": the first two must be positive, the others not negative");
  const auto K = static_cast<size_t>(options.beams);
  std::vector<Hypothesis> alive(1), done;  // at first one sequence, the empty one
  std::vector<int64_t> parents(K, 0);
  std::vector<int32_t> tokens(K, begin);
  double best = kNever;  // the best score of those that ended
  for (int64_t length = 0; length <= options.max_length; ++length) {
    const bool full = length == options.max_length;
    std::vector<double> log_p = next(parents, tokens).to_vector();
    forbid(log_p, alive, K, length, end, options);
    std::vector<Hypothesis> longer;
    parents.clear();
    tokens.clear();
    const std::vector<Step> steps = best_steps(log_p, alive, options.beams, full, end);
    for (size_t rank = 0; rank < steps.size() && longer.size() < K; ++rank) {
      const Step& step = steps[rank];
      Hypothesis h = alive[static_cast<size_t>(step.parent)];
      h.log_probability = step.log_probability;
      if (step.token == end) {
        if (rank >= K) continue;  // K sequences are likelier than this ending
        h.score = scored(h.log_probability, h.tokens.size() + 1, options.length_penalty);
        best = std::max(best, h.score);
        done.push_back(std::move(h));
      } else {
        h.tokens.push_back(step.token);
        parents.push_back(step.parent);
        tokens.push_back(step.token);
        longer.push_back(std::move(h));
      }
    }
    if (full) break;
    alive = std::move(longer);
    // The likeliest comes first. Log p is never above 0, so the longest can reach the best score.
    if (alive.empty() ||
        scored(alive.front().log_probability, static_cast<size_t>(options.max_length) + 1,
               options.length_penalty) <= best)
      break;
    while (parents.size() < K) parents.push_back(0), tokens.push_back(end);  // fills unused beams
  }
  if (done.empty())
    for (Hypothesis& h : alive) {
      h.score = scored(h.log_probability, h.tokens.size(), options.length_penalty);
      done.push_back(std::move(h));
    }
  check(!done.empty(), "beam_search",
        "no token can follow: the model gives all tokens the probability 0");
  std::stable_sort(done.begin(), done.end(),
                   [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
  return done;
}

}  // namespace tarsier::zoo::transformer
