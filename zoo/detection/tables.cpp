// Boxes in tables: a row for each object.
#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <optional>

#include "autograd/base/number.h"
#include "zoo/data/lines.h"
#include "zoo/data/rows.h"
#include "zoo/data/text.h"
#include "zoo/data/words.h"
#include "zoo/detection/annotations.h"

namespace tarsier::zoo::detection {

namespace fs = std::filesystem;

namespace {

/// Where image, label, x1, y1, x2 and y2 stand in a row.
using Columns = std::array<size_t, 6>;

const std::array<std::vector<std::string>, 6> kNames{{
    {"image", "filename", "file_name", "file", "path", "image_path", "img", "image_id", "imageid"},
    {"label", "class", "class_name", "category", "name", "labelname"},
    {"x1", "xmin", "x_min", "left"},
    {"y1", "ymin", "y_min", "top"},
    {"x2", "xmax", "x_max", "right"},
    {"y2", "ymax", "y_max", "bottom"},
}};

/// The columns by the names in the first row; none unless it has all of them.
std::optional<Columns> columns_by_header(const std::vector<std::string>& names) {
  Columns out{};
  for (size_t i = 0; i < kNames.size(); ++i) {
    std::optional<size_t> place;
    for (const std::string& name : kNames[i])
      if (!place) place = place_of(name, names);
    if (!place) return {};
    out[i] = *place;
  }
  return out;
}

bool is_number(const std::string& text) {
  double value = 0;
  return parse_double(text.data(), text.data() + text.size(), value).ec == std::errc();
}

/// The columns by where the numbers of the first row with a box are; none if they are not four in a
/// row of six.
std::optional<Columns> columns_by_numbers(const std::vector<Fields>& rows) {
  for (const auto& [fields, line] : rows) {
    if (fields.size() != 6) continue;
    const auto numbers_from = [&](size_t first) {
      return std::all_of(fields.begin() + static_cast<std::ptrdiff_t>(first),
                         fields.begin() + static_cast<std::ptrdiff_t>(first + 4), is_number);
    };
    if (numbers_from(2)) return Columns{0, 1, 2, 3, 4, 5};
    if (numbers_from(1)) return Columns{0, 5, 1, 2, 3, 4};
  }
  return {};
}

/// The pictures of a table, in the order in which they first occur. Empty if it is no table of
/// boxes.
std::vector<AnnotatedPicture> read_box_table(const std::string& path) {
  std::vector<Fields> rows = parse_rows(read_text_file(path), path);
  for (Fields& row : rows)
    for (std::string& field : row.fields) field = trimmed(field);
  if (rows.empty()) return {};
  std::optional<Columns> columns = columns_by_header(names_of(rows));
  const bool header = columns.has_value();
  if (!header) columns = columns_by_numbers(rows);
  if (!columns) return {};
  const std::string folder = fs::path(path).parent_path().string();
  std::vector<AnnotatedPicture> out;
  std::map<std::string, size_t> index;
  for (size_t r = header ? 1 : 0; r < rows.size(); ++r) {
    const std::string place = concat("'", path, "', line ", rows[r].line);
    std::vector<std::string>& fields = rows[r].fields;
    const size_t needed = 1 + *std::max_element(columns->begin(), columns->end());
    const std::string name = fields.size() > (*columns)[0] ? fields[(*columns)[0]] : "";
    check(!name.empty(), "data", place, ": the image is blank");
    const auto [found, is_new] = index.emplace(name, out.size());
    if (is_new) out.push_back({picture_file(folder, name, place), {}});
    const auto blank = std::count(fields.begin(), fields.end(), "");
    if (fields.size() == 1 || blank + 1 == std::ssize(fields)) continue;  // nothing but the image
    check(fields.size() >= needed, "data", place, " has ", fields.size(), " fields: expected ",
          needed, ", with image, label, x1, y1, x2 and y2");
    std::array<double, 4> box{};
    for (size_t i = 0; i < 4; ++i)
      box[i] = number_in(fields[(*columns)[2 + i]], place, kNames[2 + i].front());
    const std::string& label = fields[(*columns)[1]];
    check(!label.empty(), "data", place, ": the label is blank");
    out[found->second].objects.push_back(
        {label, {box[0], box[1], box[2], box[3]}, false, false, place});
  }
  return out;
}

}  // namespace

Annotations read_box_tables(const std::string& path) {
  Annotations out;
  std::error_code ignored;
  std::string table = path;
  if (fs::is_directory(path, ignored)) {
    if (const std::string train = table_in(path, train_names()); !train.empty()) {
      out.parts.train = read_box_table(train);
      check(!out.parts.train.empty(), "data", "'", train,
            "' has no boxes: expected a row for each, ",
            "with image, label, x1, y1, x2 and y2 (in pixels)");
      for (const auto& [names, part] :
           {std::pair{&validation_names(), &out.parts.val}, {&test_names(), &out.parts.test}})
        if (const std::string one = table_in(path, *names); !one.empty())
          *part = read_box_table(one);
      out.format = "a table";
      return out;
    }
    const std::vector<std::string> tables = tables_in(path);
    if (tables.size() != 1) return {};
    table = tables.front();
  } else if (const std::string ending = to_lower(fs::path(path).extension().string());
             ending != ".tsv" && ending != ".csv" && ending != ".txt") {
    return {};
  }
  std::vector<AnnotatedPicture> all = read_box_table(table);
  if (all.empty()) return {};
  out.parts = split_pictures(std::move(all), concat("'", table, "'"));
  out.format = "a table";
  return out;
}

}  // namespace tarsier::zoo::detection
