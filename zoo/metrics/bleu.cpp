#include "zoo/metrics/bleu.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <unordered_map>

#include "autograd/base/error.h"
#include "zoo/base/format.h"
#include "zoo/data/unicode.h"

namespace tarsier::zoo {

namespace {

constexpr size_t kOrders = 4;

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size())
    text.replace(at, from.size(), to);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_point(char c) { return c == '.' || c == ','; }

/// ASCII punctuation and symbols, but not ' , - . (and the space).
bool is_symbol(char c) {
  return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') ||
         (c >= '(' && c <= '+') || (c >= ':' && c <= '@') || c == '/';
}

/// Goes through `text`; where two neighbours fit, writes them as `write` says and continues after
/// both: what a regular expression of two characters replaces.
template <class Fits, class Write>
std::string replace_pairs(const std::string& text, Fits fits, Write write) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i + 1 < text.size() && fits(text[i], text[i + 1])) {
      out += write(text[i], text[i + 1]);
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// Python's white space: Unicode's, and four separators of ASCII.
bool is_space(char32_t c) { return class_of(c) == CharClass::space || (c >= 0x1C && c <= 0x1F); }

/// The parts of `text` between white space: Python's str.split().
std::vector<std::string_view> split_at_spaces(std::string_view text) {
  std::vector<std::string_view> words;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const auto [character, bytes] = next_character(text.substr(at));
    if (is_space(character)) {
      if (at > begin) words.push_back(text.substr(begin, at - begin));
      begin = at + bytes;
    }
    at += bytes;
  }
  if (begin < text.size()) words.push_back(text.substr(begin));
  return words;
}

using Counts = std::unordered_map<std::string, int64_t>;

/// How often each n-gram of `words` occurs. Words have no spaces, so a space joins them.
Counts count_ngrams(const std::vector<std::string>& words, size_t n) {
  Counts counts;
  for (size_t i = 0; i + n <= words.size(); ++i) {
    std::string ngram = words[i];
    for (size_t k = 1; k < n; ++k) ngram += ' ' + words[i + k];
    ++counts[ngram];
  }
  return counts;
}

/// The most often that one of `references` has each n-gram.
Counts most_ngrams(const std::vector<std::vector<std::string>>& references, size_t n) {
  Counts most;
  for (const std::vector<std::string>& words : references)
    for (const auto& [ngram, count] : count_ngrams(words, n))
      most[ngram] = std::max(most[ngram], count);
  return most;
}

/// The length of the reference that is nearest to `length`, of equally near ones the shorter.
int64_t nearest_length(const std::vector<std::vector<std::string>>& references, int64_t length) {
  int64_t nearest = std::ssize(references.front());
  for (const std::vector<std::string>& words : references) {
    const int64_t other = std::ssize(words), gap = std::abs(other - length),
                  least = std::abs(nearest - length);
    if (gap < least || (gap == least && other < nearest)) nearest = other;
  }
  return nearest;
}

}  // namespace

std::vector<std::string> bleu_words(std::string_view line) {
  // Trailing white space is removed first: "-\n" at the end is not a hyphenation.
  const std::vector<std::string_view> parts = split_at_spaces(line);
  if (parts.empty()) return {};
  std::string text(line.begin(), parts.back().end());
  replace_all(text, "<skipped>", "");
  replace_all(text, "-\n", "");
  replace_all(text, "\n", " ");
  replace_all(text, "&quot;", "\"");
  replace_all(text, "&amp;", "&");
  replace_all(text, "&lt;", "<");
  replace_all(text, "&gt;", ">");

  std::string spaced = " ";
  for (char c : text) spaced += is_symbol(c) ? std::string{' ', c, ' '} : std::string(1, c);
  spaced += ' ';
  // Bytes serve as characters, because only ASCII is searched for.
  spaced = replace_pairs(
      spaced, [](char a, char b) { return !is_digit(a) && is_point(b); },
      [](char a, char b) {
        return std::string{a, ' ', b, ' '};
      });
  spaced = replace_pairs(
      spaced, [](char a, char b) { return is_point(a) && !is_digit(b); },
      [](char a, char b) {
        return std::string{' ', a, ' ', b};
      });
  spaced = replace_pairs(
      spaced, [](char a, char b) { return is_digit(a) && b == '-'; },
      [](char a, char b) {
        return std::string{a, ' ', b, ' '};
      });
  const std::vector<std::string_view> words = split_at_spaces(spaced);
  return {words.begin(), words.end()};
}

Bleu corpus_bleu(const std::vector<std::string>& translations,
                 const std::vector<std::string>& references) {
  std::vector<std::vector<std::string>> one_each;
  for (const std::string& reference : references) one_each.push_back({reference});
  return corpus_bleu_multi(translations, one_each);
}

Bleu corpus_bleu_multi(const std::vector<std::string>& translations,
                       const std::vector<std::vector<std::string>>& references) {
  check(translations.size() == references.size() && !translations.empty(), "bleu", "there are ",
        translations.size(), " translations and ", references.size(),
        " references, but every translation needs one");
  Bleu out;
  for (size_t i = 0; i < translations.size(); ++i) {
    const std::vector<std::string> words = bleu_words(translations[i]);
    check(!references[i].empty(), "bleu", "translation ", i + 1, " has no reference");
    std::vector<std::vector<std::string>> expected;
    for (const std::string& reference : references[i]) expected.push_back(bleu_words(reference));
    out.length += std::ssize(words);
    out.reference_length += nearest_length(expected, std::ssize(words));
    for (size_t n = 1; n <= kOrders; ++n) {
      const Counts reference = most_ngrams(expected, n);
      for (const auto& [ngram, count] : count_ngrams(words, n)) {
        const auto found = reference.find(ngram);
        if (found != reference.end()) out.matches[n - 1] += std::min(count, found->second);
        out.totals[n - 1] += count;
      }
    }
  }
  if (out.length < out.reference_length)
    out.brevity_penalty = out.length == 0 ? 0
                                          : std::exp(1 - static_cast<double>(out.reference_length) /
                                                             static_cast<double>(out.length));
  if (out.matches[0] == 0) return out;  // no word matches, so no n-gram matches
  double logarithms = 0, halved = 1;
  for (size_t n = 0; n < kOrders; ++n) {
    if (out.totals[n] == 0) return out;
    const auto total = static_cast<double>(out.totals[n]);
    if (out.matches[n] == 0) halved *= 2;
    out.precisions[n] = out.matches[n] == 0 ? 100 / (halved * total)
                                            : 100 * static_cast<double>(out.matches[n]) / total;
    logarithms += std::log(out.precisions[n]);
  }
  out.score = out.brevity_penalty * std::exp(logarithms / kOrders);
  return out;
}

std::string Bleu::describe() const {
  std::string parts;
  for (double precision : precisions)
    parts += concat(parts.empty() ? "" : "/", fixed(precision, 1));
  const double ratio = reference_length == 0
                           ? 0
                           : static_cast<double>(length) / static_cast<double>(reference_length);
  return concat("BLEU = ", fixed(score, 2), ' ', parts, " (BP = ", fixed(brevity_penalty, 3),
                " ratio = ", fixed(ratio, 3), " hyp_len = ", length,
                " ref_len = ", reference_length, ')');
}

}  // namespace tarsier::zoo
