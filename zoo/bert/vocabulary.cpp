#include "zoo/bert/vocabulary.h"

#include <string_view>

#include "zoo/data/rows.h"
#include "zoo/data/text.h"
#include "zoo/data/unicode.h"
#include "zoo/report/svg.h"

namespace tarsier::zoo::bert {

namespace {

constexpr std::string_view kMaskName = "[MASK]";

/// Whether the first character of `text`, or the last, would join a letter next to it.
bool joins(std::string_view text, bool last) {
  if (text.empty()) return false;
  size_t at = last ? text.size() - 1 : 0;
  while (at > 0 && !begins_character(text[at])) --at;
  const CharClass kind = class_of(next_character(text.substr(at)).character);
  return kind == CharClass::letter || kind == CharClass::number;
}

/// The tokens of `text` that stands after a hidden token, before one, or between two. Punctuation
/// and blanks are cut by what is next to them, so a letter takes the place of the hidden token
/// while the text is cut.
std::vector<int32_t> encode_next_to(const Tokenizer& tokenizer, std::string_view text, bool after,
                                    bool before) {
  const bool left = after && !text.empty() && !joins(text, false),
             right = before && !joins(text, true);
  std::vector<int32_t> ids = tokenizer.encode(concat(left ? "a" : "", text, right ? "a" : ""));
  if (right && !ids.empty()) ids.pop_back();
  if (left && !ids.empty()) ids.erase(ids.begin());
  return ids;
}

}  // namespace

std::vector<int32_t> Vocabulary::encode(const std::string& text) const {
  std::vector<int32_t> ids{kBegin};
  std::string_view rest = text;
  for (bool after = false;; after = true) {
    const size_t at = rest.find(kMaskName);
    const bool before = at != rest.npos;
    const auto part = encode_next_to(*tokenizer_, rest.substr(0, at), after, before);
    ids.insert(ids.end(), part.begin(), part.end());
    if (!before) return ids;
    ids.push_back(mask());
    rest.remove_prefix(at + kMaskName.size());
  }
}

std::string Vocabulary::word(int32_t id) const {
  if (id == mask()) return std::string(kMaskName);
  if (id < kSpecialTokens) return tokenizer_->show(id);
  const std::string word = trimmed(tokenizer_->decode({id}));
  return visible(word.empty() ? tokenizer_->show(id) : word);
}

std::string Vocabulary::text(const std::vector<int32_t>& ids) const {
  std::string out;
  std::vector<int32_t> run;
  const auto add = [&](const std::string& part) {
    out += (out.empty() || part.empty() ? "" : " ") + part;
  };
  const auto finish = [&] {
    add(trimmed(tokenizer_->decode(run)));
    run.clear();
  };
  for (const int32_t id : ids) {
    if (id == mask() || id == kUnknown || id == kEnd) {
      finish();
      add(id == kEnd ? "/" : word(id));
    } else {
      run.push_back(id);
    }
  }
  finish();
  return out;
}

}  // namespace tarsier::zoo::bert
