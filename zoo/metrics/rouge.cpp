#include "zoo/metrics/rouge.h"

#include <algorithm>
#include <map>
#include <set>

#include "autograd/base/error.h"
#include "zoo/data/words.h"

namespace tarsier::zoo {

namespace {

using Tokens = std::vector<std::string>;

/// The score of `hits` tokens that a text of `written` and a reference of `wanted` tokens share.
RougeScore score_of(int64_t hits, int64_t written, int64_t wanted) {
  RougeScore score;
  if (written > 0) score.precision = static_cast<double>(hits) / static_cast<double>(written);
  if (wanted > 0) score.recall = static_cast<double>(hits) / static_cast<double>(wanted);
  const double sum = score.precision + score.recall;
  if (sum > 0) score.f1 = 2 * score.precision * score.recall / sum;
  return score;
}

std::map<Tokens, int64_t> ngrams(const Tokens& tokens, int64_t n) {
  std::map<Tokens, int64_t> counts;
  for (auto at = tokens.begin(); tokens.end() - at >= n; ++at) ++counts[Tokens(at, at + n)];
  return counts;
}

/// lengths[i][j]: of the longest common subsequence of the first i tokens of a and j of b.
std::vector<std::vector<int64_t>> common_lengths(const Tokens& a, const Tokens& b) {
  std::vector<std::vector<int64_t>> lengths(a.size() + 1, std::vector<int64_t>(b.size() + 1, 0));
  for (size_t i = 1; i <= a.size(); ++i)
    for (size_t j = 1; j <= b.size(); ++j)
      lengths[i][j] = a[i - 1] == b[j - 1] ? lengths[i - 1][j - 1] + 1
                                           : std::max(lengths[i - 1][j], lengths[i][j - 1]);
  return lengths;
}

/// Adds the places in `reference` of its longest common subsequence with `text`. Of several ones,
/// that which rouge-score finds: it walks back from the ends, and drops the last word of the
/// reference only where that loses nothing and dropping the text's would.
void add_common_places(const Tokens& reference, const Tokens& text, std::set<size_t>& places) {
  const auto lengths = common_lengths(reference, text);
  for (size_t i = reference.size(), j = text.size(); i > 0 && j > 0;) {
    if (reference[i - 1] == text[j - 1]) {
      places.insert(--i);
      --j;
    } else if (lengths[i][j - 1] > lengths[i - 1][j]) {
      --j;
    } else {
      --i;
    }
  }
}

/// In lower case as Python has it, where İ becomes i and a dot above, which ends a token.
std::string lower_case_of(std::string_view text) {
  std::string prepared(text);
  for (size_t at = 0; (at = prepared.find("İ", at)) != prepared.npos;)
    prepared.replace(at, 2, "i ");
  return to_lower(prepared);
}

/// The tokens of the lines that are not blank.
std::vector<Tokens> lines_of_tokens(std::string_view text) {
  std::vector<Tokens> lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.empty()) lines.push_back(rouge_tokens(line));
  }
  return lines;
}

}  // namespace

std::vector<std::string> rouge_tokens(std::string_view text) {
  Tokens tokens;
  bool inside = false;
  for (const char c : lower_case_of(text)) {
    const bool belongs = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (belongs && !inside) tokens.emplace_back();
    if (belongs) tokens.back() += c;
    inside = belongs;
  }
  return tokens;
}

RougeScore rouge_n(std::string_view text, std::string_view reference, int64_t n) {
  check(n >= 1, "metric", "ROUGE of ", n, " words in a row; at least 1 is needed");
  const auto written = ngrams(rouge_tokens(text), n), wanted = ngrams(rouge_tokens(reference), n);
  int64_t hits = 0, written_count = 0, wanted_count = 0;
  for (const auto& [ngram, count] : written) written_count += count;
  for (const auto& [ngram, count] : wanted) {
    wanted_count += count;
    if (const auto found = written.find(ngram); found != written.end())
      hits += std::min(count, found->second);
  }
  return score_of(hits, written_count, wanted_count);
}

RougeScore rouge_l(std::string_view text, std::string_view reference) {
  const Tokens written = rouge_tokens(text), wanted = rouge_tokens(reference);
  return score_of(common_lengths(wanted, written).back().back(), std::ssize(written),
                  std::ssize(wanted));
}

RougeScore rouge_lsum(std::string_view text, std::string_view reference) {
  const std::vector<Tokens> written = lines_of_tokens(text), wanted = lines_of_tokens(reference);
  std::map<std::string, int64_t> left_written, left_wanted;
  int64_t written_count = 0, wanted_count = 0, hits = 0;
  for (const Tokens& line : written)
    for (const std::string& token : line) ++left_written[token], ++written_count;
  for (const Tokens& line : wanted)
    for (const std::string& token : line) ++left_wanted[token], ++wanted_count;
  for (const Tokens& line : wanted) {
    std::set<size_t> places;
    for (const Tokens& other : written) add_common_places(line, other, places);
    for (const size_t place : places) {
      int64_t &a = left_written[line[place]], &b = left_wanted[line[place]];
      if (a == 0 || b == 0) continue;
      ++hits, --a, --b;
    }
  }
  return score_of(hits, written_count, wanted_count);
}

Metrics MeanRouge::metrics(const std::string& prefix, const std::string& suffix) const {
  const auto one = [&](const char* name, double value) {
    return Metric{.name = concat(prefix, name, suffix),
                  .value = value,
                  .digits = 1,
                  .higher_is_better = true};
  };
  Metrics all = {one("ROUGE", rouge_1), one("ROUGE-2", rouge_2), one("ROUGE-L", rouge_l)};
  for (size_t i = 1; i < all.size(); ++i) all[i].same_line = all[i].bare = true;
  return all;
}

MeanRouge mean_rouge(const std::vector<std::string>& texts,
                     const std::vector<std::string>& references) {
  check(texts.size() == references.size() && !texts.empty(), "metric", texts.size(), " texts and ",
        references.size(), " references: give one reference for each text");
  MeanRouge sum;
  for (size_t i = 0; i < texts.size(); ++i) {
    sum.rouge_1 += rouge_n(texts[i], references[i], 1).f1;
    sum.rouge_2 += rouge_n(texts[i], references[i], 2).f1;
    sum.rouge_l += rouge_l(texts[i], references[i]).f1;
  }
  const double scale = 100 / static_cast<double>(texts.size());
  return {sum.rouge_1 * scale, sum.rouge_2 * scale, sum.rouge_l * scale};
}

}  // namespace tarsier::zoo
