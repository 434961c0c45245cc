#include "zoo/data/declarations.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include "zoo/data/lines.h"
#include "zoo/data/rows.h"

namespace tarsier::zoo {

namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool in_name(char c) {
  return is_upper(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/// The run of letters, digits and underscores that ends before `end`, blanks skipped.
std::string_view name_before(std::string_view text, size_t end) {
  while (end > 0 && text[end - 1] == ' ') --end;
  size_t begin = end;
  while (begin > 0 && in_name(text[begin - 1])) --begin;
  return text.substr(begin, end - begin);
}

}  // namespace

std::string words_of_name(std::string_view name) {
  if (name.size() > 1 && name[0] == 'k' && is_upper(name[1])) name.remove_prefix(1);
  std::string words;
  for (size_t i = 0; i < name.size(); ++i) {
    const bool next_is_lower = i + 1 < name.size() && !is_upper(name[i + 1]) && name[i + 1] != '_';
    const bool begins = is_upper(name[i]) && i > 0 && (!is_upper(name[i - 1]) || next_is_lower);
    if ((begins || name[i] == '_') && !words.empty() && words.back() != ' ') words += ' ';
    if (name[i] != '_')
      words += static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
  }
  return trimmed(words);
}

std::string declared_name(std::string_view declaration) {
  for (const std::string_view kind : {"struct ", "enum class ", "class ", "enum "})
    if (declaration.starts_with(kind)) {
      const std::string_view rest = declaration.substr(kind.size());
      return std::string(rest.substr(
          0,
          static_cast<size_t>(std::find_if_not(rest.begin(), rest.end(), in_name) - rest.begin())));
    }
  const size_t end = declaration.find_first_of("(;={");
  if (end == declaration.npos || declaration.find("operator") < end) return "";
  return std::string(name_before(declaration, end));
}

ParallelFolder declarations_data(const std::vector<EmbeddedFile>& files, RandomKey key) {
  std::vector<std::pair<std::string, std::string>> pairs;
  std::set<std::string> seen;
  std::string comment;
  for (const EmbeddedFile& file : files) {
    if (!file.path.ends_with(".h")) continue;
    for (const std::string& raw : split_lines(file.text)) {
      const std::string line = trimmed(raw);
      if (line.starts_with("/// ")) {
        if (!comment.empty()) comment += ' ';
        comment += line.substr(4);
        continue;
      }
      if (line == "///" || line.starts_with("template")) continue;  // more comes after it
      const std::string name = words_of_name(declared_name(line));
      const bool tells = std::count(comment.begin(), comment.end(), ' ') >= 3;
      if (tells && !name.empty() && seen.insert(comment).second) pairs.emplace_back(comment, name);
      comment.clear();
    }
    comment.clear();
  }
  return split_pairs(pairs, "the project's text", key);
}

}  // namespace tarsier::zoo
