// Unicode's normal forms, from the pairs of tables made by make_tables.py. Hangul syllables are
// composed by arithmetic (Unicode 15, section 3.12).

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "zoo/data/text.h"
#include "zoo/tokenizer_json/characters.h"
#include "zoo/tokenizer_json/mark_tables.h"
#include "zoo/tokenizer_json/pair_tables.h"

namespace tarsier::zoo::tokenizer_json {

namespace {

using Points = std::vector<char32_t>;

// The first syllable, lead, vowel and trail consonant of Hangul, and their numbers.
constexpr char32_t kSyllable = 0xAC00, kLead = 0x1100, kVowel = 0x1161, kTrail = 0x11A7;
constexpr char32_t kLeads = 19, kVowels = 21, kTrails = 28;

/// The row of a sorted table for `c`, or null.
template <class Row, size_t N>
const Row* row_of(const Row (&table)[N], char32_t c) {
  const Row* found = std::lower_bound(std::begin(table), std::end(table), c,
                                      [](const Row& row, char32_t v) { return row.whole < v; });
  return found != std::end(table) && found->whole == c ? found : nullptr;
}

/// The canonical combining class: 0 for what begins a character.
uint32_t order_of(char32_t c) {
  const ClassRange* found =
      std::upper_bound(std::begin(kClasses), std::end(kClasses), c,
                       [](char32_t v, const ClassRange& row) { return v < row.first; });
  return found != std::begin(kClasses) && c <= found[-1].last ? found[-1].order : 0;
}

void append_apart(Points& out, char32_t c) {
  if (c >= kSyllable && c < kSyllable + kLeads * kVowels * kTrails) {
    const char32_t index = c - kSyllable;
    out.push_back(kLead + index / (kVowels * kTrails));
    out.push_back(kVowel + index / kTrails % kVowels);
    if (index % kTrails != 0) out.push_back(kTrail + index % kTrails);
  } else if (const CodeTwin* twin = row_of(kTwins, c)) {
    append_apart(out, twin->same);
  } else {
    const CodePair* pair = row_of(kComposed, c);
    if (pair == nullptr) pair = row_of(kSeparate, c);
    if (pair == nullptr) {
      out.push_back(c);
      return;
    }
    append_apart(out, pair->first);
    append_apart(out, pair->second);
  }
}

Points apart(std::string_view text) {
  Points out;
  for_each_character(text, [&](char32_t c, std::string_view) { append_apart(out, c); });
  for (auto begin = out.begin(); begin != out.end();) {  // the marks of each character, in order
    if (order_of(*begin) == 0) {
      ++begin;
      continue;
    }
    const auto end = std::find_if(begin, out.end(), [](char32_t c) { return order_of(c) == 0; });
    std::stable_sort(begin, end, [](char32_t a, char32_t b) { return order_of(a) < order_of(b); });
    begin = end;
  }
  return out;
}

/// The character that two compose, or 0.
char32_t composed(char32_t first, char32_t second) {
  if (first >= kLead && first < kLead + kLeads && second >= kVowel && second < kVowel + kVowels)
    return kSyllable + ((first - kLead) * kVowels + second - kVowel) * kTrails;
  if (first >= kSyllable && first < kSyllable + kLeads * kVowels * kTrails &&
      (first - kSyllable) % kTrails == 0 && second > kTrail && second < kTrail + kTrails)
    return first + second - kTrail;
  static const std::map<std::pair<char32_t, char32_t>, char32_t> pairs = [] {
    std::map<std::pair<char32_t, char32_t>, char32_t> out;
    for (const CodePair& pair : kComposed) out[{pair.first, pair.second}] = pair.whole;
    return out;
  }();
  const auto found = pairs.find({first, second});
  return found == pairs.end() ? 0 : found->second;
}

Points together(const Points& text) {
  Points out;
  size_t starter = 0;  // in `out`
  bool has_starter = false;
  uint32_t last = 0;  // the order of the last mark after the starter that stayed
  for (const char32_t c : text) {
    const uint32_t order = order_of(c);
    const bool is_next = has_starter && out.size() == starter + 1;
    if (has_starter && (is_next || last < order)) {
      if (const char32_t whole = composed(out[starter], c)) {
        out[starter] = whole;
        continue;
      }
    }
    if (order == 0) {
      starter = out.size();
      has_starter = true;
    }
    last = order;
    out.push_back(c);
  }
  return out;
}

std::string written(const Points& points) {
  std::string out;
  for (const char32_t c : points) append_utf8(out, c);
  return out;
}

/// Whether both forms leave the text as it is: ASCII.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

std::string nfd(std::string_view text) {
  return is_plain(text) ? std::string(text) : written(apart(text));
}

std::string nfc(std::string_view text) {
  return is_plain(text) ? std::string(text) : written(together(apart(text)));
}

}  // namespace tarsier::zoo::tokenizer_json
