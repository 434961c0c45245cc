#include "zoo/data/interactions.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <optional>
#include <unordered_map>
#include <utility>

#include "autograd/base/error.h"
#include "autograd/base/number.h"
#include "zoo/data/item_titles.h"
#include "zoo/data/lines.h"
#include "zoo/data/rows.h"
#include "zoo/data/text.h"
#include "zoo/data/words.h"

namespace tarsier::zoo {

namespace fs = std::filesystem;

namespace {

/// Numbers for names, in the order in which they come.
struct Numbering {
  std::vector<std::string> names;
  std::unordered_map<std::string, int32_t> numbers;

  int32_t operator()(const std::string& name) {
    const auto [entry, is_new] = numbers.try_emplace(name, static_cast<int32_t>(names.size()));
    if (is_new) names.push_back(name);
    return entry->second;
  }
};

/// A user's event. `date` is its time where that is no number.
struct Event {
  int32_t item = 0;
  double time = 0;
  std::string date = "";
};

struct Events {
  Numbering users, items;
  std::vector<std::vector<Event>> of;  // by user
  std::vector<int64_t> lines;          // by item: the first with it

  void add(const std::string& user, const std::string& item, int64_t line, Event event) {
    event.item = items(item);
    if (std::ssize(lines) == event.item) lines.push_back(line);
    const auto number = static_cast<size_t>(users(user));
    if (number == of.size()) of.emplace_back();
    of[number].push_back(std::move(event));
  }
};

// ----------------------------------------------------------------------------------------- lines

Events read_lines_of_items(const std::string& text, const std::string& path) {
  Events events;
  std::vector<int64_t> line_of;  // by user
  for (const Fields& row : parse_lines(text, "\n")) {
    std::vector<std::string> words;
    const std::string line = trimmed(row.fields[0]);
    for (size_t begin = 0; begin < line.size();) {
      const size_t end = std::min(line.find_first_of(" \t", begin), line.size());
      words.push_back(line.substr(begin, end - begin));
      begin = std::min(line.find_first_not_of(" \t", end), line.size());
    }
    check(words.size() >= 2, "data", "'", path, "', line ", row.line, ": '", beginning_of(words[0]),
          "' alone, but `user item item …` was expected");
    const auto user = static_cast<size_t>(events.users(words[0]));
    check(user == line_of.size(), "data", "'", path, "', line ", row.line, ": user '",
          beginning_of(words[0]), "' already has line ", user < line_of.size() ? line_of[user] : 0,
          "; put all items of a user in one line");
    line_of.push_back(row.line);
    for (size_t i = 1; i < words.size(); ++i) events.add(words[0], words[i], row.line, {});
  }
  return events;
}

// ----------------------------------------------------------------------------------------- table

/// Where the columns are; no time: the order of the file.
struct Places {
  size_t user = 0, item = 1;
  std::optional<size_t> time = {};
  bool header = false;
};

/// Usual names, without the marks between their words.
const std::vector<std::string> kUserNames = {"user", "userid", "reviewerid", "uid"},
                               kItemNames = {"item",    "itemid", "movieid",    "asin",
                                             "product", "movie",  "parentasin", "productid"},
                               kTimeNames = {"timestamp", "time",           "date",
                                             "datetime",  "unixreviewtime", "reviewtime"};

/// "user_id:token" as "userid".
std::string plain_name(const std::string& name) {
  std::string plain;
  for (const char c : name.substr(0, name.find(':')))
    if (c != '_' && c != ' ' && c != '-') plain += c;
  return to_lower(plain);
}

/// The column of `names` with the name or number `given`, or else with a usual name.
std::optional<size_t> find_column(const std::string& given, const std::vector<std::string>& usual,
                                  const std::vector<std::string>& names) {
  if (const auto number = as_number(given)) return number;
  for (size_t i = 0; i < names.size(); ++i)
    if (given.empty() ? std::find(usual.begin(), usual.end(), plain_name(names[i])) != usual.end()
                      : names[i] == given || plain_name(names[i]) == plain_name(given))
      return i;
  return {};
}

/// Throws unless each of the given columns is one of `names`.
void check_given(const std::vector<std::string>& names, const std::string& where,
                 const InteractionColumns& columns) {
  for (const auto& [option, given] :
       {std::pair<const char*, const std::string&>{"--user", columns.user},
        {"--item", columns.item},
        {"--time", columns.time}}) {
    const std::optional<size_t> place = find_column(given, {}, names);
    check(given.empty() || (place && *place < names.size()), "data", where, "there is no column '",
          beginning_of(given), "' for ", option, ". The ", names.size(), " columns are ",
          quoted_list(names), ": give one of these names, or a number from 1");
  }
}

Places places_in(const std::vector<Fields>& rows, const std::string& path,
                 const InteractionColumns& columns) {
  const std::vector<std::string> names = names_of(rows);
  const std::string where = concat("'", path, "', line ", rows.front().line, ": ");
  check_given(names, where, columns);
  const auto user = find_column(columns.user, kUserNames, names),
             item = find_column(columns.item, kItemNames, names),
             time = find_column(columns.time, kTimeNames, names);
  Places places;
  // A column that is given by number may have a usual name as well.
  const auto has_name = [&](const std::string& given, const std::vector<std::string>& usual,
                            const std::optional<size_t>& place) {
    return place && (!as_number(given) || std::find(usual.begin(), usual.end(),
                                                    plain_name(names[*place])) != usual.end());
  };
  places.header = has_name(columns.user, kUserNames, user) ||
                  has_name(columns.item, kItemNames, item) ||
                  has_name(columns.time, kTimeNames, time);
  const bool given = !columns.user.empty() || !columns.item.empty() || !columns.time.empty();
  const bool plain = !places.header && !given;
  if (plain && (names.size() == 2 || names.size() == 4)) {
    places.time = names.size() == 4 ? std::optional<size_t>(3) : std::nullopt;
    return places;
  }
  check(user && item, "data", where, "it is unclear which of ", quoted_list(names),
        " are the user, the item and the time. Give their names or numbers: --user … --item … "
        "--time …");
  check(*user != *item, "data", where, "user and item are both column ", *user + 1,
        ". Give their names or numbers: --user … --item …");
  return {*user, *item, time, places.header};
}

/// A time as a number, or as a date that sorts by its text.
Event event_at(const std::string& time, const std::string& where) {
  Event event;
  const char* end = time.data() + time.size();
  const auto [stop, error] = parse_double(time.data(), end, event.time);
  if (error == std::errc() && stop == end && std::isfinite(event.time)) return event;
  static constexpr std::string_view kForm = "0000-00-00";
  bool date = time.size() >= kForm.size();
  for (size_t i = 0; date && i < kForm.size(); ++i)
    date =
        kForm[i] == '-' ? time[i] == '-' : std::isdigit(static_cast<unsigned char>(time[i])) != 0;
  check(date, "data", where, "the time '", beginning_of(time),
        "' is neither a number nor a date such as 2014-05-01");
  event.time = 0;
  event.date = time;
  return event;
}

Events read_table_of_events(const std::vector<Fields>& rows, const std::string& path,
                            const InteractionColumns& columns) {
  const Places places = places_in(rows, path, columns);
  const size_t width = names_of(rows).size();
  Events events;
  std::optional<bool> dates;  // whether the times are dates, once one is known
  for (size_t r = places.header ? 1 : 0; r < rows.size(); ++r) {
    const std::string where = concat("'", path, "', line ", rows[r].line, ": ");
    const std::vector<std::string>& fields = rows[r].fields;
    check(fields.size() >= width, "data", where, fields.size(), " fields where line ",
          rows.front().line, " has ", width);
    const std::string user = trimmed(fields[places.user]), item = trimmed(fields[places.item]);
    check(!user.empty() && !item.empty(), "data", where, "the ", user.empty() ? "user" : "item",
          " is blank");
    Event event = places.time ? event_at(trimmed(fields[*places.time]), where) : Event();
    const bool date = !event.date.empty();
    check(date == dates.value_or(date), "data", where, "the time '",
          beginning_of(trimmed(fields[places.time.value_or(0)])), "' is a ",
          date ? "date, but those before are numbers" : "number, but those before are dates",
          ": they have no common order. Write all in one form");
    dates = date;
    events.add(user, item, rows[r].line, std::move(event));
  }
  for (std::vector<Event>& all : events.of)
    std::stable_sort(all.begin(), all.end(), [](const Event& a, const Event& b) {
      return a.time != b.time ? a.time < b.time : a.date < b.date;
    });
  return events;
}

// ------------------------------------------------------------------------------------ the whole

/// Whole numbers by value, before other names by their bytes.
bool comes_before(const std::string& a, const std::string& b) {
  const auto digits = [](const std::string& text) {
    return text.size() <= 18 && std::all_of(text.begin(), text.end(),
                                            [](unsigned char c) { return std::isdigit(c) != 0; });
  };
  const bool number_a = digits(a), number_b = digits(b);
  if (number_a != number_b) return number_a;
  if (number_a && a.size() != b.size() && std::stoll(a) != std::stoll(b))
    return std::stoll(a) < std::stoll(b);
  return a < b;
}

/// The file that a folder stands for.
std::string file_of(const std::string& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return path;
  std::vector<std::string> found;
  for (const std::string& name : names_in(path))
    if (name == "u.data" || name == "ratings.dat" || name == "ratings.csv" ||
        fs::path(name).extension() == ".inter")
      found.push_back(name);
  check(found.size() == 1, "data", "the folder '", path, "' has ", describe_folder(path),
        ": expected one of u.data, ratings.dat, ratings.csv or a .inter file. Give the file "
        "itself");
  return (fs::path(path) / found.front()).string();
}

}  // namespace

int64_t Interactions::events() const {
  int64_t count = 0;
  for (const auto& history : histories) count += static_cast<int64_t>(history.size());
  return count;
}

Interactions read_interactions(const std::string& given, const InteractionColumns& columns) {
  const std::string path = file_of(given), text = read_text_file(path);
  check_utf8(text, concat('\'', path, '\''));
  const std::vector<Fields> rows = parse_rows(text, path);
  for (const std::string& column : {columns.user, columns.item, columns.time})
    check(!rows.empty() || column.empty(), "data", "'", path, "' has lines `user item item …` ",
          "and no columns, but the column '", beginning_of(column),
          "' is given: leave out --user, --item and --time, or give a table");
  const Events events =
      rows.empty() ? read_lines_of_items(text, path) : read_table_of_events(rows, path, columns);
  check(!events.of.empty(), "data", "'", path, "' has no events");

  Interactions out;
  out.items = events.items.names;
  std::sort(out.items.begin(), out.items.end(), comes_before);
  std::unordered_map<std::string, int32_t> place;
  for (size_t i = 0; i < out.items.size(); ++i) place[out.items[i]] = static_cast<int32_t>(i);
  std::vector<int32_t> number;  // here, by number in `events`
  for (const std::string& name : events.items.names) number.push_back(place[name]);
  out.lines.resize(out.items.size());
  for (size_t i = 0; i < number.size(); ++i)
    out.lines[static_cast<size_t>(number[i])] = events.lines[i];
  for (const std::vector<Event>& all : events.of) {
    std::vector<int32_t>& history = out.histories.emplace_back();
    for (const Event& event : all) history.push_back(number[static_cast<size_t>(event.item)]);
  }
  out.titles = item_titles(out.items, path, columns.titles);
  return out;
}

}  // namespace tarsier::zoo
