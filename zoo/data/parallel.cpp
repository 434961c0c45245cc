#include "zoo/data/parallel.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "autograd/base/error.h"
#include "zoo/data/lines.h"
#include "zoo/data/sampler.h"
#include "zoo/data/table.h"
#include "zoo/data/words.h"

namespace tarsier::zoo {

namespace fs = std::filesystem;

namespace {

/// Adds a pair, or counts it as skipped.
void add_pair(ParallelText& text, std::string source, std::string target, BlankPairs blanks) {
  if (blanks == BlankPairs::leave_out && (is_blank(source) || is_blank(target))) {
    ++text.left_out;
    return;
  }
  text.source.push_back(std::move(source));
  text.target.push_back(std::move(target));
}

}  // namespace

ParallelText read_parallel(const std::string& source_file, const std::string& target_file,
                           BlankPairs blanks) {
  std::vector<std::string> source = read_lines(source_file);
  std::vector<std::string> target = read_lines(target_file);
  check(source.size() == target.size(), "data", "'", source_file, "' has ", source.size(),
        " lines and '", target_file, "' has ", target.size(),
        ": each line must be the translation of the other file's line");
  ParallelText out;
  out.name = fs::path(source_file).stem().string();
  for (size_t i = 0; i < source.size(); ++i)
    add_pair(out, std::move(source[i]), std::move(target[i]), blanks);
  check(out.size() > 0, "data", "in all ", out.left_out, " pairs of '", source_file, "' and '",
        target_file, "' a line is blank");
  return out;
}

namespace {

/// The stems of the test files that end in `ending` ("de"), sorted.
std::vector<std::string> test_names(const std::string& folder, const std::string& ending) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path file = it->path().filename();
    if (file.string().starts_with("test") && file.extension() == '.' + ending)
      names.push_back(file.stem().string());
  }
  check(!error, "data", "cannot read the folder '", folder, "': ", error.message());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

ParallelFolder read_parallel_folder(const std::string& folder, const std::string& source,
                                    const std::string& target) {
  for (const std::string& language : {source, target})
    check(!language.empty() && language.find_first_of("./\\") == language.npos, "data",
          "the language is '", language, "', but must be a file ending such as 'de'");
  check(source != target, "data", "source and target are both '", source,
        "': a translation needs two languages");
  std::error_code ignored;
  check(fs::is_directory(folder, ignored), "data", "'", folder,
        "' is not a folder: give a folder with train.", source, ", train.", target, ", val.",
        source, " and val.", target);
  const auto read = [&](const std::string& name, BlankPairs blanks) {
    std::string files[2] = {name + '.' + source, name + '.' + target};
    for (std::string& file : files) {
      const std::string path = (fs::path(folder) / file).string();
      if (!file_exists(path))
        fail("data", "there is no '", file, "' in '", folder, "', which holds ",
             describe_folder(folder));
      file = path;
    }
    ParallelText text = read_parallel(files[0], files[1], blanks);
    if (to_lower(text.source[0]) == to_lower(source) &&
        to_lower(text.target[0]) == to_lower(target) && text.size() > 1) {
      text.source.erase(text.source.begin());
      text.target.erase(text.target.begin());
    }
    return text;
  };
  ParallelFolder out;
  out.train = read("train", BlankPairs::leave_out);
  out.val = read("val", BlankPairs::leave_out);
  for (const std::string& name : test_names(folder, source))
    out.tests.push_back(read(name, BlankPairs::keep));
  return out;
}

// ---------------------------------------------------------------------------------------- tables

namespace {

TwoColumns read_pairs(const std::string& path, const PairColumns& columns) {
  const TwoColumns table =
      read_two_columns(path, columns.source, columns.target, Header::automatic);
  check(!table.rows.empty(), "data", "'", path, "' has no pairs, which are lines of ", table.form);
  return table;
}

/// The columns as train.* has them: in tables without a header, by the length of the texts.
PairColumns decided(PairColumns columns, TwoColumns& table, std::string& description) {
  description = table.columns;
  if (!columns.longer_is_source || table.header || !columns.source.given.empty() ||
      !columns.target.given.empty())
    return columns;
  size_t first = 0, second = 0;
  for (const TwoColumns::Row& row : table.rows)
    first += row.first.size(), second += row.second.size();
  const bool swapped = second > first;
  columns.source.given = std::string(1, swapped ? '2' : '1');
  columns.target.given = std::string(1, swapped ? '1' : '2');
  if (swapped)
    for (TwoColumns::Row& row : table.rows) std::swap(row.first, row.second);
  description = concat("1 and 2, of which ", columns.source.given, " has the longer texts");
  return columns;
}

ParallelText as_text(const TwoColumns& table, const std::string& path, BlankPairs blanks) {
  ParallelText out;
  out.name = fs::path(path).stem().string();
  for (const TwoColumns::Row& row : table.rows) add_pair(out, row.first, row.second, blanks);
  check(out.size() > 0, "data", "in all ", out.left_out, " pairs of '", path, "' a side is blank");
  return out;
}

ParallelFolder read_folder_of_tables(const std::string& folder, const std::string& ending,
                                     PairColumns columns) {
  ParallelFolder out;
  const auto read = [&](const std::string& name, BlankPairs blanks) {
    const std::string path = (fs::path(folder) / (name + '.' + ending)).string();
    if (!file_exists(path))
      fail("data", "there is no '", name, '.', ending, "' in '", folder, "', which holds ",
           describe_folder(folder));
    TwoColumns table = read_pairs(path, columns);
    if (name == "train") columns = decided(columns, table, out.columns);
    return as_text(table, path, blanks);
  };
  out.train = read("train", BlankPairs::leave_out);
  out.val = read("val", BlankPairs::leave_out);
  for (const std::string& name : test_names(folder, ending))
    out.tests.push_back(read(name, BlankPairs::keep));
  return out;
}

}  // namespace

PairColumns language_columns(const std::string& source, const std::string& target) {
  const auto given = [](const std::string& name, const char* unnamed) {
    return name == unnamed ? "" : name;
  };
  return {.source = {.what = "source",
                     .option = "--source ",
                     .given = given(source, "source"),
                     .names = {"source", "src", "source_text"}},
          .target = {.what = "target",
                     .option = "--target ",
                     .given = given(target, "target"),
                     .names = {"target", "tgt", "translation", "target_text"}}};
}

ParallelFolder read_parallel_data(const std::string& path, const PairColumns& columns,
                                  RandomKey key) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    const auto ending_of = [&](const Column& column) {
      if (!column.given.empty()) return column.given;
      for (const std::string& name : column.names)
        if (file_exists((fs::path(path) / ("train." + name)).string())) return name;
      return column.what;
    };
    const std::string source = ending_of(columns.source), target = ending_of(columns.target);
    if (!file_exists((fs::path(path) / ("train." + source)).string()))
      for (const char* ending : {"tsv", "csv"})
        if (file_exists((fs::path(path) / concat("train.", ending)).string()))
          return read_folder_of_tables(path, ending, columns);
    return read_parallel_folder(path, source, target);
  }
  TwoColumns table = read_pairs(path, columns);
  std::string found;
  decided(columns, table, found);
  const ParallelText all = as_text(table, path, BlankPairs::leave_out);
  std::vector<std::pair<std::string, std::string>> pairs;
  for (size_t i = 0; i < all.source.size(); ++i) pairs.emplace_back(all.source[i], all.target[i]);
  ParallelFolder out = split_pairs(pairs, concat('\'', path, '\''), key);
  out.train.left_out = all.left_out;
  out.columns = std::move(found);
  return out;
}

ParallelFolder split_pairs(const std::vector<std::pair<std::string, std::string>>& pairs,
                           const std::string& source, RandomKey key) {
  check(pairs.size() >= 10, "data", source, " has ", pairs.size(),
        " pairs, too few to split off validation and test: give at least 10");
  ParallelFolder out;
  out.tests.resize(1);
  std::vector<int> part(pairs.size(), 0);
  const std::vector<int64_t> order = permutation(std::ssize(pairs), key);
  for (size_t i = 0; i < order.size(); ++i)
    part[static_cast<size_t>(order[i])] = i % 10 == 4 ? 1 : i % 10 == 9 ? 2 : 0;
  ParallelText* const parts[3] = {&out.train, &out.val, &out.tests[0]};
  out.train.name = "train", out.val.name = "val", out.tests[0].name = "test";
  for (size_t i = 0; i < part.size(); ++i) {
    parts[part[i]]->source.push_back(pairs[i].first);
    parts[part[i]]->target.push_back(pairs[i].second);
  }
  return out;
}

}  // namespace tarsier::zoo
