#include "zoo/data/classed_pictures.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "autograd/base/error.h"
#include "zoo/base/format.h"
#include "zoo/data/lines.h"
#include "zoo/data/picture_files.h"
#include "zoo/data/rows.h"
#include "zoo/task/task.h"

namespace tarsier::zoo {

namespace fs = std::filesystem;

namespace {

std::string within(const std::string& folder, const std::string& name) {
  return (fs::path(folder) / name).string();
}

/// The names of the folders in `folder`, without hidden ones; none if it is not a folder.
std::vector<std::string> folders_in(const std::string& folder) {
  std::error_code ignored;
  std::vector<std::string> out;
  if (!fs::is_directory(folder, ignored)) return out;
  for (const std::string& name : names_in(folder))
    if (!name.starts_with('.') && fs::is_directory(within(folder, name), ignored))
      out.push_back(name);
  return out;
}

/// The folder of a part of one of these names: one with folders in it; "" if there is none.
std::string part_in(const std::string& folder, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (!folders_in(within(folder, name)).empty()) return within(folder, name);
  return "";
}

/// The pictures that lie in `folder` itself.
void add_loose(const std::string& folder, std::vector<std::string>& out) {
  for (const std::string& name : names_in(folder))
    if (names_a_picture(name) && file_exists(within(folder, name)))
      out.push_back(within(folder, name));
}

/// The pictures of every class in `folder`. Where they are learned from, no class may be empty.
std::vector<ClassedPicture> pictures_of_classes(const std::string& folder, bool learned) {
  std::vector<ClassedPicture> out;
  for (const std::string& label : folders_in(folder)) {
    const std::vector<std::string> files = pictures_below(within(folder, label));
    check(!learned || !files.empty(), "data", "the folder '", within(folder, label), "' of class '",
          label, "' has no pictures, but ", describe_folder(within(folder, label)),
          ": remove it, or put PNG, JPEG, PGM, PPM or BMP files there");
    for (const std::string& file : files) out.push_back({file, label, concat("'", file, "'")});
  }
  return out;
}

std::vector<ClassedPicture> pictures_of_table(const std::string& path, const ClassColumns& columns,
                                              std::string& names) {
  const Column label{.what = "label",
                     .option = "--label ",
                     .given = columns.label,
                     .names = {"label", "class", "category", "class_name", "label_name", "target",
                               "tag", "name", "y"}};
  const TwoColumns table =
      read_two_columns(path, image_column(columns.image), label, columns.header);
  names = table.columns;
  const std::string folder = fs::path(path).parent_path().string();
  std::vector<ClassedPicture> out;
  for (const TwoColumns::Row& row : table.rows) {
    const std::string place = concat("'", path, "', line ", row.line);
    check(!is_blank(row.second), "data", place, ": the label is blank");
    out.push_back({picture_path(folder, row.first, place), row.second, place});
  }
  return out;
}

/// `all`, which `source` holds, as parts.
Parts<ClassedPicture> split(std::vector<ClassedPicture> all, const std::string& source) {
  std::vector<std::string> labels;
  for (const ClassedPicture& picture : all) labels.push_back(picture.label);
  const auto classes = std::ssize(std::set<std::string>(labels.begin(), labels.end()));
  // A single class is refused for being single.
  check(classes < 2 || std::ssize(all) >= 10 + classes, "data", "'", source, "' has ",
        counted(std::ssize(all), "picture"), " of ", classes,
        " classes, too few to split off validation and test: give at least ", 10 + classes,
        ", or parts train and val");
  const std::vector<int> part = parts_by_label(labels, kSplitKey);
  Parts<ClassedPicture> out;
  for (size_t i = 0; i < all.size(); ++i)
    (part[i] == 1 ? out.val : part[i] == 2 ? out.test : out.train).push_back(std::move(all[i]));
  return out;
}

ClassedPictures list_folders(const std::string& folder) {
  ClassedPictures out;
  add_loose(folder, out.left_out);
  const std::string train = part_in(folder, train_names());
  if (train.empty()) {
    for (const auto* names : {&validation_names(), &test_names()})
      check(part_in(folder, *names).empty(), "data", "'", part_in(folder, *names), "' has folders ",
            "of classes, but there is no '", within(folder, "train"), "' to learn them from");
    out.parts = split(pictures_of_classes(folder, true), folder);
    return out;
  }
  for (const auto& [path, part] : {std::pair{train, &out.parts.train},
                                   {part_in(folder, validation_names()), &out.parts.val},
                                   {part_in(folder, test_names()), &out.parts.test}}) {
    if (path.empty()) continue;
    *part = pictures_of_classes(path, part == &out.parts.train);
    add_loose(path, out.left_out);
  }
  return out;
}

ClassedPictures list_tables(const std::string& path, const ClassColumns& columns) {
  ClassedPictures out;
  std::error_code ignored;
  const bool in_folder = fs::is_directory(path, ignored);
  const std::string train = in_folder ? table_in(path, train_names()) : "";
  if (train.empty()) {
    const std::string file = in_folder ? tables_in(path).front() : path;
    out.parts = split(pictures_of_table(file, columns, out.columns), file);
    return out;
  }
  std::string ignored_names;
  out.parts.train = pictures_of_table(train, columns, out.columns);
  for (const auto& [names, part] :
       {std::pair{&validation_names(), &out.parts.val}, {&test_names(), &out.parts.test}})
    if (const std::string table = table_in(path, *names); !table.empty())
      *part = pictures_of_table(table, columns, ignored_names);
  return out;
}

bool has_parts_or_classes(const std::string& folder) {
  const std::vector<std::string> folders = folders_in(folder);
  return std::any_of(folders.begin(), folders.end(), [&](const std::string& name) {
    return !pictures_below(within(folder, name)).empty();
  });
}

/// Whether a table says what the pictures are: train.tsv, the path of a table, or a single one next
/// to no more than one folder.
bool has_tables(const std::string& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return file_exists(path);
  return !table_in(path, train_names()).empty() ||
         (tables_in(path).size() == 1 && folders_in(path).size() < 2);
}

}  // namespace

void ClassColumns::add_to(Settings& settings) {
  settings.add("image", image, "the column of the pictures' files: name or number", {});
  settings.add("label", label, "the column of the labels: name or number", {});
  settings.add_choice("header", header, "whether line 1 names the columns",
                      {{"auto", Header::automatic}, {"yes", Header::yes}, {"no", Header::no}});
}

bool has_classed_pictures(const std::string& path) {
  return has_tables(path) || has_parts_or_classes(path);
}

ClassedPictures list_pictures(const std::string& path, const ClassColumns& columns) {
  ClassedPictures out = has_tables(path) ? list_tables(path, columns) : list_folders(path);
  std::set<std::string> names;
  for (const ClassedPicture& picture : out.parts.train) names.insert(picture.label);
  out.names.assign(names.begin(), names.end());
  check(!out.names.empty(), "data", "'", path, "' has no pictures to learn from");
  check(out.names.size() > 1, "data", "'", path, "' has only one class, '", out.names.front(),
        "': a classifier needs at least two");
  for (const auto* part : {&out.parts.val, &out.parts.test})
    for (const ClassedPicture& picture : *part)
      check(names.contains(picture.label), "data", picture.place, " is of class '", picture.label,
            "', which no training picture has; they have ", list_of(out.names));
  return out;
}

}  // namespace tarsier::zoo
