#pragma once
// Tables of which two columns are wanted: labels and texts, or texts in two languages.

#include <cstdint>
#include <string>
#include <vector>

namespace tarsier::zoo {

/// A wanted column.
struct Column {
  std::string what;    ///< "label", for messages
  std::string option;  ///< the option that names it: "--label "
  /// Its name in the header, or its number from 1; "" where it is to be found.
  std::string given = "";
  std::vector<std::string> names = {};  ///< usual names, in lower case, the likeliest first
  bool takes_tabs = false;              ///< with two columns, further tabs of a line belong to it
};

/// Whether the first row names the columns.
enum class Header { automatic, yes, no };

/// The two columns of a table.
struct TwoColumns {
  struct Row {
    std::string first, second;  ///< without white space around them
    int64_t line = 0;           ///< where it begins, from 1
  };
  std::vector<Row> rows;
  bool header = false;       ///< whether the first row was one
  std::string columns = "";  ///< the columns' names, if there is a header: "'label' and 'text'"
  std::string form;          ///< "label<TAB>text"
};
/// Two columns of the UTF-8 file `path`; `first` and `second` is also their default order. Blank
/// lines are skipped.
///
/// A file that ends in .csv has fields between commas, semicolons, tabs or bars (|), whichever
/// splits its rows evenly. A field in double quotes may hold these, line breaks, and quotes that
/// are written twice (RFC 4180); with bars, quotes are text. Every other file has tabs between its
/// fields, and no quotes; if it has no tab at all, it is read as CSV if commas, semicolons or bars
/// split every row evenly.
///
/// The first row is a header if it has the given names, or usual names of both columns, in any
/// case. Of two columns, one such name is enough if the first value of both columns occurs only
/// once. A column that is not given is found by the header, or by its position of two. Among more
/// columns without a known name no choice is made.
///
/// Throws Error("data") that names the line and the fix: for columns that do not exist or cannot be
/// told apart, rows without one of them or with too many fields, and an unclosed quote.
TwoColumns read_two_columns(const std::string& path, const Column& first, const Column& second,
                            Header header);

}  // namespace tarsier::zoo
