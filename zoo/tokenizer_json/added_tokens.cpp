#include "zoo/tokenizer_json/added_tokens.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "zoo/data/text.h"
#include "zoo/tokenizer_json/characters.h"

namespace tarsier::zoo::tokenizer_json {

namespace {

/// The last character of a text that is not empty.
char32_t last_character(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && !begins_character(text[at])) --at;
  return next_character(text.substr(at)).character;
}

/// The bytes of white space at the end of `text`.
size_t spaces_at_end(std::string_view text) {
  size_t kept = text.size();
  while (kept > 0 && is_space(last_character(text.substr(0, kept)))) {
    --kept;
    while (!begins_character(text[kept])) --kept;
  }
  return text.size() - kept;
}

bool is_word_at_start(std::string_view text) {
  return !text.empty() && is_word(next_character(text).character);
}

bool is_word_at_end(std::string_view text) {
  return !text.empty() && is_word(last_character(text));
}

}  // namespace

AddedTokens::AddedTokens(const Section& file, const Vocabulary& model,
                         const Normalizer& normalizer) {
  if (!file.has("added_tokens")) return;
  std::vector<std::pair<std::string, int32_t>> as_is, normalized;
  const std::vector<Section> tokens = file.sections("added_tokens");
  for (const bool specials : {true, false}) {  // a special token counts before an equal other one
    for (const Section& token : tokens) {
      if (token.flag("special", false) != specials) continue;
      const std::string content = token.text("content");
      const auto id =
          static_cast<int32_t>(token.whole("id", 0, std::numeric_limits<int32_t>::max()));
      const int32_t known = model.id_of(content);
      check(known < 0 || known == id, "tokenizer", token.place(), ": '", content, "' has the id ",
            id, ", but ", known, " in the vocabulary");
      const std::string* other = known == id ? nullptr : model.token_of(id);
      if (other == nullptr) other = vocabulary_.token_of(id);
      check(other == nullptr || *other == content, "tokenizer", token.place(), ": '", content,
            "' has the id ", id, " of another token");
      vocabulary_.add(content, id);
      if (specials) special_.insert(id);
      rules_[id] = {token.flag("single_word", false), token.flag("lstrip", false),
                    token.flag("rstrip", false)};
      const bool is_normalized = token.flag("normalized", !specials);
      (is_normalized ? normalized : as_is)
          .emplace_back(is_normalized && !content.empty() ? normalizer(content) : content, id);
    }
  }
  as_is_ = PrefixTable(std::move(as_is));
  normalized_ = PrefixTable(std::move(normalized));
}

std::vector<AddedTokens::Range> AddedTokens::ranges_of(std::string_view text,
                                                       const PrefixTable& tokens) const {
  std::vector<Range> out;
  size_t done = 0;  // all before is in `out`
  for (size_t at = 0; at < text.size();) {
    size_t length = 0;
    int32_t id = -1;
    tokens.for_each(text.substr(at), [&](size_t bytes, int32_t found) {
      length = bytes;
      id = found;
    });
    if (id < 0) {
      ++at;
      continue;
    }
    const Rules& rules = rules_.at(id);
    size_t begin = at, end = at + length;
    at = end;
    if (rules.single_word &&
        (is_word_at_end(text.substr(0, begin)) || is_word_at_start(text.substr(end))))
      continue;
    if (rules.lstrip) begin = std::max(begin - spaces_at_end(text.substr(0, begin)), done);
    if (rules.rstrip) end += run_length(text.substr(end), CharClass::space);
    if (done < begin) out.push_back({-1, done, begin});
    out.push_back({id, begin, end});
    done = end;
  }
  if (done < text.size()) out.push_back({-1, done, text.size()});
  return out;
}

std::vector<Stretch> AddedTokens::cut(std::string_view text, const Normalizer& normalizer) const {
  std::vector<Stretch> out;
  for (const Range& range : ranges_of(text, as_is_)) {
    const std::string part(text.substr(range.begin, range.end - range.begin));
    if (range.id >= 0) {
      out.push_back({range.id, part, false});
      continue;
    }
    const std::string normal = normalizer(part);
    for (const Range& inner : ranges_of(normal, normalized_))
      out.push_back({inner.id, normal.substr(inner.begin, inner.end - inner.begin),
                     range.begin == 0 && inner.begin == 0});
  }
  return out;
}

}  // namespace tarsier::zoo::tokenizer_json
