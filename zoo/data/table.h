#pragma once
// Files of rows and columns, of which two columns are wanted: labels and texts, or texts in two
// languages.

#include <cstdint>
#include <string>
#include <vector>

namespace tarsier::zoo {

/// A column that is asked for.
struct Column {
  std::string what;    ///< "label", for messages
  std::string option;  ///< how a person names it: "--label "
  /// Its name in the header, or its number from 1; "" where it is to be found.
  std::string given = "";
  std::vector<std::string> names =
      {};                   ///< that it often has, in small letters, the likeliest first
  bool takes_tabs = false;  ///< further tabs of a line belong to it, where there are two columns
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
  std::string columns = "";  ///< which columns these are, where a header says it: "'sentiment'"
  std::string form;          ///< "label<TAB>text"
};

/// Two columns of the UTF-8 file `path`, which stand in this order where nothing tells another.
/// Blank lines are skipped.
///
/// A file that ends in .csv has fields between commas, semicolons or tabs, whichever divides its
/// rows alike. A field in double quotes may hold these, line breaks, and quotes that are written
/// twice (RFC 4180). Every other file has tabs between its fields, and no quotes; where it has no
/// tab at all, it is read as CSV if commas or semicolons divide every row alike.
///
/// The first row is a header where it has the names that are given, or names that both columns
/// often have, capitals aside; of two columns one such name will do, if both columns have what
/// stands in this row only once. What is not given is found by the header, or is the first and the
/// second of two columns. Of more columns without a known name no choice is made.
///
/// Throws Error("data") that names the line and what to do: for columns that are not there or not
/// told apart, rows without one of them or with too many fields, and a quote that is not closed.
TwoColumns read_two_columns(const std::string& path, const Column& first, const Column& second,
                            Header header);

}  // namespace tarsier::zoo
