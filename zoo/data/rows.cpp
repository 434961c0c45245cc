#include "zoo/data/rows.h"

#include <algorithm>
#include <charconv>

#include "autograd/base/error.h"
#include "zoo/data/lines.h"
#include "zoo/data/words.h"

namespace tarsier::zoo {

std::string trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin));
}

std::vector<Fields> parse_csv(std::string_view text, const std::string& path, char separator) {
  const std::string blanks = separator == '\t' ? " " : " \t", ends{separator, '\n'};
  std::vector<Fields> rows;
  int64_t line = 1;
  size_t i = 0;
  while (i < text.size()) {
    Fields row{{}, line};
    for (bool more = true; more;) {
      std::string field;
      const size_t first = std::min(text.find_first_not_of(blanks, i), text.size());
      const bool quoted = first < text.size() && text[first] == '"';
      if (quoted) {
        const int64_t opened = line;
        for (i = first + 1;; ++i) {
          check(i < text.size(), "data", "'", path, "', line ", opened,
                ": the quote that opens here is not closed");
          if (text[i] == '"') {
            if (text.substr(i + 1, 1) != "\"") break;
            ++i;  // two quotes stand for one
          }
          line += text[i] == '\n';
          field += text[i];
        }
        ++i;
      }
      const size_t end = std::min(text.find_first_of(ends, i), text.size());
      const std::string rest(text.substr(i, end - i));
      check(!quoted || trimmed(rest).empty(), "data", "'", path, "', line ", line, ": '",
            trimmed(rest), "' follows a closing quote; write quotes inside a field twice");
      row.fields.push_back(trimmed(quoted ? field : rest));
      more = end < text.size() && text[end] == separator;
      i = end + 1;
    }
    ++line;
    if (row.fields.size() > 1 || !row.fields[0].empty()) rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Fields> parse_lines(std::string_view text, std::string_view separator) {
  std::vector<Fields> rows;
  int64_t number = 0;
  for (const std::string& line : split_lines(text)) {
    ++number;
    if (is_blank(line)) continue;
    Fields row{{}, number};
    for (size_t begin = 0; begin <= line.size();) {
      const size_t end = std::min(line.find(separator, begin), line.size());
      row.fields.push_back(line.substr(begin, end - begin));
      begin = end == line.size() ? end + 1 : end + separator.size();
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Fields> parse_rows(std::string_view text, const std::string& path) {
  const std::string_view first = text.substr(0, text.find('\n', text.find_first_not_of(" \t\r\n")));
  for (const char* separator : {"\t", "::", "|"})
    if (first.find(separator) != first.npos) return parse_lines(text, separator);
  const auto commas = std::count(first.begin(), first.end(), ','),
             semicolons = std::count(first.begin(), first.end(), ';');
  if (commas + semicolons == 0) return {};
  return parse_csv(text, path, commas >= semicolons ? ',' : ';');
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i)
    text += concat(i == 0                  ? ""
                   : i + 1 == names.size() ? " and "
                                           : ", ",
                   '\'', beginning_of(names[i]), '\'');
  return text;
}

std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size() && i < 10; ++i)
    text += concat(i == 0 ? "" : ", ", '\'', names[i], '\'');
  return names.size() > 10 ? concat(text, " and ", names.size() - 10, " more") : text;
}

std::optional<size_t> as_number(const std::string& given) {
  size_t number = 0;
  const char* end = given.data() + given.size();
  const auto [stop, error] = std::from_chars(given.data(), end, number);
  if (error != std::errc() || stop != end || number == 0) return {};
  return number - 1;
}

std::vector<std::string> names_of(const std::vector<Fields>& rows) {
  std::vector<std::string> names;
  for (const std::string& field : rows.front().fields) names.push_back(trimmed(field));
  while (names.size() > 2 && names.back().empty()) names.pop_back();
  return names;
}

std::optional<size_t> place_of(const std::string& name, const std::vector<std::string>& names) {
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return i;
  for (size_t i = 0; i < names.size(); ++i)
    if (to_lower(names[i]) == to_lower(name)) return i;
  return {};
}

}  // namespace tarsier::zoo
