#include "zoo/data/item_titles.h"

#include <filesystem>
#include <map>
#include <unordered_map>

#include "autograd/base/error.h"
#include "zoo/data/lines.h"
#include "zoo/data/rows.h"
#include "zoo/data/text.h"
#include "zoo/data/words.h"

namespace tarsier::zoo {

namespace fs = std::filesystem;

namespace {

/// The usual file of titles next to `path`; "" if there is none.
std::string titles_next_to(const std::string& path) {
  const fs::path data(path);
  const std::string name = data.filename().string();
  fs::path titles;
  if (name == "u.data") titles = data.parent_path() / "u.item";
  if (name == "ratings.dat") titles = data.parent_path() / "movies.dat";
  if (name == "ratings.csv") titles = data.parent_path() / "movies.csv";
  if (data.extension() == ".inter") titles = fs::path(data).replace_extension(".item");
  return !titles.empty() && file_exists(titles.string()) ? titles.string() : "";
}

/// The text of a file; bytes that are not UTF-8 are taken for Latin-1, as MovieLens writes them.
std::string read_utf8_or_latin1(const std::string& path) {
  const std::string text = read_text_file(path);
  try {
    check_utf8(text, path);
    return text;
  } catch (const Error&) {
    std::string out;
    for (const char byte : text) out += encode_utf8(static_cast<unsigned char>(byte));
    return out;
  }
}

/// The columns of the item and its title: by usual names in the first row, or the first two.
struct Places {
  size_t item = 0, title = 1;
  bool header = false;
};

Places places_in(const std::vector<std::string>& names) {
  Places places;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string name = to_lower(names[i].substr(0, names[i].find(':')));
    if (name == "item_id" || name == "movieid" || name == "item" || name == "id" ||
        name == "asin") {
      places.item = i;
      places.header = true;
    }
    if (name == "title" || name == "movie_title" || name == "name" || name == "item_name" ||
        name == "artist_name") {
      places.title = i;
      places.header = true;
    }
  }
  return places;
}

}  // namespace

std::vector<std::string> item_titles(const std::vector<std::string>& items, const std::string& path,
                                     const std::string& given) {
  const std::string file = given.empty() ? titles_next_to(path) : given;
  if (file.empty()) return items;
  const std::vector<Fields> rows = parse_rows(read_utf8_or_latin1(file), file);
  check(!rows.empty(), "data", "'", file,
        "': a table of items and titles was expected, with tabs, commas, semicolons, bars or :: "
        "between its fields");
  const Places places = places_in(names_of(rows));
  check(places.item != places.title, "data", "'", file, "', line ", rows.front().line,
        ": names of the columns of items and titles were expected, but there are ",
        quoted_list(names_of(rows)));
  std::unordered_map<std::string, std::string> title_of;
  std::unordered_map<std::string, int64_t> line_of;
  for (size_t r = places.header ? 1 : 0; r < rows.size(); ++r) {
    const std::vector<std::string>& fields = rows[r].fields;
    const std::string where = concat("'", file, "', line ", rows[r].line, ": ");
    check(fields.size() > std::max(places.item, places.title), "data", where, "'",
          beginning_of(trimmed(fields[0])), "' without a title");
    const std::string item = trimmed(fields[places.item]), title = trimmed(fields[places.title]);
    check(!item.empty() && !title.empty(), "data", where, "the ", item.empty() ? "item" : "title",
          " is blank");
    const auto [entry, is_new] = line_of.try_emplace(item, rows[r].line);
    check(is_new, "data", where, "item '", beginning_of(item), "' already has line ",
          entry->second);
    title_of[item] = title;
  }
  std::vector<std::string> titles;
  std::map<std::string, int64_t> count;
  for (const std::string& item : items) {
    const auto found = title_of.find(item);
    titles.push_back(found == title_of.end() ? item : found->second);
    ++count[titles.back()];
  }
  for (size_t i = 0; i < items.size(); ++i)
    if (count[titles[i]] > 1) titles[i] += concat(" (", items[i], ")");
  return titles;
}

}  // namespace tarsier::zoo
