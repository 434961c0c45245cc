#include "zoo/data/table.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "autograd/base/error.h"
#include "zoo/data/lines.h"
#include "zoo/data/rows.h"
#include "zoo/data/text.h"
#include "zoo/data/words.h"

namespace tarsier::zoo {

namespace fs = std::filesystem;

namespace {

/// Joins what parse_lines() cut at tabs into more than two fields: tabs between the others belong
/// to the second field, or to the first.
void join_tabs(std::vector<Fields>& rows, bool into_second) {
  for (Fields& row : rows) {
    std::vector<std::string>& fields = row.fields;
    if (fields.size() < 3) continue;
    const size_t from = into_second ? 1 : 0, to = into_second ? fields.size() : fields.size() - 1;
    std::string joined = fields[from];
    for (size_t i = from + 1; i < to; ++i) joined += '\t' + fields[i];
    fields = into_second ? std::vector<std::string>{fields.front(), joined}
                         : std::vector<std::string>{joined, fields.back()};
  }
}

// --------------------------------------------------------------------------------------- columns

/// The indices of the wanted columns, and whether the first row is a header.
struct Places {
  size_t first = 0, second = 1;
  bool header = false;
};

/// By the given name, or by a usual one.
std::optional<size_t> place_by_name(const Column& column, const std::vector<std::string>& names) {
  if (!column.given.empty()) return place_of(column.given, names);
  for (const std::string& name : column.names)
    if (const auto place = place_of(name, names)) return place;
  return {};
}

/// Whether the first value of a column occurs nowhere else.
bool stands_once(const std::vector<Fields>& rows, size_t column) {
  return std::none_of(rows.begin() + 1, rows.end(), [&](const Fields& row) {
    return column < row.fields.size() &&
           trimmed(row.fields[column]) == trimmed(rows.front().fields[column]);
  });
}

/// The columns that the first row names; empty if it is not a header.
std::optional<Places> places_by_header(const std::vector<Fields>& rows, const Column& first,
                                       const Column& second) {
  const std::vector<std::string> names = names_of(rows);
  const auto one = as_number(first.given), two = as_number(second.given);
  const auto a = one ? one : place_by_name(first, names),
             b = two ? two : place_by_name(second, names);
  // With columns given by number, the row is a header if both have usual names.
  const auto usual = [&](const Column& column, size_t place) {
    return place < names.size() && std::find(column.names.begin(), column.names.end(),
                                             to_lower(names[place])) != column.names.end();
  };
  if (one && two)
    return *one != *two && usual(first, *one) && usual(second, *two)
               ? std::optional<Places>({*one, *two, true})
               : std::nullopt;
  const bool named_a = !one && a, named_b = !two && b;
  if (a && b && *a != *b && (named_a || named_b)) return Places{*a, *b, true};
  // With two columns, one name determines the other; but a text may contain such a word by chance.
  if (names.size() == 2 && a.has_value() != b.has_value() && names[0] != names[1] &&
      (named_a || named_b) && first.given.empty() && second.given.empty() && stands_once(rows, 0) &&
      stands_once(rows, 1))
    return a ? Places{*a, 1 - *a, true} : Places{1 - *b, *b, true};
  return {};
}

/// The columns as given, as found, or by default.
Places places_in(const std::vector<Fields>& rows, const std::string& path, const Column& first,
                 const Column& second, Header header) {
  const std::vector<std::string> names = names_of(rows);
  const std::string where = concat("'", path, "', line ", rows.front().line, ": ");
  const auto say = [&] {
    return concat("Give them by name or number: ", first.option, "… ", second.option, "…");
  };
  const auto check_differ = [&](size_t a, size_t b) {
    check(a != b, "data", where, first.what, " and ", second.what, " are both column ", a + 1,
          a < names.size() ? concat(", '", beginning_of(names[a]), "'") : "", ". ", say());
  };
  if (header != Header::no) {
    if (const auto places = places_by_header(rows, first, second)) return *places;
    const auto given = [&](const Column& column) {
      const auto number = as_number(column.given);
      return number || column.given.empty() ? number : place_of(column.given, names);
    };
    const auto a = given(first), b = given(second);
    if (a && b) check_differ(*a, *b);
  }
  for (const Column* column : {&first, &second})
    check(column->given.empty() || as_number(column->given), "data", where, "there is no column '",
          column->given, "' for the ", column->what,
          header == Header::no ? ", because the file has no header (header=no)"
                               : concat(". The line has ", quoted_list(names)),
          ". ", say());
  const auto one = as_number(first.given), two = as_number(second.given);
  Places places{0, 1, header == Header::yes};
  if (one) places.first = *one;
  if (two) places.second = *two;
  if (names.size() == 2 && one.has_value() != two.has_value())
    (one ? places.second : places.first) =
        one ? 1 - std::min<size_t>(*one, 1) : 1 - std::min<size_t>(*two, 1);
  check(names.size() <= 2 || (one && two), "data", where, "there are ", names.size(), " columns, ",
        quoted_list(names), ", and it is unclear which are the ", first.what, " and the ",
        second.what, ". ", say());
  check_differ(places.first, places.second);
  return places;
}

/// How well `rows` look like a table: the share of rows with as many fields as the first, plus 1 if
/// that is a header; 0 for one column.
double likeness(const std::vector<Fields>& rows, const Column& first, const Column& second) {
  if (rows.empty() || rows.front().fields.size() < 2) return 0;
  const size_t width = rows.front().fields.size();
  const auto alike = std::count_if(rows.begin(), rows.end(),
                                   [&](const Fields& row) { return row.fields.size() == width; });
  const bool header = places_by_header(rows, first, second).has_value();
  return (header ? 1.0 : 0.0) + static_cast<double>(alike) / static_cast<double>(rows.size());
}

/// The rows of a text: as CSV, but bars are written where nothing needs quotes (LJSpeech).
std::vector<Fields> parse(const std::string& text, const std::string& path, char separator) {
  return separator == '|' ? parse_lines(text, "|") : parse_csv(text, path, separator);
}

/// The CSV separator that splits the rows of `text` best, and how well; the first of equals, and a
/// comma if none does.
std::pair<char, double> best_separator(const std::string& text, const std::string& path,
                                       const std::string& candidates, const Column& first,
                                       const Column& second) {
  std::pair<char, double> best{',', 0};
  for (const char separator : candidates) {
    try {
      const double like = likeness(parse(text, path, separator), first, second);
      if (like > best.second) best = {separator, like};
    } catch (const Error&) {
      continue;  // its quotes do not quote
    }
  }
  return best;
}

/// The rows of a file, and what divides their fields.
struct Table {
  std::vector<Fields> rows;
  char separator = '\t';
  bool csv;
};

Table read_table(const std::string& path, const Column& first, const Column& second) {
  const std::string text = read_text_file(path);
  check_utf8(text, concat('\'', path, '\''));
  Table table{.rows = {}, .csv = fs::path(path).extension() == ".csv"};
  if (table.csv) {
    table.separator = best_separator(text, path, "|,;\t", first, second).first;
  } else if (text.find('\t') == text.npos) {
    const auto [found, like] = best_separator(text, path, "|,;", first, second);
    table.csv = like >= 1;
    if (table.csv) table.separator = found;
  }
  table.rows = table.csv ? parse(text, path, table.separator) : parse_lines(text, "\t");
  return table;
}

/// Tabs may be part of a text, which is then put together again. If every line has as many, they
/// separate columns.
void join_texts_with_tabs(std::vector<Fields>& rows, const Column& first, const Column& second,
                          Header header) {
  const size_t width = names_of(rows).size();
  const bool alike = std::all_of(rows.begin(), rows.end(), [&](const Fields& row) {
    return row.fields.size() == rows.front().fields.size();
  });
  const bool numbers = as_number(first.given) || as_number(second.given);
  const auto places =
      header == Header::no ? std::optional<Places>{} : places_by_header(rows, first, second);
  if (width > 2 && ((alike && rows.size() > 1) || numbers || places)) return;
  const bool in_order = !places || places->first < places->second;
  join_tabs(rows, in_order == second.takes_tabs);
}

/// Throws unless a row has the fields `places`, and no more than the first one of `width`.
void check_fields(const Fields& row, const Places& places, size_t width, const std::string& path,
                  const std::string& expected) {
  const std::vector<std::string>& fields = row.fields;
  const bool more = fields.size() > width &&
                    !std::all_of(fields.begin() + static_cast<int64_t>(width), fields.end(),
                                 [](const std::string& f) { return is_blank(f); });
  if (fields.size() <= std::max(places.first, places.second) || more)
    fail("data", "'", path, "', line ", row.line, " has ", fields.size(),
         fields.size() == 1 ? " field" : " fields", " where ", expected, ": '",
         beginning_of(trimmed(fields[0])), "'");
}

}  // namespace

TwoColumns read_two_columns(const std::string& path, const Column& first, const Column& second,
                            Header header) {
  auto [rows, separator, csv] = read_table(path, first, second);
  TwoColumns out;
  const std::string between = separator == '\t' ? "<TAB>" : std::string(1, separator);
  const auto set_form = [&](bool in_order) {
    out.form = in_order ? first.what + between + second.what : second.what + between + first.what;
  };
  set_form(true);
  if (rows.empty()) return out;
  if (!csv && (first.takes_tabs || second.takes_tabs))
    join_texts_with_tabs(rows, first, second, header);

  const Places places = places_in(rows, path, first, second, header);
  const std::vector<std::string> names = names_of(rows);
  out.header = places.header;
  set_form(places.first < places.second);
  const size_t needed = std::max(places.first, places.second) + 1;
  check(needed <= names.size() || names.size() < 2, "data", "'", path, "', line ",
        rows.front().line, ": there is no column ", needed, ", only ", names.size());
  if (out.header && needed <= names.size())
    out.columns = concat("'", names[places.first], "' and '", names[places.second], "'");
  const std::string expected = names.size() > 2
                                   ? concat("line ", rows.front().line, " has ", names.size())
                                   : out.form + " was expected";
  for (size_t r = out.header ? 1 : 0; r < rows.size(); ++r) {
    check_fields(rows[r], places, names.size(), path, expected);
    const std::vector<std::string>& fields = rows[r].fields;
    out.rows.push_back(
        {trimmed(fields[places.first]), trimmed(fields[places.second]), rows[r].line});
  }
  return out;
}

}  // namespace tarsier::zoo
