#pragma once
// The rows of tables: text files whose lines are cut into fields.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarsier::zoo {

/// The fields of one row, and the line that it begins in.
struct Fields {
  std::vector<std::string> fields;
  int64_t line = 0;  ///< from 1
};

/// `text` without white space around it.
std::string trimmed(std::string_view text);

/// Rows of fields separated by `separator` (RFC 4180; lines may end with LF alone), without blank
/// lines and white space around fields. Throws Error("data") with `path` and line for a quote that
/// is not closed, or that text follows.
std::vector<Fields> parse_csv(std::string_view text, const std::string& path, char separator);

/// Lines cut at every `separator`, without quotes; blank lines are skipped.
std::vector<Fields> parse_lines(std::string_view text, std::string_view separator);

/// The rows of a table whose separator its first line shows: tabs, `::` or bars, without quotes; or
/// commas or semicolons, whichever are more, with quotes as parse_csv() reads them. Empty if that
/// line has none of them.
std::vector<Fields> parse_rows(std::string_view text, const std::string& path);

/// "'id', 'text' and 'label'"
std::string quoted_list(const std::vector<std::string>& names);

/// "'id', 'text'" and so on, of at most ten names: "… and 3 more".
std::string list_of(const std::vector<std::string>& names);

/// A column given as a number from 1: its index, from 0. Empty for other texts.
std::optional<size_t> as_number(const std::string& given);

/// The names in the first of `rows`, of which there is one. Blank fields at its end are no columns.
std::vector<std::string> names_of(const std::vector<Fields>& rows);

/// The index of `name` among `names`: exact, or in another case.
std::optional<size_t> place_of(const std::string& name, const std::vector<std::string>& names);

}  // namespace tarsier::zoo
