#include "zoo/data/dates.h"

#include <array>
#include <chrono>
#include <functional>
#include <vector>

#include "autograd/base/error.h"
#include "zoo/data/words.h"

namespace tarsier::zoo {

namespace {

constexpr std::array kMonths = {"January",   "February", "March",    "April",
                                "May",       "June",     "July",     "August",
                                "September", "October",  "November", "December"};
constexpr std::array kWeekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                  "Thursday", "Friday", "Saturday"};
constexpr std::array kOrdinals = {
    "first",        "second",         "third",         "fourth",        "fifth",
    "sixth",        "seventh",        "eighth",        "ninth",         "tenth",
    "eleventh",     "twelfth",        "thirteenth",    "fourteenth",    "fifteenth",
    "sixteenth",    "seventeenth",    "eighteenth",    "nineteenth",    "twentieth",
    "twenty-first", "twenty-second",  "twenty-third",  "twenty-fourth", "twenty-fifth",
    "twenty-sixth", "twenty-seventh", "twenty-eighth", "twenty-ninth",  "thirtieth",
    "thirty-first"};

/// The parts of a date, from which the forms below build texts.
struct DateParts {
  std::string year, yy;             // "2026", "26"
  std::string month, mon, mm, m;    // "November", "Nov", "11", "11"
  std::string day, dd, nth, spelt;  // "5", "05", "5th", "fifth"
  std::string weekday, wd;          // "Thursday", "Thu"
};

std::string two_digits(unsigned number) {
  return {static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
}

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

std::string nth(unsigned day) {
  const bool teen = day >= 11 && day <= 13;
  const char* ending = teen            ? "th"
                       : day % 10 == 1 ? "st"
                       : day % 10 == 2 ? "nd"
                       : day % 10 == 3 ? "rd"
                                       : "th";
  return concat(day, ending);
}

using Form = std::function<std::string(const DateParts&)>;

const std::vector<Form>& forms() {
  using P = const DateParts&;
  static const std::vector<Form> all = {
      [](P p) { return concat(p.weekday, ", ", p.mon, ' ', p.nth, ' ', p.year); },
      [](P p) { return concat(p.weekday, ", ", p.month, ' ', p.day, ", ", p.year); },
      [](P p) { return concat(p.month, ' ', p.day, ", ", p.year); },
      [](P p) { return concat(p.month, ' ', p.nth, ", ", p.year); },
      [](P p) { return concat(p.mon, ' ', p.day, ", ", p.year); },
      [](P p) { return concat(p.mon, ". ", p.day, ' ', p.year); },
      [](P p) { return concat(p.mon, ' ', p.day, " '", p.yy); },
      [](P p) { return concat(p.day, ' ', p.month, ' ', p.year); },
      [](P p) { return concat(p.day, ' ', p.mon, ' ', p.year); },
      [](P p) { return concat(p.dd, '-', p.mon, '-', p.yy); },
      [](P p) { return concat(p.dd, '-', upper(p.mon), '-', p.year); },
      [](P p) { return concat(p.nth, " of ", p.month, ' ', p.year); },
      [](P p) { return concat("the ", p.nth, " of ", p.month, ", ", p.year); },
      [](P p) { return concat("the ", p.spelt, " of ", p.month, ' ', p.year); },
      [](P p) { return concat(p.month, " the ", p.spelt, ", ", p.year); },
      [](P p) { return concat(p.wd, ", ", p.dd, ' ', p.mon, ' ', p.year); },
      [](P p) { return concat(p.wd, ' ', p.mon, ' ', p.day, ' ', p.year); },
      [](P p) { return concat(p.weekday, " the ", p.nth, " of ", p.month, ' ', p.year); },
      [](P p) { return to_lower(concat(p.weekday, ' ', p.day, ' ', p.month, ' ', p.year)); },
      [](P p) { return to_lower(concat(p.mon, ' ', p.day, ' ', p.year)); },
      [](P p) { return upper(concat(p.month, ' ', p.day, ' ', p.year)); },
      [](P p) { return concat(p.m, '/', p.day, '/', p.year); },
      [](P p) { return concat(p.mm, '/', p.dd, '/', p.yy); },
      [](P p) { return concat(p.mm, '-', p.dd, '-', p.year); },
      [](P p) { return concat(p.day, '.', p.m, '.', p.year); },
      [](P p) { return concat(p.dd, '.', p.mm, '.', p.yy); },
      [](P p) { return concat(p.day, ". ", p.month, ' ', p.year); },
      [](P p) { return concat(p.year, '/', p.mm, '/', p.dd); },
      [](P p) { return concat(p.year, ' ', p.mon, ' ', p.day); },
      [](P p) { return concat(p.year, p.mm, p.dd); },
      [](P p) { return concat(p.year, '-', p.mm, '-', p.dd); },
  };
  return all;
}

/// The days of each part, in order.
const std::vector<int64_t>& days_of(DatePart part) {
  static const std::array<std::vector<int64_t>, 3> days = [] {
    std::array<std::vector<int64_t>, 3> out;
    for (int64_t day = 0; day < kDays; ++day)
      out[static_cast<size_t>(part_of_date(day))].push_back(day);
    return out;
  }();
  return days[static_cast<size_t>(part)];
}

}  // namespace

int date_forms() { return static_cast<int>(forms().size()); }

DateExample write_date(int64_t days, int form) {
  namespace chrono = std::chrono;
  check(days >= 0 && days < kDays, "data", "day ", days, " is not one of ", kDays, " days");
  check(form >= 0 && form < date_forms(), "data", "form ", form, " is not one of ", date_forms());
  const chrono::sys_days at =
      chrono::sys_days(chrono::year(1950) / chrono::January / 1) + chrono::days(days);
  const chrono::year_month_day date(at);
  const auto month = static_cast<unsigned>(date.month()), day = static_cast<unsigned>(date.day());
  DateParts parts;
  parts.year = std::to_string(static_cast<int>(date.year()));
  parts.yy = parts.year.substr(2);
  parts.month = kMonths[month - 1];
  parts.mon = parts.month.substr(0, 3);
  parts.mm = two_digits(month);
  parts.m = std::to_string(month);
  parts.day = std::to_string(day);
  parts.dd = two_digits(day);
  parts.nth = nth(day);
  parts.spelt = kOrdinals[day - 1];
  parts.weekday = kWeekdays[chrono::weekday(at).c_encoding()];
  parts.wd = parts.weekday.substr(0, 3);
  return {forms()[static_cast<size_t>(form)](parts),
          concat(parts.year, '-', parts.mm, '-', parts.dd)};
}

DatePart part_of_date(int64_t days) {
  // Not the run's seed: unseen days must stay unseen in every run.
  const double drawn = uniform<double>({1950, 0}, static_cast<uint64_t>(days));
  return drawn < 0.8 ? DatePart::train : drawn < 0.9 ? DatePart::val : DatePart::test;
}

DateExample date_example(RandomKey key, uint64_t index, DatePart part) {
  const std::vector<int64_t>& days = days_of(part);
  const auto draw = [&](uint64_t number, size_t below) {
    return static_cast<size_t>(uniform<double>(key, 2 * index + number) *
                               static_cast<double>(below));
  };
  const int64_t day = days[draw(0, days.size())];
  return write_date(day, static_cast<int>(draw(1, forms().size())));
}

ParallelFolder dates_folder() {
  const auto drawn = [](const char* name, DatePart part, uint64_t stream, int64_t count) {
    ParallelText text;
    text.name = name;
    for (int64_t i = 0; i < count; ++i) {
      const DateExample example = date_example({1, stream}, static_cast<uint64_t>(i), part);
      text.source.push_back(example.text);
      text.target.push_back(example.iso);
    }
    return text;
  };
  return {drawn("train", DatePart::train, 0, 20'000),
          drawn("val", DatePart::val, 1, 1000),
          {drawn("test", DatePart::test, 2, 1000)}};
}

}  // namespace tarsier::zoo
