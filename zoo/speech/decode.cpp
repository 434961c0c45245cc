#include "zoo/speech/decode.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "autograd/base/error.h"
#include "zoo/speech/model.h"

namespace tarsier::zoo::speech {

namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

/// log(eᵃ + eᵇ).
double log_add(double a, double b) {
  const double high = std::max(a, b);
  return high == kNever ? kNever : high + std::log1p(std::exp(std::min(a, b) - high));
}

/// The numbers of log_probs, checked.
std::vector<double> numbers_of(const Tensor& log_probs) {
  check(log_probs.dim() == 2 && log_probs.size(1) > 0, "ctc_decode", "log p of shape ",
        log_probs.shape(), ": expected (moments, tokens)");
  std::vector<double> out = log_probs.to_vector();
  for (const double x : out)
    check(!std::isnan(x), "ctc_decode", "log p has NaN: the model has diverged");
  return out;
}

/// log p of the paths to a prefix, by their last token.
struct Paths {
  double blank = kNever, token = kNever;

  double all() const { return log_add(blank, token); }
};

using Beam = std::map<std::vector<int32_t>, Paths>;

/// The prefixes of `beam`, the likeliest first.
std::vector<std::pair<std::vector<int32_t>, Paths>> ranked(const Beam& beam) {
  std::vector<std::pair<std::vector<int32_t>, Paths>> out(beam.begin(), beam.end());
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.second.all() > b.second.all(); });
  return out;
}

}  // namespace

std::vector<Span> greedy_spans(const Tensor& log_probs) {
  const std::vector<double> log_p = numbers_of(log_probs);
  const int64_t moments = log_probs.size(0), tokens = log_probs.size(1);
  std::vector<Span> out;
  int64_t before = kBlank;
  for (int64_t t = 0; t < moments; ++t) {
    const auto row = log_p.begin() + t * tokens;
    const auto best = std::max_element(row, row + tokens);
    const int64_t token = best - row;
    if (token != kBlank && token != before) out.push_back({static_cast<int32_t>(token), t, t, 0});
    if (token != kBlank) {
      out.back().end = t + 1;
      out.back().score += std::exp(*best);
    }
    before = token;
  }
  for (Span& span : out) span.score /= static_cast<double>(span.end - span.begin);
  return out;
}

std::vector<Transcript> beam_texts(const Tensor& log_probs, int64_t beams) {
  check(beams > 0, "ctc_decode", "beams is ", beams, ": expected 1 or more");
  const std::vector<double> log_p = numbers_of(log_probs);
  const int64_t moments = log_probs.size(0), tokens = log_probs.size(1);
  Beam beam{{{}, {0, kNever}}};
  for (int64_t t = 0; t < moments; ++t) {
    const double* p = log_p.data() + t * tokens;
    Beam next;
    const auto add = [](double& sum, double term) { sum = log_add(sum, term); };
    for (const auto& [prefix, paths] : beam) {
      Paths& same = next[prefix];
      add(same.blank, p[kBlank] + paths.all());
      if (!prefix.empty()) add(same.token, p[prefix.back()] + paths.token);
      std::vector<int32_t> longer = prefix;
      longer.push_back(0);
      for (int64_t c = 0; c < tokens; ++c) {
        if (c == kBlank) continue;
        longer.back() = static_cast<int32_t>(c);
        const bool repeated = !prefix.empty() && prefix.back() == longer.back();
        const double reached = p[c] + (repeated ? paths.blank : paths.all());
        if (reached > kNever) add(next[longer].token, reached);
      }
    }
    beam.clear();
    for (auto& [prefix, paths] : ranked(next)) {
      if (static_cast<int64_t>(beam.size()) == beams) break;
      beam.emplace(std::move(prefix), paths);
    }
  }
  std::vector<Transcript> out;
  for (auto& [prefix, paths] : ranked(beam)) out.push_back({std::move(prefix), paths.all()});
  return out;
}

const Transcript& cheapest(const std::vector<Transcript>& transcripts, double cost) {
  check(!transcripts.empty(), "ctc_decode", "there are no transcripts to choose from");
  const auto value = [&](const Transcript& one) {
    return one.log_probability - cost * static_cast<double>(one.tokens.size());
  };
  return *std::max_element(
      transcripts.begin(), transcripts.end(),
      [&](const Transcript& a, const Transcript& b) { return value(a) < value(b); });
}

}  // namespace tarsier::zoo::speech
